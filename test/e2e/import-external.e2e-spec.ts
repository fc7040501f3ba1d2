import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  member,
  ownFolder,
  sql,
  startNode,
  tcpProxy,
  waitFor,
  world,
  type Client,
  type ProblemBody,
  type Table,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

jest.setTimeout(120_000);

interface Job {
  readonly id: string;
  readonly tableId: string;
  readonly state: string;
  readonly bytes: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly result: { readonly table?: Table; readonly inference?: readonly object[] } | null;
  readonly problem: ProblemBody | null;
}
interface Row {
  readonly fields: Readonly<Record<string, unknown>>;
}

const ROWS = 3_000;
let pair: TestDatabases;
let shop: TestDatabases['main'];
let at: World;
let node: TestNode;
let options: Parameters<typeof startNode>[0];
let owner: Client;
let connectionId: string;

async function start(): Promise<void> {
  node = await startNode(options);
}

/** Somebody's database, with a column of every kind and nulls in each. */
beforeAll(async () => {
  pair = await databases();
  shop = (await databases({ migrated: false })).main;
  await asSuperuser(shop.database, (db) =>
    db.query(`
      create type mood as enum ('glad', 'sad');
      create table things (
        id bigint primary key, n integer, big bigint, price numeric(12, 2), loose numeric, real8 double precision, ok boolean,
        day date, at timestamptz, local timestamp, title text, code varchar(20), mood mood, uid uuid, span time, raw bytea, doc jsonb, tags text[]);
      insert into things select i, i - 1500, 9007199254740993 + i, i / 7.0, i * 1.25, i / 8.0, i % 2 = 0,
        date '2026-01-01' + i, timestamptz '2026-01-01 00:00:00.123Z' + i * interval '1 minute', timestamp '2026-01-01' + i * interval '1 hour',
        E'Thing, "' || i || E'"\\n ÄÖ 🙂', 'c' || i, case when i % 2 = 0 then 'glad' else 'sad' end::mood, md5(i::text)::uuid,
        time '00:00:00' + i * interval '1 second', decode(lpad(to_hex(i), 8, '0'), 'hex'), jsonb_build_object('i', i, 'list', array[1, i]), array['a,', '"' || i]
      from generate_series(1, ${ROWS - 1}) i;
      insert into things (id) values (${ROWS});
      create table moments (id bigint primary key, at timestamptz, local timestamp, note text);
      insert into moments values (1, '2026-01-01 00:00:00.123456+00', '2026-01-01 00:00:00.9999', '2026-01-01T00:00:00.123456Z');
      create table makers (id bigint primary key, name text);
      insert into makers select i, 'Maker ' || i from generate_series(1, 5) i;
      create table wide (id bigint primary key, body text);
      insert into wide select i, repeat('x', 20000) from generate_series(1, ${ROWS}) i;
      create table empty (id bigint primary key, name text);
      create table twice (id bigint primary key, "Name" text, name text);
      -- Its middle takes two seconds, so that what happens then happens in the middle.
      create table paced (id bigint primary key, name text);
      insert into paced select i, 'Row ' || i from generate_series(1, ${ROWS}) i;
      create function paced(i bigint) returns boolean language plpgsql cost 100000 as
        $$ begin if i between 1500 and 1600 then perform pg_sleep(0.02); end if; return true; end $$;
      alter table paced enable row level security;
      create policy paced on paced using (paced(id));
      grant all on all tables in schema public to live_tables;
      analyze;
    `),
  );
  options = {
    databases: pair,
    env: { DATA_DIR: ownFolder('data'), EXTERNAL_MAX_BYTES: '4194304', RATE_LIMIT_EXTERNAL_LIMIT: '10000' },
  };
  await start();
  at = await world(node.base);
  ({ owner } = at);
  connectionId = await connect();
});

