import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  asSuperuser,
  databases,
  expectStatus,
  startApp,
  tcpProxy,
  waitFor,
  world,
  type Answer,
  type ProblemBody,
  type Row,
  type World,
} from '../harness/index.js';

interface Page {
  readonly data: readonly { readonly fields: Readonly<Record<string, unknown>> }[];
  readonly page: { readonly nextCursor?: string };
  readonly meta: { readonly tier: string };
}

let at: World;
let stranger: World;
let shop: string;
let connectTo: (name: string) => Promise<string>;
let proxy: Awaited<ReturnType<typeof tcpProxy>>;

const preview = (definition: object, page: object = {}, as = at) =>
  as.owner.post<Page & ProblemBody>(`/workspaces/${as.workspace.id}/views/preview`, { definition, page });
const refused = ({ status, body }: Answer<ProblemBody>) => [
  status,
  body.code,
  ...(body.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`),
];
const joined = (object: string, on: { readonly left: string; readonly right: string }, more: object = {}) => ({
  source: { table: at.table.id },
  as: 'd',
  joins: [{ type: 'left', as: 'c', source: { connection: shop, object }, on: [on] }],
  ...more,
});

beforeAll(async () => {
  const [{ base }, { main }] = await Promise.all([
    startApp({ env: { JOIN_MAX_ROWS: '30' } }),
    databases({ migrated: false }),
  ]);
  await asSuperuser(main.database, (db) =>
    db.query(`
      create table seen (id integer primary key, who text, at timestamptz);
      insert into seen select g, case when g % 2 = 0 then 'nobody' end, timestamptz '2026-01-01 00:00:00Z' + g * interval '111 microseconds' from generate_series(1, 20) g;
      create table many (id integer primary key, who text);
      insert into many select g, 'a' from generate_series(1, 31) g;
      create table strange (id integer primary key, n numeric, d date, t timestamptz);
      insert into strange values (1, 'NaN', 'infinity', '-infinity'), (2, 1e40, '0044-03-15 BC', '294276-01-01Z'), (3, 1.5, '2026-01-01', '2026-01-01Z'), (4, null, null, null);
      create table named (id integer primary key, "größe, 价格" text, "in ""quotes""" integer);
      insert into named values (1, 'plain', 5), (2, 'plän', null);
      grant select on all tables in schema public to public;
    `),
  );
  [at, stranger] = await Promise.all([world(base), world(base)]);
  proxy = await tcpProxy({ host: main.host, port: main.port });
  const { database, username, password } = main;
  connectTo = async (name) => {
    const connection = {
      name,
      engine: 'postgresql',
      host: '127.0.0.1',
      port: proxy.port,
      database,
      username,
      password,
    };
    const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, connection);
    return expectStatus(made, 201).id;
  };
  shop = await connectTo('The shop');
  expectStatus(await at.owner.post<Row>(`/tables/${at.table.id}/rows`, { fields: { name: 'a' } }), 201);
}, 120_000);

describe('the sources of a view', () => {
  it('are those of the workspace alone', async () => {
    const table = { source: { table: at.table.id } };
    expect(refused(await preview(table, {}, stranger))).toEqual([422, 'validation_failed', '/definition/source/table unknown_table']); // prettier-ignore
    const object = { source: { connection: shop, object: 'public.seen' } };
    expect(refused(await preview(object, {}, stranger))).toEqual([422, 'validation_failed', '/definition/source/connection unknown_connection']); // prettier-ignore
  });

  it('may hold texts where ids are looked for, and find nothing by them', async () => {
    const definition = {
      source: { connection: shop, object: 'public.seen' },
      as: 'c',
      joins: [{ type: 'left', as: 'd', source: { table: at.table.id }, on: [{ left: 'c.who', right: 'd._id' }] }],
      columns: ['c.id', 'd.name'],
    };
    const { data, meta } = expectStatus(await preview(definition, { limit: 3 }), 200);
    expect(meta.tier).toBe('lookup-join');
    expect(data.map(({ fields }) => fields)).toEqual([1, 2, 3].map((id) => ({ id, name: null })));
  });

  it('are paged through by instants finer than ours without losing a row', async () => {
    const definition = {
      source: { connection: shop, object: 'public.seen' },
      as: 'c',
      joins: [{ type: 'left', as: 'd', source: { table: at.table.id }, on: [{ left: 'c.who', right: 'd.name' }] }],
      sort: [{ field: 'c.at', dir: 'desc' }],
      columns: ['c.id', 'c.at'],
    };
    const ids: unknown[] = [];
    for (let cursor: string | undefined, i = 0; i < 30; i++) {
      const page = expectStatus(await preview(definition, { limit: 3, ...(cursor ? { cursor } : {}) }), 200);
      expect(page.meta.tier).toBe('join-engine');
      ids.push(...page.data.map(({ fields }) => fields.id));
      if ((cursor = page.page.nextCursor) === undefined) break;
    }
    expect(ids.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('may hold what no column of ours can, which formulas take for an error wherever they are computed', async () => {
    const definition = {
      source: { connection: shop, object: 'public.strange' },
      as: 'c',
      computed: [
        { key: 'more', formula: 'IFERROR({n} + 1, -1)' },
        { key: 'year', formula: 'IFERROR(YEAR({d}), -1)' },
        { key: 'hour', formula: 'IFERROR(HOUR({t}), -1)' },
      ],
      columns: ['id', 'more', 'year', 'hour'],
    };
    const shown = expectStatus(await preview({ ...definition, sort: [{ field: 'id', dir: 'asc' }] }), 200);
    const sort = ['more', 'year', 'hour', 'id'].map((field) => ({ field, dir: 'desc' }));
    const sorted = expectStatus(await preview({ ...definition, sort }), 200);
    expect([shown.meta.tier, sorted.meta.tier]).toEqual(['push-down', 'join-engine']);
    expect(sorted.data.map(({ fields }) => fields.id)).toEqual([3, 2, 1, 4]);
    expect(sorted.data.toSorted((a, b) => Number(a.fields.id) - Number(b.fields.id))).toEqual(shown.data);
    expect(shown.data[0]?.fields).toEqual({ id: 1, more: '-1', year: -1, hour: -1 });
  });

  it('may call their columns what they like, also where rows are put together here', async () => {
    const of = (id: number) => ({
      source: { connection: shop, object: 'public.named' },
      as: 'c',
      joins: [
        { type: 'left', as: 'd', source: { table: at.table.id }, on: [{ left: 'c.größe, 价格', right: 'd.name' }] },
      ],
      filter: { field: 'c.id', op: 'eq', value: id },
      sort: [{ field: 'd.name', dir: 'asc' }],
      columns: ['c.größe, 价格', 'c.in "quotes"'],
    });
    for (const [id, size, quoted] of [
      [1, 'plain', 5],
      [2, 'plän', null],
    ] as const) {
      const { data, meta } = expectStatus(await preview(of(id)), 200);
      expect(meta.tier).toBe('join-engine');
      expect(data).toEqual([{ fields: { 'größe, 价格': size, 'in "quotes"': quoted } }]);
    }
  });

  it('are joined for many at once, some after the others', async () => {
    const definition = joined(
      'public.seen',
      { left: 'd.name', right: 'c.who' },
      { sort: [{ field: 'c.id', dir: 'asc' }] },
    );
    const answers = await Promise.all(Array.from({ length: 8 }, () => preview(definition)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.meta.tier))).toEqual(new Set(['join-engine']));
  });

  it('are copied up to a limit, and refused beyond it with what was reached', async () => {
    const definition = joined(
      'public.many',
      { left: 'd.name', right: 'c.who' },
      { sort: [{ field: 'c.id', dir: 'asc' }] },
    );
    const answer = await preview(definition);
    expect(refused(answer)).toEqual([422, 'join_too_large']);
    expect(answer.body.detail).toMatch(/31 rows .* 30 rows/);
  });

  it('hold up nobody else when a view of them is stored under a key and they take their time', async () => {
    const connection = await connectTo('Slow');
    const definition = { source: { connection, object: 'public.seen' }, as: 's' };
    const store = (name: string) =>
      at.owner.post(`/workspaces/${at.workspace.id}/views`, { name, definition }, { 'Idempotency-Key': name });
    proxy.swallow();
    let answered = 0;
    const all = Array.from({ length: 12 }, async (_, i) => {
      const { status } = await store(`slow ${i}`);
      answered++;
      return status;
    });
    await waitFor(async () => refused((await store('slow 0')) as Answer<ProblemBody>)[1] === 'idempotency_in_progress');
    const made = await at.owner.post('/workspaces', { name: 'Unhindered' }, { 'Idempotency-Key': 'meanwhile' });
    expect([made.status, answered]).toEqual([201, 0]);
    await proxy.mend();
    await Promise.all(all);
    expectStatus(await store('afterwards'), 201);
    const again = await store('afterwards');
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  });

  it('are named when they cannot be reached', async () => {
    await proxy.cut();
    const definition = joined(
      'public.seen',
      { left: 'd.name', right: 'c.who' },
      { sort: [{ field: 'c.id', dir: 'asc' }] },
    );
    const { status, body } = await preview(definition);
    expect([status, body.code, (body as { source?: object }).source]).toEqual([
      502,
      'source_unreachable',
      { connection: shop, name: 'The shop' },
    ]);
    expect(body.detail).toMatch(/^The shop: /);
  });
});
