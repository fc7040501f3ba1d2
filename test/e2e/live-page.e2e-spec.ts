import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { findChromium, startBrowser } from '../harness/browser.js';
import {
  expectStatus,
  member,
  PASSWORD,
  signup,
  startApp,
  tcpProxy,
  waitFor,
  world,
  type Column,
  type Person,
  type Row,
  type TcpProxy,
  type World,
} from '../harness/index.js';

const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const WAIT_MS = 20_000;

let base: string;
beforeAll(async () => {
  // No other origin may come in: the page is of the server itself.
  ({ base } = await startApp({
    env: { CORS_ORIGIN: 'https://app.example.org', RATE_LIMIT_LIMIT: '100000', RATE_LIMIT_AUTH_LIMIT: '1000' },
  }));
});
const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(base + path, { method, headers, redirect: 'manual' });

describe('the files of the page', () => {
  it('are whole: everything that they name is there, of its type, and none of it is inline', async () => {
    const seen = new Map<string, string>();
    const queue = ['/live'];
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      if (seen.has(path)) continue;
      const answer = await get(path);
      const text = await answer.text();
      expect([path, answer.status]).toEqual([path, 200]);
      seen.set(path, answer.headers.get('content-type') ?? '');
      const names = /^\/live$/.test(path) ? /(?:src|href)="([^"#]+)"/g : /(?:from|import)\s*['"]([^'"]+)['"]/g;
      for (const [, name = ''] of text.matchAll(names))
        if (!name.startsWith('/api/')) queue.push(new URL(name, base + path).pathname);
    }
    expect([...seen].filter(([, type]) => type.startsWith('text/html')).map(([path]) => path)).toEqual(['/live']);
    expect(seen.get('/live/live.css')).toBe('text/css; charset=utf-8');
    for (const name of ['main.js', 'grid.js', 'client/live-table.js', 'client/socket.io.js'])
      expect(seen.get(`/live/${name}`)).toBe('text/javascript; charset=utf-8');
    const html = await (await get('/live')).text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\son[a-z]+=|javascript:/i);
  });

  it('run under a policy without inline scripts and styles, and are asked for again only when they changed', async () => {
    const { headers } = await get('/live');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'; require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|data:|nonce/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-cache');
    const same = await get('/live', { 'if-none-match': headers.get('etag') ?? '' });
    expect([same.status, await same.text()]).toEqual([304, '']);
    expect((await get('/live', {}, 'HEAD')).status).toBe(200);
  });

  it.each([
    '/live/',
    '/live/nothing.js',
    '/live/../package.json',
    '/live/..%2fpackage.json',
    '/live/client/..%2f..%2f..%2fpackage.json',
    '/live/client/index.d.ts',
    '/live/__proto__',
    '/live/main.js/',
  ])('are all there is: %s is a path as any unknown one', async (path) => {
    const answer = await get(path);
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'route_not_found' }]);
  });

  it('are not there where the page is switched off', async () => {
    const off = await startApp({ env: { LIVE_PAGE: 'false' } });
    for (const path of ['/live', '/live/main.js', '/live/client/index.js']) {
      const answer = await fetch(off.base + path);
      expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'route_not_found' }]);
    }
  });
});

/** A window of the page, and what went wrong in it. */
interface Window {
  readonly page: Page;
  readonly complaints: string[];
}