let made = 0;
const name = (): string => `T ${(made += 1)}`;
async function connect({ host, port }: { readonly host: string; readonly port: number } = shop): Promise<string> {
  const { database, username, password } = shop;
  const body = { name: name(), engine: 'postgresql', host, port, database, username, password };
  const path = `/workspaces/${at.workspace.id}/connections`;
  return expectStatus(await at.owner.post<{ id: string }>(path, body), 201).id;
}
const intoBase = (body: object, as = owner) =>
  as.post<Job & ProblemBody>(`/bases/${at.base.id}/import/external`, { connectionId, name: name(), ...body });
const intoTable = (table: Pick<Table, 'id'>, body: object, as = owner) =>
  as.post<Job & ProblemBody>(`/tables/${table.id}/import/external`, { connectionId, ...body });
const newTable = async (columns: readonly object[]): Promise<Table> =>
  expectStatus(await owner.post<Table>(`/bases/${at.base.id}/tables`, { name: name(), columns }), 201);
const over = (id: string): Promise<Job> =>
  waitFor(async () => {
    const job = expectStatus(await owner.get<Job>(`/imports/${id}`), 200);
    return job.state === 'running' ? undefined : job;
  }, 90_000);
const done = async (answer: Awaited<ReturnType<typeof intoBase>>): Promise<Job> => {
  const { id } = expectStatus(answer, 202);
  expect(answer.headers.get('location')).toBe(`/api/v1/imports/${id}`);
  return over(id);
};
const tableCount = async (): Promise<number> =>
  expectStatus(await owner.get<{ data: readonly object[] }>(`/bases/${at.base.id}/tables`), 200).data.length;
