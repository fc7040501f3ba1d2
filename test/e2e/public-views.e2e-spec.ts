import { beforeAll, describe, expect, it } from '@jest/globals';
import { StructurePurge } from '../../src/modules/tables/purge/structure-purge.js';
import {
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Answer,
  type ProblemBody,
  type Row,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}

let pair: TestDatabases;
let app: TestApp;
let at: World;

beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
  for (const [name, qty, status, notes] of [
    ['Anna', 3, 'open', 'secret a'],
    ['Berta', 1, 'won', 'secret b'],
    ['=Clara', 2, 'open', 'secret c'],
    ['', -4, 'lost', 'secret d'],
  ])
    await at.owner.post<Row>(`/tables/${at.table.id}/rows`, {
      fields: { name, qty, status, notes, amount: `${qty}.50` },
    });
}, 120_000);

let made = 0;
interface Published {
  readonly viewId: string;
  readonly slug: string;
  read(query?: string, headers?: Record<string, string>): Promise<Answer<Page>>;
}
const published = async (definition: object, settings: object = {}): Promise<Published> => {
  const body = { name: `View ${(made += 1)}`, definition: { source: { table: at.table.id }, ...definition } };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const answer = await at.owner.post<{ slug: string }>(`/views/${id}/api`, { auth: 'public', ...settings });
  const { slug } = expectStatus(answer, 201);
  const read: Published['read'] = (query = '', headers) =>
    client(app.base).get<Page>(`/public/views/${slug}/data${query}`, headers);
  return { viewId: id, slug, read };
};
const refused = (answer: Answer<unknown>): readonly unknown[] => {
  const { status, code, errors } = answer.body as ProblemBody;
  return [status, code, ...(errors ?? []).map(({ code: finding }) => finding)];
};
const shown = { columns: ['name', 'qty'], sort: [{ field: 'qty' }] };

