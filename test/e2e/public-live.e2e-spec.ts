import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  startNode,
  waitFor,
  world,
  type Answer,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string };
  readonly paths: Record<string, { get: { parameters: { name: string }[]; responses: Record<string, unknown> } }>;
  readonly components: {
    readonly schemas: {
      readonly Row: { readonly required: string[]; readonly properties: object; readonly example: object };
    };
    readonly securitySchemes?: object;
  };
}

let pair: TestDatabases;
let app: TestApp;
let at: World;

beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
  await row({ name: 'Anna', qty: 1, status: 'open', notes: 'secret' });
}, 120_000);

const row = async (fields: object): Promise<string> =>
  expectStatus(await at.owner.post<{ id: string }>(`/tables/${at.table.id}/rows`, { fields }), 201).id;

let made = 0;
interface Published {
  readonly viewId: string;
  readonly path: string;
  readonly api: string;
  key(over?: object): Promise<{ readonly id: string; readonly key: string }>;
}
const published = async (definition: object = {}, settings: object = {}): Promise<Published> => {
  const source = { table: at.table.id };
  const body = { name: `View ${(made += 1)}`, definition: { source, columns: ['name', 'qty'], ...definition } };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const api = `/views/${id}/api`;
  const { slug } = expectStatus(await at.owner.post<{ slug: string }>(api, settings), 201);
  const key: Published['key'] = async (over = {}) =>
    expectStatus(await at.owner.post<{ id: string; key: string }>(`${api}/keys`, { name: 'Key', ...over }), 201);
  return { viewId: id, path: `/public/views/${slug}`, api, key };
};

interface Event {
  readonly id: string;
  readonly data: Page;
}
interface Stream {
  readonly status: number;
  readonly text: () => string;
  readonly events: () => readonly Event[];
  readonly ended: Promise<void>;
  close(): void;
}
/** Server-sent events as a browser reads them. */
async function follow(path: string, headers: Record<string, string> = {}, base = app.base): Promise<Stream> {
  const control = new AbortController();
  const response = await fetch(base + path, { headers, signal: control.signal });
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  };
  const events = (): Event[] =>
    text.split('\n\n').flatMap((block) => {
      const lines = block.split('\n');
      const of = (name: string) =>
        lines.flatMap((line) => (line.startsWith(`${name}: `) ? line.slice(name.length + 2) : []));
      return of('event')[0] !== 'data'
        ? []
        : [{ id: of('id')[0] ?? '', data: JSON.parse(of('data').join('\n')) as Page }];
    });
  const ended = read().catch(() => undefined);
  return { status: response.status, text: () => text, events, ended, close: () => control.abort() };
}
/** Statements that wait for a lock. */
const locked = async (): Promise<number> => {
  const text = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await sql<{ n: number }>(pair.mini, text))[0]?.n ?? 0;
};
const shown = (stream: Stream) => stream.events().map(({ data }) => data.data.map(({ name }) => name));
const has = (stream: Stream, name: string) => waitFor(() => shown(stream).at(-1)?.includes(name));