async function allRows(path: string, body: object): Promise<Row['fields'][]> {
  const fields: Row['fields'][] = [];
  for (let cursor: string | undefined; ;) {
    const page = { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) };
    const answer = await owner.post<{ data: readonly Row[]; page: { nextCursor?: string } }>(path, { ...body, page });
    const { data, page: next } = expectStatus(answer, 200);
    fields.push(...data.map((row) => row.fields));
    cursor = next.nextCursor;
    if (cursor === undefined) return fields;
  }
}
const refused = ({ body }: { readonly body: ProblemBody }): readonly unknown[] => [
  body.status,
  body.code,
  ...(body.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`),
];

describe('an import from an external database', () => {
  it('keeps the milliseconds of moments that are finer there', async () => {
    const kept = { id: '1', at: '2026-01-01T00:00:00.123Z', local: '2026-01-01T00:00:00.999Z', note: '2026-01-01T00:00:00.123456Z' }; // prettier-ignore
    const query = { from: 'public.moments' };
    const made = await done(await intoBase({ query }));
    expect(made).toMatchObject({ state: 'done', created: 1, problem: null });
    expect(await allRows(`/tables/${made.tableId}/rows/query`, {})).toEqual([kept]);
    const table = await newTable([
      { name: 'At', type: 'datetime' },
      { name: 'Note', type: 'text' },
    ]);
    const job = await done(await intoTable(table, { query: { ...query, fields: ['at', 'note'] } }));
    expect(job).toMatchObject({ state: 'done', created: 1, problem: null });
    expect(await allRows(`/tables/${table.id}/rows/query`, {})).toEqual([{ at: kept.at, note: kept.note }]);
  });

  it('makes a table with the types of the columns there, and every value of every row', async () => {
    const job = await done(await intoBase({ query: { from: 'public.things' } }));
    expect(job).toMatchObject({ state: 'done', created: ROWS, failed: 0, problem: null });
    expect(job.bytes).toBeGreaterThan(ROWS * 100);
    const { columns } = expectStatus(await owner.get<Table>(`/tables/${job.tableId}`), 200);
    const schema = expectStatus(
      await owner.get<{ objects: { name: string; columns: { key: string; type: string; options: object }[] }[] }>(
        `/connections/${connectionId}/schema`,
      ),
      200,
    );
    const things = schema.objects.find((object) => object.name === 'things')?.columns ?? [];
    expect(things.map(({ type }) => type)).toContain('json');
    expect(columns.map((column) => [column.name, column.type])).toEqual(things.map(({ key, type }) => [key, type]));
    expect(columns.find((column) => column.name === 'price')?.options).toEqual({ scale: 2 });
    const keys = new Map(columns.map((column) => [column.key, column.name]));
    const [here, there] = await Promise.all([
      allRows(`/tables/${job.tableId}/rows/query`, { sort: [{ field: columns[0]?.key ?? '' }] }),
      allRows(`/connections/${connectionId}/query`, { from: 'public.things', sort: [{ field: 'id' }] }),
    ]);
    expect(here).toHaveLength(ROWS);
    expect(
      here.map((fields) =>
        Object.fromEntries(Object.entries(fields).map(([key, cell]) => [keys.get(key) ?? key, cell])),
      ),
    ).toEqual(there);
  });

  it('takes the rows and fields that are asked for, joined too, into the columns of a table', async () => {
    const table = await newTable([
      { name: 'Id', type: 'integer' },
      { name: 'Title', type: 'text' },
      { name: 'Maker', type: 'text' },
    ]);
    const query = {
      ...{ from: 'public.things', as: 't' },
      joins: [{ object: 'public.makers', as: 'maker', on: [{ left: 't.id', right: 'maker.id' }] }],
      fields: ['t_id', 'name'],
      filter: { field: 'n', op: 'lte', value: -1497 },
    };
    const refusal = await done(await intoTable(table, { query }));
    expect(refusal).toMatchObject({ state: 'failed', problem: { code: 'import_failed' } });
    const body = { query: { ...query, from: 'public.makers', as: 'm', joins: [], filter: null, fields: ['id'] } };
    expect(await done(await intoTable(table, body))).toMatchObject({ state: 'done', created: 5 });
    const again = await done(await intoTable(table, { ...body, mode: 'upsert', matchOn: ['id'] }));
    expect(again).toMatchObject({ state: 'done', created: 0, unchanged: 5 });
    const joined = await done(await intoBase({ query }));
    expect(joined).toMatchObject({ state: 'done', created: 3 });
    expect(await allRows(`/tables/${joined.tableId}/rows/query`, { sort: [{ field: 't_id' }] })).toEqual(
      [1, 2, 3].map((i) => ({ t_id: String(i), name: `Maker ${i}` })),
    );
  });

  it('goes on past rows that cannot be written where it is told to, and tries without writing', async () => {
    const table = await newTable([{ name: 'Title', type: 'text', options: { maxLength: 22 }, required: true }]);
    const query = { from: 'public.things', fields: ['title'] };
    const trial = await done(await intoTable(table, { query, onError: 'skip', dryRun: true }));
    expect(trial).toMatchObject({ state: 'done', created: ROWS - 1, failed: 1 });
    expect(await allRows(`/tables/${table.id}/rows/query`, {})).toEqual([]);
    const whole = await done(await intoTable(table, { query }));
    expect(whole).toMatchObject({ state: 'failed', created: 0, problem: { code: 'import_failed' } });
    expect(await allRows(`/tables/${table.id}/rows/query`, {})).toEqual([]);
    const skipping = await done(await intoTable(table, { query, onError: 'skip' }));
    expect(skipping).toMatchObject({ state: 'done', created: ROWS - 1, failed: 1 });
  });

  it('reads fewer rows at a time where they are large, and a table without rows as one', async () => {
    const wide = await done(
      await intoBase({ query: { from: 'public.wide', filter: { field: 'id', op: 'lte', value: '700' } } }),
    );
    expect(wide).toMatchObject({ state: 'done', created: 700 });
    const none = await done(await intoBase({ query: { from: 'public.empty' } }));
    expect(none).toMatchObject({ state: 'done', created: 0 });
    expect(expectStatus(await owner.get<Table>(`/tables/${none.tableId}`), 200).columns).toHaveLength(2);
  });

  it('is refused at once where its query is wrong, and says where', async () => {
    const before = await tableCount();
    const wrong: readonly [object, string][] = [
      [{ from: 'public.nothing' }, '/query/from unknown_object'],
      [{ from: 'public.things', fields: ['x'] }, '/query/fields unknown_field'],
      [{ from: 'public.things', page: { limit: 5 } }, '/query/page unknown_property'],
      [{ from: 'public.twice' }, '/query/fields duplicate_field'],
    ];
    for (const [query, finding] of wrong)
      expect(refused(await intoBase({ query }))).toEqual([422, 'validation_failed', finding]);
    const filter = { field: 'n', op: 'sounds_like', value: 1 };
    expect(refused(await intoBase({ query: { from: 'public.things', filter } })).slice(0, 2)).toEqual([
      422,
      'filter_invalid',
    ]);
    expect(refused(await intoBase({ query: { from: 'public.things' }, connectionId: 'x' }))).toEqual([
      422,
      'validation_failed',
      '/connectionId is_id',
    ]);
    expect(await tableCount()).toBe(before);
  });

  it('needs the rights of an import, and a connection of the same workspace', async () => {
    const [editor, viewer] = [await member(at, 'editor'), await member(at, 'viewer')];
    const table = await newTable([{ name: 'Id', type: 'integer' }]);
    const query = { from: 'public.makers', fields: ['id'] };
    expect((await intoTable(table, { query }, viewer)).status).toBe(403);
    expect((await intoBase({ query }, editor)).status).toBe(403);
    expect(await done(await intoTable(table, { query }, editor))).toMatchObject({ state: 'done', created: 5 });
    const other = await world(node.base);
    const path = `/tables/${other.table.id}/import/external`;
    expect(refused(await other.owner.post<ProblemBody>(path, { connectionId, query }))).toEqual([404, 'not_found']);
  });

  it('ends as failed with what the database failed with, and writes nothing, when it dies in the middle', async () => {
    const before = await tableCount();
    const proxy = await tcpProxy(shop);
    const dying = await connect(proxy);
    const table = await newTable([{ name: 'Name', type: 'text' }]);
    const query = { from: 'public.paced', fields: ['name'] };
    // Its schema is known, so that the query is accepted.
    expectStatus(await owner.get(`/connections/${dying}/schema`), 200);
    for (const start of [
      () => intoBase({ query: { from: 'public.paced' }, connectionId: dying }),
      () => intoTable(table, { query, connectionId: dying, onError: 'skip' }),
    ]) {
      const { id } = expectStatus(await start(), 202);
      await waitFor(isInTheMiddle, 30_000, 20);
      await proxy.cut();
      const job = await over(id);
      expect(job).toMatchObject({ state: 'failed', created: 0, bytes: 0, result: null });
      expect(job.problem?.code).toMatch(/^source_(unreachable|failed)$/);
      await proxy.mend();
    }
    expect(await allRows(`/tables/${table.id}/rows/query`, {})).toEqual([]);
    // The table of this test itself.
    expect(await tableCount()).toBe(before + 1);
  });

  it('is read anew by whoever takes it up, when its server is killed while it reads', async () => {
    const { id } = expectStatus(await intoBase({ query: { from: 'public.paced' } }), 202);
    await waitFor(isInTheMiddle, 30_000, 20);
    await node.kill9();
    await sql(pair.main, "update imports set lease_until = now() - interval '1 second' where lease_until is not null");
    await start();
    owner = client(node.base, at.owner.token);
    expect(await over(id)).toMatchObject({ state: 'done', created: ROWS });
  });
});

/** Whether the source is at the rows that take long, on a page behind another: that is bound to where it ended. */
const isInTheMiddle = (): Promise<true | undefined> =>
  asSuperuser('postgres', async (db) => {
    const { rows } = await db.query(
      `select from pg_stat_activity where datname = $1 and state = 'active' and query like '%paced%$1%' and query_start < clock_timestamp() - interval '0.2 s'`,
      [shop.database],
    );
    return rows.length > 0 ? true : undefined;
  });
