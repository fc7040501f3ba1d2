import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Publications } from '../../src/modules/publishing/public/publications.js';
import { ReadyAnswers } from '../../src/modules/publishing/public/ready-answers.js';
import {
  client,
  databases,
  expectStatus,
  liveHeap,
  startApp,
  waitFor,
  world,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { getText, rawConnection, type RawAnswer, type RawConnection } from '../support/raw-http.js';

jest.setTimeout(120_000);

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
}
interface Key {
  readonly id: string;
  readonly key: string;
}

let pair: TestDatabases;
let app: TestApp;
let at: World;
let connection: RawConnection;
let rowIds: readonly string[];

beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair, env: { TRUST_PROXY: '1' } });
  at = await world(app.base);
  const ops = Array.from({ length: 200 }, (_, n) => ({ op: 'create', fields: { name: `Grüße ${n} 🐎`, qty: n } }));
  const made = await at.owner.post<{ results: { row: { id: string } }[] }>(`/tables/${at.table.id}/rows/bulk`, {
    mode: 'atomic',
    ops,
  });
  rowIds = expectStatus(made, 200).results.map(({ row }) => row.id);
  connection = rawConnection(app.base);
}, 120_000);

let count = 0;
const published = async (settings: object = {}, where = app) => {
  const definition = { source: { table: at.table.id }, columns: ['name', 'qty'], sort: [{ field: 'qty' }] };
  const body = { name: `View ${(count += 1)}`, definition };
  const owner = client(where.base, at.owner.token);
  const { id } = expectStatus(await owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const all = { auth: 'public', filterable: ['qty'], sortable: ['qty'], maxLimit: 200, ...settings };
  const { slug } = expectStatus(await owner.post<{ slug: string }>(`/views/${id}/api`, all), 201);
  return {
    ...{ id, api: `/views/${id}/api`, path: `/public/views/${slug}/data` },
    key: async (over: object = {}): Promise<Key> =>
      expectStatus(await owner.post<Key>(`/views/${id}/api/keys`, { name: 'Key', ...over }), 201),
  };
};

const ask = (path: string, lines: readonly string[] = [], on = connection): Promise<RawAnswer> => {
  on.write(getText(path, lines));
  return on.next();
};
/** How many answers were given again so far. */
const given = (): number => app.app.get(ReadyAnswers, { strict: false }).hits;

/** Asks until the answer is one that was given again: the first makes it, the second finds it in memory, those behind find it ready. */
async function askAgain(path: string, lines: readonly string[] = [], on = connection): Promise<RawAnswer> {
  for (let tries = 0; tries < 20; tries++) {
    const before = given();
    const answer = await ask(path, lines, on);
    if (given() > before) return answer;
  }
  throw new Error(`never given again: ${path} ${lines.join()}`);
}

/** All lines of a head, without the values that are other ones each time. */
const steady = ({ status, lines, body }: RawAnswer) => ({
  status,
  lines: lines.map((line) =>
    line.replace(/^(date|server-timing|x-request-id): .*/i, '$1').replace(/r=\d+;t=\d+/g, 'r;t'),
  ),
  body: body.toString('latin1'),
});
const left = ({ headers }: RawAnswer): readonly number[] =>
  [...(headers.ratelimit ?? '').matchAll(/r=(\d+)/g)].map(([, digits]) => Number(digits));
const rowsOf = ({ body }: RawAnswer): Page['data'] => (JSON.parse(body.toString()) as Page).data;

describe('an answer that is given again', () => {
  it('is the one of the route in every byte, in each form of the question', async () => {
    const open = await published({ corsOrigins: ['https://app.example'] });
    const closed = await published({ auth: 'key' });
    const { key } = await closed.key({ quota: { limit: 100_000, per: 'month' } });
    const anybody = await published({ corsOrigins: ['*'], cacheSeconds: 30 });
    const old = await published();
    expectStatus(await at.owner.post(old.api, { asNewVersion: true }), 201);
    expectStatus(await at.owner.patch(`${old.api}/versions/1`, { sunsetAt: '2099-01-31T00:00:00Z' }), 200);
    const tagOf = async (path: string): Promise<string> => (await ask(path)).headers.etag ?? '';
    const tag = await tagOf(`${open.path}?limit=3`);
    const forms: [string, string[]][] = [
      [open.path, []],
      [`${open.path}?limit=3`, [`If-None-Match: ${tag}`]],
      [`${open.path}?limit=3`, [`If-None-Match: "x", ${tag.slice(2)}`]],
      [`${open.path}?limit=3`, ['If-None-Match: *']],
      [`${open.path}?limit=3`, ['If-None-Match: W/"other"']],
      [`${open.path}?limit=3`, ['If-None-Match: undefined']],
      [`${open.path}?filter=qty.lte.5&sort=-qty`, ['Origin: https://app.example']],
      [`${open.path}?filter=qty.lte.5&sort=-qty`, ['Origin: https://evil.example']],
      [`${open.path}?limit=200`, ['Accept-Encoding: br']],
      [`${open.path}?limit=200`, ['Accept-Encoding: gzip, deflate']],
      [`${open.path}?limit=200`, ['Accept-Encoding: gzip', 'X-No-Compression: 1']],
      [`${open.path}?limit=200`, ['Accept-Encoding: identity']],
      [`${open.path}?limit=200`, ['Accept-Encoding: br', 'Accept: text/csv']],
      [`${open.path}?limit=2`, ['accept: text/csv']],
      [`${open.path}?limit=2`, ['Accept: text/csv;q=0.1', 'Accept: application/x-ndjson']],
      [`${open.path}?limit=2&format=csv`, ['Accept: application/json']],
      [`${open.path}?limit=2`, ['X-Request-Id: mine', 'User-Agent: x', 'Cookie: a=b']],
      [`${open.path}?limit=2`, ['X-Forwarded-For: 203.0.113.9, 203.0.113.8']],
      [`${anybody.path}?limit=2`, ['Origin: https://who.example']],
      [`${anybody.path}?limit=2`, ['Connection: keep-alive']],
      [`${closed.path}?limit=2`, [`X-API-Key: ${key}`]],
      [`${closed.path}?limit=2`, [`Authorization: Bearer ${key}`]],
      [old.path, []],
      [old.path.replace('/data', '/v2/data'), []],
    ];
    const seen = new Set<string>();
    for (const [path, lines] of forms) {
      // A length makes it a request that is left to the route, and is nothing that the answer depends on.
      const plain = await ask(path, [...lines, 'Content-Length: 0']);
      const again = await askAgain(path, lines);
      expect([path, lines, steady(again)]).toEqual([path, lines, steady(plain)]);
      expect(again.headers['server-timing']).toMatch(/^app;dur=\d+\.\d$/);
      expect(Math.abs(Date.parse(again.headers.date ?? '') - Date.now())).toBeLessThan(60_000);
      const id = again.headers['x-request-id'] ?? '';
      expect([path, lines.some((line) => line.startsWith('X-Request-Id')) ? id === 'mine' : !seen.has(id)]).toEqual([
        path,
        true,
      ]);
      seen.add(id);
    }
    expect(connection.rest()).toHaveLength(0);
  });

  it('counts towards limits, quotas, use and numbers as every other, each time by one', async () => {
    const view = await published({ auth: 'key' });
    const { id, key } = await view.key({
      quota: { limit: 100_000, per: 'day' },
      rateLimit: { limit: 500, windowSeconds: 3_600 },
    });
    const lines = [`X-API-Key: ${key}`];
    const answers = [await askAgain(`${view.path}?limit=7`, lines)];
    const before = given();
    for (let n = 0; n < 10; n++) answers.push(await ask(`${view.path}?limit=7`, lines));
    expect(given() - before).toBe(10);
    const [limits, quotas] = [0, 1].map((which) => answers.map((answer) => left(answer)[which] ?? 0));
    for (const each of [limits ?? [], quotas ?? []]) expect(each).toEqual(each.map((_, n) => (each[0] ?? 0) - n));
    // What is left says how many there were before.
    const requests = 500 - (limits?.at(-1) ?? 0);
    expect(100_000 - (quotas?.at(-1) ?? 0)).toBe(requests);
    const used = await waitFor(async () => {
      const { data } = expectStatus(await at.owner.get<Page>(`${view.api}/usage?hours=2`), 200);
      const sum = (name: string) => data.reduce((all, line) => all + Number(line[name]), 0);
      return sum('requests') === requests ? { keys: data.map(({ keyId }) => keyId), sum } : undefined;
    });
    const bytes = answers[0]?.body.length ?? 0;
    expect([...new Set(used.keys)]).toEqual([id]);
    expect([used.sum('rows'), used.sum('bytes'), used.sum('errors')]).toEqual([7 * requests, bytes * requests, 0]);
    // All but the first, which was made.
    expect(used.sum('cacheHits')).toBe(requests - 1);
    const metrics = await (await fetch(`${app.base}/metrics`)).text();
    expect(metrics).toMatch(/live_tables_cache_hits_total\{cache="ready_answers"\} [1-9]/);
    expect(metrics).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/public\/views\/:slug\/data",status="200"\} [1-9]\d/,
    );
  });

  it('ends with the limit, at the same request as on the route', async () => {
    const view = await published({ rateLimit: { limit: 12, windowSeconds: 3_600 } });
    const lines = ['X-Forwarded-For: 203.0.113.77'];
    const before = given();
    const statuses: number[] = [];
    for (let n = 0; n < 15; n++) statuses.push((await ask(view.path, lines)).status);
    expect(statuses).toEqual([...Array<number>(12).fill(200), 429, 429, 429]);
    expect(given() - before).toBeGreaterThan(5);
    // That of another address has room.
    expect((await ask(view.path, ['X-Forwarded-For: 203.0.113.78'])).status).toBe(200);
    const closed = await published({ auth: 'key' });
    const { key } = await closed.key({ quota: { limit: 12, per: 'month' } });
    const keyed = [`X-API-Key: ${key}`];
    const of = [];
    for (let n = 0; n < 14; n++) of.push((await ask(closed.path, keyed)).status);
    expect(of).toEqual([...Array<number>(12).fill(200), 429, 429]);
  });

  it('is nobody else’s: not that of another key, address, version or origin, and of no key that is given otherwise', async () => {
    const view = await published({ auth: 'key' });
    const few = await view.key({ filter: { field: 'qty', op: 'eq', value: 7 }, columns: ['name'] });
    const near = await view.key({ allowedAddresses: ['203.0.113.1/32'] });
    const [byFew, byNear] = [`X-API-Key: ${few.key}`, `X-API-Key: ${near.key}`];
    const from = (last: number) => `X-Forwarded-For: 203.0.113.${last}`;
    expect(rowsOf(await askAgain(view.path, [byFew]))).toEqual([{ name: 'Grüße 7 🐎' }]);
    expect(rowsOf(await askAgain(view.path, [byNear, from(1)]))).toHaveLength(50);
    for (const lines of [
      [byNear, from(2)],
      [byNear],
      [],
      [byFew, byNear],
      [byFew, byFew],
      ['X-API-Key: ', `Authorization: Bearer ${few.key}`],
      [`Authorization: Basic ${few.key}`],
      [`X-API-Key: ${few.key}x`],
    ])
      for (let round = 0; round < 3; round++)
        expect([lines, (await ask(view.path, lines)).status]).toEqual([lines, 401]);
    for (let round = 0; round < 6; round++) {
      expect(rowsOf(await ask(view.path, [byFew]))).toHaveLength(1);
      expect(rowsOf(await ask(view.path, [byNear, from(1)]))).toHaveLength(50);
    }
  });
});