describe('the stream of a published view', () => {
  it('begins with the page as it is, sends it again when it has changed, and goes on where it broke off', async () => {
    const { path } = await published({ sort: [{ field: 'qty' }] }, { auth: 'public', filterable: ['qty'] });
    const stream = await follow(`${path}/stream`);
    await has(stream, 'Anna');
    await row({ name: 'Berta', qty: 5 });
    await has(stream, 'Berta');
    expect(Object.keys(stream.events().at(-1)?.data.data[0] ?? {})).toEqual(['name', 'qty']);
    stream.close();
    const { id } = stream.events().at(-1) ?? { id: '' };
    const etag = (await client(app.base).get(`${path}/stream`.replace('stream', 'data'))).headers.get('etag');
    expect(etag).toBe(`W/"${id}"`);
    const resumed = await follow(`${path}/stream`, { 'last-event-id': id });
    await waitFor(() => resumed.text().includes('retry'));
    await row({ name: 'Clara', qty: 6 });
    await has(resumed, 'Clara');
    expect(shown(resumed)).toHaveLength(1);
    resumed.close();
    const filtered = await follow(`${path}/stream?filter=qty.gte.6&limit=1`);
    await has(filtered, 'Clara');
    expect(shown(filtered)).toEqual([['Clara']]);
    filtered.close();
  });

  it('asks for what a page may be asked for, and is refused as one', async () => {
    const view = await published();
    expect((await follow(`${view.path}/stream`)).status).toBe(401);
    const { key } = await view.key();
    for (const query of ['filter=qty.eq.1', 'sort=qty', 'limit=1000', 'cursor=x', 'format=csv', 'fields=notes'])
      expect([query, (await follow(`${view.path}/stream?${query}`, { 'x-api-key': key })).status]).toEqual([
        query,
        422,
      ]);
    expect((await client(app.base).call('HEAD', `${view.path}/stream`, undefined, { 'x-api-key': key })).status).toBe(
      200,
    );
    expect((await follow('/public/views/nothing-here/stream')).status).toBe(404);
  });

  it('says once that there is nothing to show any more, and goes on when there is again', async () => {
    const columns = `/tables/${at.table.id}/columns`;
    const extra = await at.owner.post<{ id: string }>(columns, { name: 'Passing secret', type: 'text' });
    const { id, key } = { key: 'passing_secret', ...expectStatus(extra, 201) };
    const { path } = await published({ columns: ['name', key] }, { auth: 'public' });
    const stream = await follow(`${path}/stream`);
    await has(stream, 'Anna');
    const problems = () => stream.text().split('event: problem').length - 1;
    expectStatus(await at.owner.del(`${columns}/${id}`), 204);
    await waitFor(() => problems() === 1);
    const told = /event: problem\ndata: (.*)\n\n/.exec(stream.text())?.[1] ?? '';
    const refused = await client(app.base).get<object>(`${path}/data`);
    expect(expectStatus(refused, 409)).toMatchObject(JSON.parse(told) as object);
    expect(told).toContain('"code":"view_broken"');
    expect(told).not.toMatch(/passing/i);
    await row({ name: 'Dora', qty: 7 });
    const pages = () => stream.text().split('event: data').length - 1;
    const before = pages();
    expectStatus(await at.owner.post(`${columns}/${id}/restore`), 200);
    await waitFor(() => pages() === before + 1);
    expect(shown(stream).at(-1)).toContain('Dora');
    expect(problems()).toBe(1);
    stream.close();
  });

  it('ends with the key, and with the publication, and shows each key its rows', async () => {
    const view = await published();
    const [one, other] = [await view.key({ columns: ['name'] }), await view.key()];
    const [first, second] = [
      await follow(`${view.path}/stream`, { 'x-api-key': one.key }),
      await follow(`${view.path}/stream`, { authorization: `Bearer ${other.key}` }),
    ];
    await Promise.all([has(first, 'Anna'), has(second, 'Anna')]);
    expect(first.text()).not.toContain('qty');
    expect((await at.owner.del(`${view.api}/keys/${one.id}`)).status).toBe(204);
    await first.ended;
    await row({ name: 'Dora', qty: 7 });
    await has(second, 'Dora');
    expectStatus(await at.owner.patch(view.api, { enabled: false }), 200);
    await second.ended;
  });

  it('leaves no place taken by readers who went away before there was anything to send', async () => {
    const node = await startNode({ databases: pair });
    const { path } = await published({}, { auth: 'public' });
    const { schema, table } = at.table.physical;
    await asSuperuser(pair.mini.database, async (db) => {
      await db.query(`begin; lock table "${schema}"."${table}" in access exclusive mode`);
      const control = new AbortController();
      const asked = Array.from({ length: 20 }, () =>
        fetch(`${node.base}${path}/stream`, { signal: control.signal }).catch(() => 'gone'),
      );
      await waitFor(async () => (await locked()) > 0);
      control.abort();
      expect(new Set(await Promise.all(asked))).toEqual(new Set(['gone']));
      await db.query('rollback');
    });
    await waitFor(async () => {
      const streams = await Promise.all(Array.from({ length: 20 }, () => follow(`${path}/stream`, {}, node.base)));
      for (const stream of streams) stream.close();
      return streams.every(({ status }) => status === 200);
    });
  });

  it('is open as often as is allowed, and ends when the server does', async () => {
    const node = await startNode({ databases: pair });
    const { path } = await published({}, { auth: 'public' });
    const streams = await Promise.all(Array.from({ length: 21 }, () => follow(`${path}/stream`, {}, node.base)));
    expect(streams.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 20 }, () => 200), 429]);
    const ending = node.term();
    await Promise.all(streams.map(({ ended }) => ended));
    expect((await ending).code).toBe(0);
  });
});