describe('reading a published view', () => {
  it('gives flat rows with what is published and nothing else, page by page', async () => {
    const view = await published({ ...shown, filter: { field: 'status', op: 'neq', value: 'lost' } }, { maxLimit: 2 });
    const answer = await view.read();
    const { data, page } = expectStatus(answer, 200);
    expect(data).toEqual([
      { name: 'Berta', qty: 1 },
      { name: '=Clara', qty: 2 },
    ]);
    expect(page).toEqual({ limit: 2, nextCursor: expect.any(String) });
    const next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1] ?? '';
    const last = expectStatus(await client(app.base).get<Page>(next), 200);
    expect(last).toEqual({ data: [{ name: 'Anna', qty: 3 }], page: { limit: 2 } });
    expect(expectStatus(await view.read(`?cursor=${page.nextCursor ?? ''}`), 200)).toEqual(last);
  });

  it('writes CSV and one object a line, by format or by Accept', async () => {
    const view = await published({ columns: ['name', 'amount', 'status'], sort: [{ field: 'qty' }] });
    const csv = 'name,amount,status\r\n"",-4.50,lost\r\nBerta,1.50,won\r\n\'=Clara,2.50,open\r\nAnna,3.50,open\r\n';
    const lines =
      '{"name":"","amount":"-4.50","status":"lost"}\n{"name":"Berta","amount":"1.50","status":"won"}\n' +
      '{"name":"=Clara","amount":"2.50","status":"open"}\n{"name":"Anna","amount":"3.50","status":"open"}\n';
    const told = ({ text, headers }: Answer<unknown>) => [text, headers.get('content-type')];
    for (const answer of [
      await view.read('?format=csv'),
      await view.read('', { accept: 'text/csv, application/json;q=0.5' }),
    ])
      expect(told(answer)).toEqual([csv, 'text/csv; charset=utf-8']);
    for (const answer of [await view.read('?format=ndjson'), await view.read('', { accept: 'application/x-ndjson' })])
      expect(told(answer)).toEqual([lines, 'application/x-ndjson; charset=utf-8']);
    expect((await view.read('?format=json', { accept: 'text/csv' })).headers.get('content-type')).toMatch(
      /^application\/json/,
    );
    expect((await view.read('?format=xml')).status).toBe(422);
  });

  it('takes declared filters and orders only, and refuses hidden columns in the words for those that do not exist', async () => {
    const view = await published(
      { ...shown, columns: ['name', 'qty', 'amount'] },
      { filterable: ['qty'], sortable: ['qty'] },
    );
    const names = async (query: string) => expectStatus(await view.read(query), 200).data.map(({ name }) => name);
    expect(await names('?filter=qty.gte.2&sort=-qty')).toEqual(['Anna', '=Clara']);
    expect(await names('?filter=or(qty.eq.1,not(qty.lt.3))')).toEqual(['Berta', 'Anna']);
    const filters = (field: string) => [
      ...[`${field}.eq.1`, `${field}.isNull`, `not(${field}.isNull)`, `or(qty.gte.0,${field}.gt.1)`],
      ...[`qty.gt.{${field}}`, `and(qty.gte.0,not(or(qty.eq.1,${field}.isNotNull)))`],
    ];
    for (const filter of filters('notes')) {
      const wordsOf = async (field: string) => {
        const answer = await view.read(`?filter=${encodeURIComponent(filter.replace('notes', field))}`);
        expect(refused(answer)).toEqual([422, 'filter_invalid', 'not_filterable']);
        return JSON.stringify((answer.body as unknown as ProblemBody).errors).replaceAll(field, '…');
      };
      const words = await wordsOf('notes');
      // Shown and not declared, hidden, without meaning: all the same.
      for (const field of ['amount', 'status', 'nothing', 'deals']) expect(await wordsOf(field)).toBe(words);
    }
    for (const sort of ['name', 'notes', '-nothing', 'qty,status'])
      expect(refused(await view.read(`?sort=${sort}`))).toEqual([422, 'sort_invalid', 'not_sortable']);
    expect((await view.read('?filter=some(company,name.eq.x)')).status).toBe(422);
    expect((await view.read('?filter=deals.qty.eq.1')).status).toBe(422);
  });

  it('is widened by nothing', async () => {
    const view = await published(shown, { maxLimit: 3 });
    for (const query of [
      ...['fields=notes', 'include=status', 'expand=company', 'search=secret', 'count=exact', 'tz=UTC', 'trashed=true'],
      ...[
        'limit=4',
        'limit=0',
        'limit=-1',
        'limit=x',
        'limit=1e3',
        'groupBy=notes',
        'as=x',
        '__proto__=x',
        'filter[a]=1',
      ],
    ])
      expect([query, (await view.read(`?${query}`)).status]).toEqual([query, 422]);
    expect(refused(await view.read('?filter='))).toEqual([400, 'invalid_syntax', 'invalid_syntax']);
    expect(refused(await view.read('?cursor=abc'))).toEqual([400, 'cursor_invalid']);
    for (const method of ['POST', 'PATCH', 'DELETE', 'PUT'])
      expect((await client(app.base).call(method, `/public/views/${view.slug}/data`, {})).status).toBe(404);
  });

  it('does not lead from one view to another by a cursor', async () => {
    const [one, other] = [
      await published(shown),
      await published({ columns: ['qty', 'notes'], sort: [{ field: 'qty' }] }),
    ];
    const { page } = expectStatus(await one.read('?limit=1'), 200);
    const { page: next } = expectStatus(await other.read('?limit=1'), 200);
    expect(page.nextCursor).not.toContain('Anna');
    expect(expectStatus(await one.read(`?limit=1&cursor=${page.nextCursor ?? ''}`), 200).data).toHaveLength(1);
    expect(next.nextCursor).toBeDefined();
    const filtered = await published({ ...shown, filter: { field: 'qty', op: 'gt', value: 0 } });
    expect(refused(await filtered.read(`?cursor=${page.nextCursor ?? ''}`))).toEqual([400, 'cursor_mismatch']);
  });

  it('is the same 404 for what never was, what is disabled, deleted, or ended', async () => {
    const words = (answer: Answer<unknown>) => ({
      ...(answer.body as ProblemBody),
      instance: undefined,
      requestId: undefined,
      headers: [...answer.headers.keys()].filter((name) => name !== 'content-length'),
    });
    const nothing = words(await client(app.base).get('/public/views/nothing-here/data'));
    expect(nothing).toMatchObject({ status: 404, code: 'not_found' });
    const [disabled, deleted, ended] = [await published(shown), await published(shown), await published(shown)];
    for (const view of [disabled, deleted, ended]) expectStatus(await view.read(), 200);
    expectStatus(await at.owner.patch(`/views/${disabled.viewId}/api`, { enabled: false }), 200);
    expect((await at.owner.del(`/views/${deleted.viewId}`)).status).toBe(204);
    expect((await at.owner.del(`/views/${ended.viewId}/api`)).status).toBe(204);
    for (const view of [disabled, deleted, ended]) expect(words(await view.read())).toEqual(nothing);
    expectStatus(await at.owner.patch(`/views/${disabled.viewId}/api`, { enabled: true }), 200);
    expectStatus(await disabled.read(), 200);
  });

  it('goes on as it was published, whatever becomes of the view, and says so when it cannot', async () => {
    const table = await at.owner.post<{ id: string; columns: { id: string; key: string }[] }>(
      `/bases/${at.base.id}/tables`,
      {
        name: 'Shifting',
        columns: [
          { name: 'Name', type: 'text' },
          { name: 'Hidden', type: 'text' },
        ],
      },
    );
    const { id, columns } = expectStatus(table, 201);
    expectStatus(await at.owner.post(`/tables/${id}/rows`, { fields: { name: 'a', hidden: 'x' } }), 201);
    const source = { table: id };
    const view = await published({ source, filter: { field: 'hidden', op: 'eq', value: 'x' }, columns: ['name'] });
    const data = async () => expectStatus(await view.read(), 200).data;
    expect(await data()).toEqual([{ name: 'a' }]);
    expectStatus(await at.owner.patch(`/views/${view.viewId}`, { definition: { source } }), 200);
    expectStatus(await at.owner.post(`/tables/${id}/columns`, { name: 'Later', type: 'text' }), 201);
    expect(await data()).toEqual([{ name: 'a' }]);
    const hidden = columns.find(({ key }) => key === 'hidden')?.id ?? '';
    expectStatus(await at.owner.del(`/tables/${id}/columns/${hidden}`), 204);
    const broken = await view.read();
    expect(refused(broken)).toEqual([409, 'view_broken']);
    expect(broken.text).not.toMatch(/hidden|later|definition/i);
  });

  it('never shows a column that has the key of one that was published, and came later', async () => {
    const made = await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, {
      name: 'Renewed',
      columns: [{ name: 'Name', type: 'text' }],
    });
    const { id } = expectStatus(made, 201);
    const body = { name: 'All of it', definition: { source: { table: id } } };
    const view = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
    const note = { name: 'Note', type: 'text' };
    const first = expectStatus(await at.owner.post<{ id: string }>(`/tables/${id}/columns`, note), 201);
    const answer = await at.owner.post<{ url: string }>(`/views/${view.id}/api`, { auth: 'public' });
    const { url } = expectStatus(answer, 201);
    expectStatus(await at.owner.post(`/tables/${id}/rows`, { fields: { name: 'a', note: 'told' } }), 201);
    const read = () => client(app.base).get<Page>(url);
    expect(expectStatus(await read(), 200).data).toEqual([{ name: 'a', note: 'told' }]);
    expectStatus(await at.owner.del(`/tables/${id}/columns/${first.id}`), 204);
    expectStatus(await at.owner.post(`/tables/${id}/columns`, note), 201);
    expectStatus(await at.owner.post(`/tables/${id}/rows`, { fields: { name: 'b', note: 'secret' } }), 201);
    const broken = await read();
    expect(refused(broken)).toEqual([409, 'view_broken']);
    expect(broken.text).not.toContain('secret');
  });

  it('is not touched by columns that come later to one of its tables, and by another name of a table', async () => {
    const table = async (name: string, columns: readonly object[]) => {
      const answer = await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, { name, columns });
      return expectStatus(answer, 201).id;
    };
    const [deals, firms] = [
      await table('Dealings', [{ name: 'Firm', type: 'text' }, { name: 'Stage', type: 'text' }]), // prettier-ignore
      await table('Firms', [{ name: 'Code', type: 'text' }]),
    ];
    expectStatus(await at.owner.post(`/tables/${deals}/rows`, { fields: { firm: 'f', stage: 's' } }), 201);
    expectStatus(await at.owner.post(`/tables/${firms}/rows`, { fields: { code: 'f' } }), 201);
    const view = await published({
      source: { table: deals },
      joins: [{ type: 'inner', source: { table: firms }, on: [{ left: 'firm', right: 'code' }] }],
      filter: { field: 'stage', op: 'eq', value: 's' },
      sort: [{ field: 'stage' }],
      computed: [{ key: 'loud', name: 'Loud', formula: 'UPPER({stage})' }],
    });
    const data = async () => expectStatus(await view.read(), 200).data;
    const rows = [{ firm: 'f', stage: 's', code: 'f', loud: 'S' }];
    expect(await data()).toEqual(rows);
    expectStatus(await at.owner.post(`/tables/${firms}/columns`, { name: 'Stage', type: 'text' }), 201);
    expect(await data()).toEqual(rows);
    expect((await at.owner.del(`/tables/${firms}`)).status).toBe(204);
    const other = await table('Firms', [{ name: 'Code', type: 'text' }]);
    expectStatus(await at.owner.patch(`/tables/${other}`, { name: 'Others' }), 200);
    expectStatus(await at.owner.post<{ key: string }>(`/tables/${firms}/restore`), 200);
    expect(await data()).toEqual(rows);
  });

  it('says that it is broken once the base is purged, and not that something failed', async () => {
    const other = await world(app.base);
    const path = `/workspaces/${other.workspace.id}/views`;
    const definition = { source: { table: other.table.id }, columns: ['name'] };
    const { id } = expectStatus(await other.owner.post<{ id: string }>(path, { name: 'Purged', definition }), 201);
    const { url } = expectStatus(await other.owner.post<{ url: string }>(`/views/${id}/api`, { auth: 'public' }), 201);
    expectStatus(await client(app.base).get(url), 200);
    expect((await other.owner.del(`/bases/${other.base.id}`)).status).toBe(204);
    await sql(pair.main, `update bases set deleted_at = now() - interval '31 days' where id = $1`, [other.base.id]);
    await app.app.get(StructurePurge).sweep();
    const answers = [await client(app.base).get(url), await client(app.base).get(url)];
    expect(answers.map(refused)).toEqual([
      [409, 'view_broken'],
      [409, 'view_broken'],
    ]);
  });

  it('may be groups, filtered and sorted as declared', async () => {
    const view = await published(
      { groupBy: [{ field: 'status' }], aggregates: [{ as: 'n', fn: 'count' }], sort: [{ field: 'status' }] },
      { filterable: ['n'], sortable: ['n'] },
    );
    expect(expectStatus(await view.read(), 200).data).toEqual([
      { status: 'open', n: 2 },
      { status: 'won', n: 1 },
      { status: 'lost', n: 1 },
    ]);
    expect(expectStatus(await view.read('?filter=n.gt.1'), 200).data).toEqual([{ status: 'open', n: 2 }]);
    expect((await view.read('?format=csv&sort=-n')).text).toMatch(/^status,n\r\nopen,2\r\n/);
    expect(refused(await view.read('?filter=status.eq.open'))).toEqual([422, 'filter_invalid', 'not_filterable']);
  });
});