describe('what has changed', () => {
  it('is never answered as it was: a key that was revoked or has ended, a view that was closed or published anew', async () => {
    const view = await published({ auth: 'key' });
    const [gone, short] = [await view.key(), await view.key({ expiresAt: new Date(Date.now() + 3_000).toISOString() })];
    expect((await askAgain(view.path, [`X-API-Key: ${gone.key}`])).status).toBe(200);
    expectStatus(await at.owner.del(`${view.api}/keys/${gone.id}`), 204);
    expect((await ask(view.path, [`X-API-Key: ${gone.key}`])).status).toBe(401);
    await waitFor(async () => ((await ask(view.path, [`X-API-Key: ${short.key}`])).status === 401 ? true : undefined));

    const open = await published();
    expect(rowsOf(await askAgain(`${open.path}?limit=1`))).toEqual([{ name: 'Grüße 0 🐎', qty: 0 }]);
    const source = { source: { table: at.table.id }, columns: ['name', 'qty'] };
    const definition = { ...source, sort: [{ field: 'qty', dir: 'desc' }] };
    expectStatus(await at.owner.patch(`/views/${open.id}`, { definition }), 200);
    expectStatus(
      await at.owner.post(open.api, { auth: 'public', filterable: ['qty'], sortable: ['qty'], maxLimit: 200 }),
      200,
    );
    expect(rowsOf(await ask(`${open.path}?limit=1`))).toEqual([{ name: 'Grüße 199 🐎', qty: 199 }]);
    expect((await askAgain(`${open.path}?limit=1`)).headers['access-control-allow-origin']).toBeUndefined();
    expectStatus(await at.owner.patch(open.api, { corsOrigins: ['*'] }), 200);
    expect((await askAgain(`${open.path}?limit=1`, ['Origin: https://a.example'])).headers).toMatchObject({
      'access-control-allow-origin': '*',
    });
    expectStatus(await at.owner.patch(open.api, { enabled: false }), 200);
    expect((await ask(`${open.path}?limit=1`)).status).toBe(404);
    expectStatus(await at.owner.patch(open.api, { enabled: true }), 200);
    expect((await askAgain(`${open.path}?limit=1`)).status).toBe(200);
  });

  it('is in every answer to a request that came after the write, however many readers ask meanwhile', async () => {
    const view = await published({ rateLimit: { limit: 1_000_000, windowSeconds: 60 } });
    const path = `${view.path}?filter=qty.eq.3`;
    const [first = ''] = rowIds.slice(3);
    let acknowledged = 0;
    let isOver = false;
    const nameOf = (answer: RawAnswer): number => Number(/\d+$/.exec(String(rowsOf(answer)[0]?.name))?.[0]);
    const write = async (n: number) => {
      const fields = { name: `Change ${n}` };
      expectStatus(await at.owner.patch(`/tables/${at.table.id}/rows/${first}`, { fields }), 200);
      acknowledged = n;
    };
    await write(1);
    const before = given();
    const readers = Array.from({ length: 8 }, async (_, reader) => {
      const own = rawConnection(app.base);
      let [tag, last, unchanged] = ['', 0, 0];
      while (!isOver) {
        const least = acknowledged;
        // Half of them have what they were told last, and must not be told that it is still so when it is not.
        const answer = await ask(path, reader % 2 === 0 && tag !== '' ? [`If-None-Match: ${tag}`] : [], own);
        if (answer.status === 304) unchanged++;
        else [last, tag] = [nameOf(answer), answer.headers.etag ?? ''];
        expect(last).toBeGreaterThanOrEqual(least);
      }
      own.end();
      return unchanged;
    });
    for (let n = 2; n <= 60; n++) {
      await write(n);
      expect(nameOf(await ask(path))).toBe(n);
      // Some are written when all is ready again.
      if (n % 3 === 0) await askAgain(path);
    }
    isOver = true;
    const unchanged = await Promise.all(readers);
    expect(given() - before).toBeGreaterThan(60);
    expect(unchanged.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0);
  });

  it('on another node is seen by this one as soon as it is acknowledged there', async () => {
    const other = await startApp({ databases: pair });
    const view = await published();
    const path = `${view.path}?filter=qty.eq.4`;
    const [row = ''] = rowIds.slice(4);
    for (let n = 0; n < 20; n++) {
      await askAgain(path);
      const fields = { name: `There ${n}` };
      const writer = client(other.base, at.owner.token);
      expectStatus(await writer.patch(`/tables/${at.table.id}/rows/${row}`, { fields }), 200);
      expect(rowsOf(await ask(path))).toEqual([{ name: `There ${n}`, qty: 4 }]);
    }
  });
});

it('publications that nobody reads any more leave the memory, however many answers of theirs are ready', async () => {
  const view = await published({ auth: 'key' });
  const { key } = await view.key();
  const [, slug = ''] = /views\/(.*)\/data/.exec(view.path) ?? [];
  // In a function of its own, which holds nothing of it when it has returned.
  const inMemory = async (): Promise<readonly WeakRef<object>[]> => {
    const read = await app.app.get(Publications, { strict: false }).find(slug, 1);
    return read ? [read, ...read.keys.values()].map((each) => new WeakRef(each)) : [];
  };
  const left: WeakRef<object>[] = [];
  for (let n = 1; n <= 10; n++) {
    // Each time in a form of its own, so that no answer takes the place of one before.
    await askAgain(`${view.path}?limit=${n}`, [`X-API-Key: ${key}`]);
    left.push(...(await inMemory()));
    expectStatus(await at.owner.patch(view.api, { cacheSeconds: n }), 200);
  }
  expect(left).toHaveLength(20);
  // The last ones may hang on connections that have heard of nothing else yet.
  await waitFor(async () => {
    await ask('/public/views/nobody/data');
    liveHeap();
    return left.every((each) => each.deref() === undefined) ? true : undefined;
  }, 30_000);
});