describe('the document of a published view', () => {
  it('has the types of its columns, what may be asked, and nothing that is hidden', async () => {
    const view = await published(
      { columns: ['name', 'qty', 'amount', 'due', 'status'], filter: { field: 'notes', op: 'isNotNull' } },
      { filterable: ['qty', 'status'], sortable: ['qty'], maxLimit: 20 },
    );
    const { path } = view;
    expect((await client(app.base).get(`${path}/openapi.json`)).status).toBe(401);
    const [all, part] = [await view.key(), await view.key({ columns: ['name'] })];
    const read = async ({ key: secret }: { readonly key: string }) =>
      expectStatus(await client(app.base).get<Document>(`${path}/openapi.json`, { 'x-api-key': secret }), 200);
    const document = await read(all);
    expect(document.openapi).toMatch(/^3\.1/);
    expect(document.components.schemas.Row).toEqual({
      type: 'object',
      required: ['name', 'qty', 'amount', 'due', 'status'],
      additionalProperties: false,
      properties: {
        name: { title: 'Name', anyOf: [{ type: 'string' }, { type: 'null' }] },
        qty: { title: 'Qty', anyOf: [expect.objectContaining({ type: 'integer' }), { type: 'null' }] },
        amount: { title: 'Amount', anyOf: [expect.objectContaining({ type: 'string' }), { type: 'null' }] },
        due: { title: 'Due', anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] },
        status: { title: 'Status', anyOf: [{ type: 'string', enum: ['open', 'won', 'lost'] }, { type: 'null' }] },
      },
      example: { name: 'text', qty: 3, amount: '12.50', due: '2026-01-31', status: 'open' },
    });
    const { parameters, responses } = document.paths[`${path}/data`]?.get ?? { parameters: [], responses: {} };
    expect(parameters.map(({ name }) => name)).toEqual([
      'limit',
      'cursor',
      'filter',
      'sort',
      'format',
      'If-None-Match',
    ]);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '304', '401', '404', '422', '429']));
    expect(JSON.stringify(document)).not.toMatch(/notes/i);
    expect(JSON.stringify(await read(part))).not.toMatch(/qty|amount|"due"|notes/i);
  });
});

describe('the use of a published view', () => {
  it('tells nothing of how long streams were followed, as if that was slow', async () => {
    const view = await published({}, { auth: 'public' });
    const stream = await follow(`${view.path}/stream`);
    await has(stream, 'Anna');
    stream.close();
    const { total } = await waitFor(async () => {
      const answer = await at.owner.get<{ total: Readonly<Record<string, number | null>> }>(`${view.api}/usage`);
      const usage = expectStatus(answer, 200);
      return usage.total.requests === 1 ? usage : undefined;
    });
    expect(total).toMatchObject({ requests: 1, errors: 0, p50Ms: null, p95Ms: null, p99Ms: null });
    expect(total.rows).toBeGreaterThan(0);
  });

  it('is told by hour and key', async () => {
    const view = await published();
    const key = await view.key({ name: 'Site' });
    const read = (headers: Record<string, string> = {}): Promise<Answer<Page>> =>
      client(app.base).get<Page>(`${view.path}/data`, { 'x-api-key': key.key, ...headers });
    const first = await read();
    const rows = expectStatus(first, 200).data.length;
    expectStatus(await read(), 200);
    expect((await read({ 'if-none-match': first.headers.get('etag') ?? '' })).status).toBe(304);
    expect((await read({ 'x-api-key': 'wrong' })).status).toBe(401);
    const told = await waitFor(async () => {
      const usage = expectStatus(
        await at.owner.get<{ total: { requests: number }; data: object[] }>(`${view.api}/usage`),
        200,
      );
      return usage.total.requests === 4 ? usage : undefined;
    });
    const counts = { rows: 2 * rows, bytes: 2 * Buffer.byteLength(first.text) };
    expect(told.total).toMatchObject({ requests: 4, notModified: 1, cacheHits: 2, errors: 1, ...counts });
    const of = (name: string | null) =>
      told.data.filter((each) => (each as { keyName: string | null }).keyName === name);
    expect(of('Site').reduce((sum: number, each) => sum + (each as { requests: number }).requests, 0)).toBe(3);
    expect(of(null)).toEqual([
      expect.objectContaining({ keyId: null, requests: 1, errors: 1, p95Ms: expect.any(Number) }),
    ]);
    expect((await at.owner.get(`${view.api}/usage?hours=0`)).status).toBe(422);
    // Once within an hour it is in the audit log, too.
    const url = `/workspaces/${at.workspace.id}/audit-logs?action=api_key.used&resourceId=${key.id}`;
    const { data } = expectStatus(await at.owner.get<{ data: object[] }>(url), 200);
    expect(data.slice(1).length).toBeLessThanOrEqual(1);
    expect(data[0]).toMatchObject({
      actor: { id: key.id, name: 'Site', via: 'api_key' },
      after: { hour: expect.any(String) },
    });
  });
});