describe('the page about a published view', () => {
  it('is there where it is allowed, holds nothing of the view, and runs nothing but its own', async () => {
    const [without, view, locked] = [
      await published(shown),
      await published(shown, { page: true }),
      await published(shown, { page: true, auth: 'key' }),
    ];
    expect((await client(app.base).get(`/public/views/${without.slug}`)).status).toBe(404);
    for (const { slug } of [view, locked]) {
      const { status, text, headers } = await client(app.base).get(`/public/views/${slug}`);
      expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(text).not.toMatch(/qty|View \d/i);
      const policy = headers.get('content-security-policy') ?? '';
      const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? 'none';
      expect(policy).toContain("default-src 'none'");
      expect(text.split(`nonce="${nonce}"`)).toHaveLength(3);
      expect(text.match(/<(?:script|style)\b/g)).toHaveLength(2);
      expect(text).not.toMatch(/innerHTML|\bon\w+="/);
    }
  });
});

describe('who calls a published view', () => {
  it('may be a page of the origins that are named, and of no other', async () => {
    const [none, some, all] = [
      await published(shown),
      await published(shown, { corsOrigins: ['https://www.example.com'] }),
      await published(shown, { corsOrigins: ['*'] }),
    ];
    const allowed = async (view: Published, origin: string) => {
      const headers = { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-api-key' };
      const preflight = await client(app.base).call('OPTIONS', `/public/views/${view.slug}/data`, undefined, headers);
      const answers = [await view.read('', { origin }), await view.read('?limit=0', { origin }), preflight];
      expect(answers.map(({ status }) => status)).toEqual([200, 422, 204]);
      expect(answers.map((answer) => answer.headers.get('access-control-allow-credentials'))).toEqual([
        null,
        null,
        null,
      ]);
      return [...new Set(answers.map((answer) => answer.headers.get('access-control-allow-origin')))];
    };
    expect(await allowed(none, 'https://www.example.com')).toEqual([null]);
    expect(await allowed(some, 'https://www.example.com')).toEqual(['https://www.example.com']);
    expect(await allowed(some, 'https://evil.example.com')).toEqual([null]);
    expect(await allowed(all, 'https://evil.example.com')).toEqual(['*']);
    expect((await some.read()).headers.get('vary')).toMatch(/Origin/);
  });

  it('may call as often as the publication says, each address by itself', async () => {
    const view = await published(shown, { rateLimit: { limit: 3, windowSeconds: 3600 } });
    const answers = [await view.read(), await view.read('?limit=0'), await view.read(), await view.read()];
    expect(answers.map(({ status }) => status)).toEqual([200, 422, 200, 429]);
    expect(answers[3]?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"public";q=3;w=3600');
    expectStatus(await (await published(shown)).read(), 200);
  });
});