const chromium = findChromium();
// Visibly left out, and counted, where there is no browser.
(chromium === undefined ? describe.skip : describe)('in a browser', () => {
  let browser: Browser;
  let at: World;
  let grace: Person;
  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '');
    at = await world(base);
    grace = await member(at, 'editor');
    expectStatus(await grace.patch('/users/me', { name: `Grace ${HOSTILE}` }), 200);
  });

  async function open(url: string, who: Person): Promise<Window> {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(url);
    await page.getByLabel('E-mail address').fill(who.email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('#who').waitFor();
    return { page, complaints };
  }

  const choose = async ({ page }: Window, tableId: string): Promise<void> => {
    await page.locator(`#table option[value="${tableId}"]`).waitFor({ state: 'attached' });
    await page.getByRole('combobox', { name: 'Table' }).selectOption(tableId);
    await live(page);
  };
  const state = (page: Page, is: string) => page.locator(`#state[data-state="${is}"]`).waitFor();
  const live = (page: Page) => state(page, 'live');
  const cell = (page: Page, row: { id: string }, key: string): Locator =>
    page.locator(`tr[data-row="${row.id}"] td[data-key="${key}"]`);
  const shows = (page: Page, row: { id: string }, key: string, text: string) =>
    waitFor(async () => (await cell(page, row, key).textContent()) === text, WAIT_MS);

  async function edit(page: Page, row: { id: string }, key: string, text: string): Promise<void> {
    await cell(page, row, key).focus();
    await page.keyboard.press('Enter');
    await cell(page, row, key).locator('input, textarea').fill(text);
    await page.keyboard.press('Enter');
  }

  async function newTable(name: string, rows: readonly object[], columns?: readonly object[]) {
    const shape = columns ?? at.table.columns.map(({ name: of, type, options }) => ({ name: of, type, options }));
    const table = expectStatus(
      await at.owner.post<{ id: string; columns: Column[] }>(`/bases/${at.base.id}/tables`, { name, columns: shape }),
      201,
    );
    const made: Row[] = [];
    for (const fields of rows)
      made.push(expectStatus(await at.owner.post<Row>(`/tables/${table.id}/rows`, { fields }), 201));
    return { ...table, rows: made };
  }
  const read = async (tableId: string, row: { id: string }) =>
    expectStatus(await at.owner.get<Row>(`/tables/${tableId}/rows/${row.id}`), 200);

  /** What the grid of a window shows, by row and column. */
  const grid = ({ page }: Window) =>
    page.evaluate<string[][]>(
      "[...document.querySelectorAll('#grid tbody tr')].map((tr) => [tr.dataset.row, ...[...tr.cells].map((cell) => cell.textContent)])",
    );

  it('lets two people edit at the same time, and each sees what the other does and where he is', async () => {
    const table = await newTable('Together', [
      { name: 'Acme', qty: 1 },
      { name: 'Globex', qty: 2 },
    ]);
    const [first, second] = table.rows as [Row, Row];
    const [ada, her] = [await open(`${base}/live`, at.owner), await open(`${base}/live`, grace)];
    await Promise.all([choose(ada, table.id), choose(her, table.id)]);

    // Who is where.
    await cell(her.page, second, 'name').focus();
    await waitFor(
      async () => (await cell(ada.page, second, 'name').getAttribute('data-who')) === `Grace ${HOSTILE}`,
      WAIT_MS,
    );
    await her.page.keyboard.press('Enter');
    await waitFor(
      async () => (await ada.page.locator('#people').textContent())?.includes('is editing “Name” of row 2'),
      WAIT_MS,
    );
    await her.page.keyboard.press('Escape');

    // Both write, at the same time, into two cells of one row and into rows of their own.
    const rounds = 8;
    const write = async ({ page }: Window, key: string, own: Row, mark: string) => {
      for (let n = 1; n <= rounds; n++) {
        await edit(page, first, key, key === 'qty' ? String(n * 10) : `${mark} ${n}`);
        await edit(page, own, 'notes', `${mark} ${n}`);
      }
    };
    await Promise.all([write(ada, 'name', first, 'Ada'), write(her, 'qty', second, 'Grace')]);
    for (const { page } of [ada, her]) {
      await shows(page, first, 'name', `Ada ${rounds}`);
      await shows(page, first, 'qty', String(rounds * 10));
      await shows(page, first, 'notes', `Ada ${rounds}`);
      await shows(page, second, 'notes', `Grace ${rounds}`);
    }
    expect(await grid(ada)).toEqual(await grid(her));
    expect((await read(table.id, first)).fields).toMatchObject({ name: `Ada ${rounds}`, qty: rounds * 10 });

    // What came from the other is pointed out, and told.
    await edit(her.page, first, 'name', 'Acme again');
    await ada.page.locator(`tr[data-row="${first.id}"] td[data-key="name"].changed`).waitFor();
    await waitFor(
      async () => (await ada.page.locator('#news').textContent())?.includes('changed a row (row 1).'),
      WAIT_MS,
    );

    // Rows that come and go.
    const made = expectStatus(await at.owner.post<Row>(`/tables/${table.id}/rows`, { fields: { name: 'New' } }), 201);
    for (const { page } of [ada, her]) await shows(page, made, 'name', 'New');
    expectStatus(await at.owner.del(`/tables/${table.id}/rows/${made.id}`), 204);
    for (const { page } of [ada, her]) await page.locator(`tr[data-row="${made.id}"]`).waitFor({ state: 'detached' });

    await her.page.close();
    await waitFor(async () => (await ada.page.locator('#people').textContent()) === 'Nobody else.', WAIT_MS);
    expect([ada.complaints, her.complaints]).toEqual([[], []]);
    await ada.page.close();
  });

  it('asks whoever is second at a cell, and keeps what he chooses', async () => {
    const table = await newTable('Conflict', [{ name: 'Acme' }]);
    const [row] = table.rows as [Row];
    const [ada, her] = [await open(`${base}/live`, at.owner), await open(`${base}/live`, grace)];
    await Promise.all([choose(ada, table.id), choose(her, table.id)]);
    const conflict = async (mine: string, theirs: string, button: string) => {
      await cell(ada.page, row, 'name').dblclick();
      await cell(ada.page, row, 'name').locator('input').fill(mine);
      await edit(her.page, row, 'name', theirs);
      await waitFor(async () => (await read(table.id, row)).fields.name === theirs, WAIT_MS);
      await waitFor(async () => (await ada.page.locator('#news').textContent())?.includes('changed'), WAIT_MS);
      await ada.page.keyboard.press('Enter');
      const dialog = ada.page.getByRole('dialog', { name: 'Somebody else was here first' });
      await dialog.waitFor();
      expect(await ada.page.locator('#conflict-theirs').textContent()).toBe(theirs);
      expect(await ada.page.locator('#conflict-yours').textContent()).toBe(mine);
      await dialog.getByRole('button', { name: button }).click();
    };
    await conflict('mine', 'theirs', 'Keep theirs');
    await shows(ada.page, row, 'name', 'theirs');
    expect((await read(table.id, row)).fields.name).toBe('theirs');
    await conflict('mine again', 'theirs again', 'Use mine');
    for (const { page } of [ada, her]) await shows(page, row, 'name', 'mine again');
    expect((await read(table.id, row)).fields.name).toBe('mine again');
    expect([ada.complaints, her.complaints]).toEqual([[], []]);
    await Promise.all([ada.page.close(), her.page.close()]);
  });

  it('tells whoever opens a cell that another one edits it, and lets him', async () => {
    const table = await newTable('Courtesy', [{ name: 'Acme' }]);
    const [row] = table.rows as [Row];
    const [ada, her] = [await open(`${base}/live`, at.owner), await open(`${base}/live`, grace)];
    await Promise.all([choose(ada, table.id), choose(her, table.id)]);
    await cell(ada.page, row, 'name').dblclick();
    await waitFor(async () => (await her.page.locator('#people').textContent())?.includes('is editing'), WAIT_MS);
    await cell(her.page, row, 'name').dblclick();
    const news = `${at.owner.user.name} is editing this cell, too.`;
    await waitFor(async () => (await her.page.locator('#news').textContent())?.includes(news), WAIT_MS);
    expect(await ada.page.locator('#news').textContent()).not.toContain('editing this cell');
    await ada.page.keyboard.press('Escape');
    await cell(her.page, row, 'name').locator('input').fill('hers');
    await her.page.keyboard.press('Enter');
    for (const { page } of [ada, her]) await shows(page, row, 'name', 'hers');
    expect([ada.complaints, her.complaints]).toEqual([[], []]);
    await Promise.all([ada.page.close(), her.page.close()]);
  });

  it('is worked with by the keyboard alone, every type its own way; what is refused can be mended', async () => {
    const table = await newTable('Keys', [{ name: 'Acme' }, { name: 'Globex' }]);
    const [row, other] = table.rows as [Row, Row];
    const ada = await open(`${base}/live#${table.id}`, at.owner);
    const { page } = ada;
    await page.locator(`tr[data-row="${row.id}"]`).waitFor();
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    // From the top of the page into the grid, which is one stop.
    await page.locator('#redo').focus();
    await press('Tab');
    const focused = () => page.evaluate("document.activeElement.getAttribute('data-key')");
    expect(await focused()).toBe('name');
    // name, amount, qty, active, due, seen, notes, status
    await press('F2', 'End');
    await page.keyboard.type(' Inc');
    await press('Tab');
    expect(await focused()).toBe('amount');
    await page.keyboard.type('12.50');
    await press('Tab');
    await page.keyboard.type('7');
    await press('Tab', ' ', 'ArrowRight', 'Enter');
    await page.keyboard.type('12312026');
    await press('Enter', 'End', 'Enter', 'ArrowDown', 'ArrowDown', 'Enter');
    await press('Control+Home', 'ArrowDown');
    expect(await page.evaluate("document.activeElement.closest('tr').dataset.row")).toBe(other.id);
    await waitFor(async () => {
      const { fields } = await read(table.id, row);
      expect(fields).toMatchObject({
        name: 'Acme Inc',
        amount: '12.50',
        qty: 7,
        active: true,
        due: '2026-12-31',
        status: 'won',
      });
      return true;
    }, WAIT_MS);
    await shows(page, row, 'active', '☑ yes');
    await shows(page, row, 'status', 'Won');

    // Refused here, and by the server.
    await edit(page, row, 'qty', 'many');
    await waitFor(
      async () => (await page.getByRole('alert').filter({ hasText: 'whole number' }).count()) === 1,
      WAIT_MS,
    );
    expect(await cell(page, row, 'qty').locator('input').getAttribute('aria-invalid')).toBe('true');
    await press('Escape');
    await edit(page, row, 'amount', '1.234');
    await waitFor(
      async () => (await cell(page, row, 'amount').locator('input').getAttribute('aria-invalid')) === 'true',
      WAIT_MS,
    );
    expect(await page.locator('#problem').textContent()).not.toBe('');
    await cell(page, row, 'amount').locator('input').fill('1.23');
    await press('Enter');
    await shows(page, row, 'amount', '1.23');
    await page.getByRole('button', { name: 'Undo my last change' }).click();
    await shows(page, row, 'amount', '12.50');
    expect((await read(table.id, row)).fields).toMatchObject({ qty: 7, amount: '12.50' });
    expect(ada.complaints).toEqual([]);
    await page.close();
  });

  it('shows what others have written as text, whatever it says', async () => {
    const columns = [
      { name: `Name ${HOSTILE}`, type: 'text' },
      { name: 'Pick', type: 'single_select', options: { choices: [{ label: HOSTILE, key: 'x' }] } },
      { name: 'Data', type: 'json' },
    ];
    const table = await newTable(`T ${HOSTILE}`, [], columns);
    const [name, pick, data] = table.columns.map(({ key }) => key) as [string, string, string];
    const fields = { [name]: HOSTILE, [pick]: 'x', [data]: { '<b>': HOSTILE } };
    const her = await open(`${base}/live`, grace);
    const { page } = her;
    await choose(her, table.id);
    const row = expectStatus(await at.owner.post<Row>(`/tables/${table.id}/rows`, { fields }), 201);
    await shows(page, row, name, HOSTILE);
    await shows(page, row, pick, HOSTILE);
    await shows(page, row, data, JSON.stringify({ '<b>': HOSTILE }));
    await cell(page, row, pick).dblclick();
    await page.keyboard.press('Escape');
    expect(await page.locator('#name').textContent()).toBe(`T ${HOSTILE}`);
    expect(await page.locator('#me').textContent()).toBe(`Grace ${HOSTILE}`);
    expect(await page.evaluate("[document.images.length, document.scripts.length, 'hacked' in window]")).toEqual([
      0,
      1,
      false,
    ]);
    expect(her.complaints).toEqual([]);
    await page.close();
  });

  it('shows each text in the direction that it is written in, also while it is edited', async () => {
    const table = await newTable('Directions', [{ name: 'Acme' }, { name: 'مرحبا' }]);
    const ada = await open(`${base}/live`, at.owner);
    const { page } = ada;
    await choose(ada, table.id);
    const [left, right] = table.rows as [Row, Row];
    // How far the text is from the left edge of its cell, and from the right one.
    const gaps = (row: Row) =>
      page.evaluate<[number, number]>(`(() => {
        const td = document.querySelector('tr[data-row="${row.id}"] td[data-key="name"]');
        td.style.minWidth = '20rem';
        const range = document.createRange();
        range.selectNodeContents(td);
        const [text, box] = [range.getBoundingClientRect(), td.getBoundingClientRect()];
        return [text.left - box.left, box.right - text.right];
      })()`);
    const [[a, b], [c, d]] = [await gaps(left), await gaps(right)];
    expect([a < b, c > d]).toEqual([true, true]);
    await cell(page, right, 'name').dblclick();
    const direction = "getComputedStyle(document.querySelector('#grid td input')).direction";
    expect(await page.evaluate(direction)).toBe('rtl');
    await page.close();
  });

  it('shows what was chosen last, though what was chosen before is answered later', async () => {
    const person = await signup(base, { name: 'Ada' });
    const made = async (name: string) => {
      const workspace = expectStatus(await person.post<{ id: string }>('/workspaces', { name }), 201);
      expectStatus(await person.post(`/workspaces/${workspace.id}/bases`, { name: `Base of ${name}` }), 201);
      return workspace.id;
    };
    const [slow, quick] = [await made('Slow'), await made('Quick')];
    const her = await open(`${base}/live#${quick}`, person);
    const { page } = her;
    const bases = () => page.locator('#base').textContent();
    await waitFor(async () => (await bases()) === 'Base of Quick', WAIT_MS);
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    let isAnswered = false;
    await page.route(`**/workspaces/${slow}/bases*`, async (route) => {
      await held;
      await route.continue();
      await (await route.request().response())?.finished();
      isAnswered = true;
    });
    await page.locator('#workspace').selectOption(slow);
    await page.locator('#workspace').selectOption(quick);
    await waitFor(async () => (await bases()) === 'Base of Quick', WAIT_MS);
    answer();
    await waitFor(() => isAnswered, WAIT_MS);
    // A question behind it, so that what would have come of the answer has come.
    await page.evaluate('fetch("/live/main.js").then((answer) => answer.text())');
    expect([await page.locator('#workspace').inputValue(), await bases()]).toEqual([quick, 'Base of Quick']);
    await page.close();
  });

  it('says what is going on with the network, catches up, reads again, and shows more', async () => {
    const table = await newTable('Network', [{ name: 'Acme' }]);
    const [row] = table.rows as [Row];
    const proxy: TcpProxy = await tcpProxy({ host: '127.0.0.1', port: Number(new URL(base).port) });
    const ada = await open(`http://${proxy.host}:${proxy.port}/live`, at.owner);
    const { page } = ada;
    await choose(ada, table.id);
    await proxy.cut();
    await state(page, 'offline');
    expectStatus(await at.owner.patch(`/tables/${table.id}/rows/${row.id}`, { fields: { name: 'Meanwhile' } }), 200);
    expect(await cell(page, row, 'name').textContent()).toBe('Acme');
    await proxy.mend();
    await live(page);
    await shows(page, row, 'name', 'Meanwhile');
    // More at once than an event tells.
    const ops = Array.from({ length: 249 }, (_, n) => ({ op: 'create', fields: { name: `row ${n + 2}` } }));
    expectStatus(await at.owner.post(`/tables/${table.id}/rows/bulk`, { ops }), 200);
    await waitFor(async () => (await page.locator('#news').textContent())?.includes('read again'), WAIT_MS);
    const lines = page.locator('#grid tbody tr');
    const more = page.getByRole('button', { name: 'Show more rows' });
    expect([await lines.count(), await more.isVisible()]).toEqual([100, true]);
    await more.click();
    await waitFor(async () => (await lines.count()) === 200, WAIT_MS);
    await more.click();
    await waitFor(async () => (await lines.count()) === 250 && !(await more.isVisible()), WAIT_MS);
    expect(ada.complaints).toEqual([]);
    await page.close();
  });

  it('keeps no token where another page or tab finds it, is there after a reload, and is gone after signing out', async () => {
    const ada = await open(`${base}/live`, await signup(base, { name: 'Ada' }));
    const { page } = ada;
    const kept = () => page.evaluate('[{ ...localStorage }, { ...sessionStorage }, document.cookie]');
    expect(await kept()).toEqual([{}, {}, '']);
    await page.reload();
    await page.locator('#who').waitFor();
    expect([await page.locator('#me').textContent(), await kept()]).toEqual(['Ada', [{}, {}, '']]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect([await page.locator('#who').isVisible(), await kept(), ada.complaints]).toEqual([false, [{}, {}, ''], []]);
    await page.close();
  });

  it('shows those who may only look no way to edit', async () => {
    const table = await newTable('Look', [{ name: 'Acme' }]);
    const [row] = table.rows as [Row];
    const viewer = await open(`${base}/live`, await member(at, 'viewer'));
    const { page } = viewer;
    await choose(viewer, table.id);
    expect(await page.getByRole('grid').getAttribute('aria-readonly')).toBe('true');
    expect(await page.getByRole('button', { name: 'Undo my last change' }).isVisible()).toBe(false);
    await cell(page, row, 'name').dblclick();
    await cell(page, row, 'name').focus();
    await page.keyboard.type('x');
    expect(await cell(page, row, 'name').textContent()).toBe('Acme');
    expect(viewer.complaints).toEqual([]);
    await page.close();
  });
});
