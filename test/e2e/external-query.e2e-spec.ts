import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  asSuperuser,
  databases,
  expectStatus,
  member,
  sql,
  startApp,
  tcpProxy,
  waitFor,
  world,
  type Answer,
  type Client,
  type Person,
  type ProblemBody,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Rows {
  readonly data: readonly {
    readonly fields: Readonly<Record<string, unknown>>;
    readonly group?: Readonly<Record<string, unknown>>;
    readonly values?: Readonly<Record<string, unknown>>;
  }[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
  readonly count?: object;
  readonly meta: {
    readonly sources: readonly { readonly id: string; readonly rows: number; readonly truncated: boolean }[];
  };
}

interface Mutated {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

let at: World;
let editor: Person;
let viewer: Person;
let shop: TestDatabases['main'];
let reading: string;
let writing: string;

beforeAll(async () => {
  const [{ base }, { main }] = await Promise.all([startApp(), databases({ migrated: false })]);
  shop = main;
  await asSuperuser(shop.database, (db) =>
    db.query(`
      create table customers (id bigint primary key, name text, country text, balance numeric(12, 2), rev integer not null default 1, since timestamptz);
      create table orders (id integer generated always as identity primary key, customer_id bigint references customers, total numeric(10, 2) check (total >= 0), name text unique);
      create table events (what text, at timestamptz);
      create table notes (id integer primary key, doc json);
      insert into notes values (1, '{"n":12345678901234567890,"t":"a\\u0000b"}');
      insert into customers select g, case when g % 9 = 0 then null else 'Name ' || g % 13 end, (array['DE', 'FR', 'us', 'US'])[1 + g % 4], g * 1.25, 1,
        timestamptz '2026-01-01 00:00:00.123456+00' + g * interval '1 day' from generate_series(1, 200) g;
      insert into customers values (9007199254740993, 'Big', 'DE', 1, 1, null);
      insert into orders (customer_id, total, name) select g, g, 'Order ' || g from generate_series(1, 20) g;
      insert into events select 'same', timestamptz '2026-01-01' from generate_series(1, 25);
      grant all on all tables in schema public to public;
      analyze;
    `),
  );
  at = await world(base);
  [editor, viewer] = await Promise.all([member(at, 'editor'), member(at, 'viewer')]);
  [reading, writing] = await Promise.all([connect({ name: 'Shop' }), connect({ name: 'Till', access: 'read-write' })]);
}, 120_000);

async function connect(over: object): Promise<string> {
  const body = {
    engine: 'postgresql',
    ...{ host: shop.host, port: shop.port, database: shop.database, username: shop.username, password: shop.password },
    ...over,
  };
  return expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, body), 201).id;
}

const query = (body: object, as: Client = viewer, id = reading) => as.post<Rows>(`/connections/${id}/query`, body);
const mutate = (body: object, as: Client = editor, id = writing, headers: Record<string, string> = {}) =>
  as.post<Mutated>(`/connections/${id}/mutate`, body, headers);
const refused = (answer: Answer<unknown>): readonly unknown[] => {
  const { status, code, errors } = answer.body as ProblemBody;
  return [status, code, ...(errors ?? []).map(({ pointer, code: finding }) => `${pointer} ${finding}`)];
};

async function all(body: object): Promise<Rows['data']> {
  const rows: Rows['data'][number][] = [];
  for (let cursor: string | undefined, i = 0; i < 100; i++) {
    const page = expectStatus(await query({ ...body, page: { limit: 7, ...(cursor ? { cursor } : {}) } }), 200);
    rows.push(...page.data);
    if ((cursor = page.page.nextCursor) === undefined) return rows;
  }
  throw new Error('the pages do not end');
}

describe('rows of an external database', () => {
  it('are read in the form of rows, with where they are from', async () => {
    const answer = expectStatus(
      await query({
        from: 'public.customers',
        fields: ['id', 'name', 'since'],
        filter: { field: 'id', op: 'gte', value: 200 },
        count: 'exact',
      }),
      200,
    );
    expect(answer).toEqual({
      data: [
        { fields: { id: '200', name: 'Name 5', since: '2026-07-20T00:00:00.123456Z' } },
        { fields: { id: '9007199254740993', name: 'Big', since: null } },
      ],
      page: { limit: 50 },
      count: { mode: 'exact', value: 2, relation: 'exact' },
      meta: { sources: [{ id: reading, ms: expect.any(Number), rows: 2, truncated: false }] },
    });
  });

  it('are paged to the end in any order, also where nothing tells them apart', async () => {
    const sorted = await all({ from: 'customers', sort: [{ field: 'name', dir: 'desc' }], fields: ['id', 'name'] });
    expect(new Set(sorted.map(({ fields }) => fields.id)).size).toBe(201);
    const names = sorted.map(({ fields }) => fields.name as string | null);
    expect(names).toEqual([...names].sort((a, b) => (a === null ? 1 : b === null ? -1 : a < b ? 1 : a > b ? -1 : 0)));
    expect(await all({ from: 'events' })).toHaveLength(25);
  });

  it('are joined within the database, under names that no two columns share', async () => {
    const answer = expectStatus(
      await query({
        from: 'public.orders',
        as: 'o',
        joins: [{ type: 'left', object: 'public.customers', as: 'c', on: [{ left: 'o.customer_id', right: 'c.id' }] }],
        fields: ['o.name', 'c.name', 'country', 'total'],
        filter: { field: 'c.country', op: 'eq', value: 'US' },
        sort: [{ field: 'total', dir: 'desc' }],
        page: { limit: 2 },
      }),
      200,
    );
    expect(answer.data.map(({ fields }) => fields)).toEqual([
      { total: '19.00', o_name: 'Order 19', c_name: 'Name 6', country: 'US' },
      { total: '15.00', o_name: 'Order 15', c_name: 'Name 2', country: 'US' },
    ]);
  });

  it('are grouped', async () => {
    const answer = expectStatus(
      await query({
        from: 'public.customers',
        groupBy: [{ field: 'country' }],
        aggregates: [
          { as: 'n', fn: 'count' },
          { as: 'total', fn: 'sum', field: 'balance' },
        ],
        sort: [
          { field: 'n', dir: 'desc' },
          { field: 'country', dir: 'asc' },
        ],
      }),
      200,
    );
    expect(answer.data[0]).toEqual({ group: { country: 'DE' }, values: { n: 51, total: '6376.00' } });
    expect(answer.data).toHaveLength(4);
  });

  it.each<[string, object, readonly unknown[]]>([
    ['an object that is not there', { from: 'public.nope' }, [422, 'validation_failed', '/from unknown_object']],
    [
      'a member that nobody knows',
      { from: 'customers', where: 1 },
      [422, 'validation_failed', '/where unknown_property'],
    ],
    [
      'a field that is not there',
      { from: 'customers', fields: ['nope'] },
      [422, 'validation_failed', '/fields unknown_field'],
    ],
    [
      'an operator of another type',
      { from: 'customers', filter: { field: 'balance', op: 'contains', value: 'x' } },
      [422, 'filter_invalid', '/filter/op unknown_operator'],
    ],
    ['a cursor of another question', { from: 'customers', page: { cursor: 'xx' } }, [400, 'cursor_invalid']],
    [
      'a join with nothing in common',
      { from: 'orders', joins: [{ object: 'customers', on: [] }] },
      [422, 'validation_failed', '/joins/0/on list_size'],
    ],
    [
      'a field that several objects have, by its key alone',
      {
        ...{ from: 'orders', as: 'o', fields: ['id'] },
        joins: [{ type: 'left', object: 'customers', as: 'c', on: [{ left: 'o.customer_id', right: 'c.id' }] }],
      },
      [422, 'validation_failed', '/fields ambiguous_field'],
    ],
    ['no object at all', {}, [422, 'validation_failed', '/from is_string']],
    ['a list', [], [422, 'validation_failed', ' not_an_object']],
  ])('are refused for %s', async (_name, body, problem) => {
    expect(refused(await query(body))).toEqual(problem);
  });

  it('are read after a column got another name, as what is there now', async () => {
    await sql(shop, 'create table moving (id integer primary key, a text); grant all on moving to public');
    await viewer.get(`/connections/${reading}/schema?refresh=true`);
    expectStatus(await query({ from: 'moving', fields: ['a'] }), 200);
    await sql(shop, 'alter table moving rename column a to b');
    expect(refused(await query({ from: 'moving', fields: ['a'] }))).toEqual([
      422,
      'validation_failed',
      '/fields unknown_field',
    ]);
    expectStatus(await query({ from: 'moving', fields: ['b'] }), 200);
  });

  it('are a 502 with a code while the database is away, and come back with it', async () => {
    const proxy = await tcpProxy(shop);
    const id = await connect({ name: 'Far away', host: '127.0.0.1', port: proxy.port });
    expectStatus(await query({ from: 'customers' }, viewer, id), 200);
    await proxy.cut();
    expect(refused(await query({ from: 'customers' }, viewer, id))).toEqual([502, 'source_unreachable']);
    expectStatus(await query({ from: 'customers' }), 200);
  });
});

describe('a row of an external database', () => {
  it('is made, changed and deleted by its key, and the audit log has it before and after', async () => {
    const values = {
      id: '9007199254740995',
      name: 'Émile',
      country: 'FR',
      balance: '10.5',
      since: '2026-03-14T15:09:26.535Z',
    };
    const made = expectStatus(await mutate({ object: 'public.customers', op: 'insert', values }), 200);
    expect(made).toEqual({
      object: 'public.customers',
      op: 'insert',
      before: null,
      after: { ...values, balance: '10.50', rev: 1 },
    });
    const key = { id: values.id };
    const changed = expectStatus(
      await mutate({
        object: 'public.customers',
        op: 'update',
        key,
        values: { name: 'Zola' },
        version: { column: 'rev', value: 1 },
      }),
      200,
    );
    expect([changed.before?.name, changed.after?.name, changed.after?.rev]).toEqual(['Émile', 'Zola', 2]);
    const late = {
      object: 'customers',
      op: 'update',
      key,
      values: { name: 'x' },
      version: { column: 'rev', value: 1 },
    };
    expect(refused(await mutate(late))).toEqual([412, 'version_mismatch']);
    expect(refused(await mutate({ object: 'customers', op: 'delete', key, expected: { name: 'Émile' } }))).toEqual([
      412,
      'version_mismatch',
    ]);
    expectStatus(await mutate({ object: 'customers', op: 'delete', key, expected: { name: 'Zola' } }), 200);
    expect(refused(await mutate({ object: 'customers', op: 'delete', key }))).toEqual([404, 'not_found']);
    const log = expectStatus(
      await at.owner.get<{
        data: readonly { action: string; before?: { fields: object }; after?: { fields: object } }[];
      }>(`/workspaces/${at.workspace.id}/audit-logs?limit=50`),
      200,
    ).data.filter(({ action }) => action.startsWith('external_row.'));
    expect(log.map(({ action }) => action)).toEqual([
      'external_row.deleted',
      'external_row.updated',
      'external_row.inserted',
    ]);
    expect(log[1]).toMatchObject({
      before: { fields: { name: 'Émile' } },
      after: { fields: { name: 'Zola', rev: 2 } },
    });
    expect(await sql(shop, 'select 1 from customers where id > 9007199254740993')).toEqual([]);
  });

  it('finds its row by a key with moments as they are shown, to the microsecond', async () => {
    await asSuperuser(shop.database, (db) =>
      db.query(`
        create table readings (id integer, at timestamptz, wall timestamp, n integer, primary key (id, at));
        insert into readings values (1, '2026-01-01 00:00:00.123456+00', '2026-01-01 00:00:00.5', 1), (1, '2026-01-01 00:00:00.123+00', null, 2);
        grant all on readings to public`),
    );
    expectStatus(await at.owner.get(`/connections/${writing}/schema?refresh=true`), 200);
    const key = { id: 1, at: '2026-01-01T00:00:00.123456Z' };
    const change = { object: 'readings', op: 'update', key, values: { n: 7 } };
    expect(refused(await mutate({ ...change, expected: { wall: '2026-01-01T00:00:00.500001Z' } }))).toEqual([
      412,
      'version_mismatch',
    ]);
    expect(expectStatus(await mutate(change), 200)).toMatchObject({ before: { n: 1 }, after: { ...key, n: 7 } });
    expectStatus(await mutate({ object: 'readings', op: 'delete', key }), 200);
    expect(await sql(shop, 'select n from readings')).toEqual([{ n: 2 }]);
    const finer = { id: 2, at: '2026-01-01T00:00:00.123456Z' };
    const values = { object: 'readings', op: 'insert', values: finer };
    expect(refused(await mutate(values))).toEqual([422, 'validation_failed', '/values/at too_precise']);
  });

  it('of a row that may be read and not changed is no conflict with others', async () => {
    await asSuperuser(shop.database, (db) =>
      db.query(`
        create table guarded (id integer primary key, n integer); insert into guarded values (1, 1);
        alter table guarded enable row level security; create policy seen on guarded for select using (true);
        grant all on guarded to public`),
    );
    expectStatus(await at.owner.get(`/connections/${writing}/schema?refresh=true`), 200);
    const change = { object: 'guarded', op: 'update', key: { id: 1 }, values: { n: 2 } };
    expect(refused(await mutate(change))).toEqual([502, 'source_failed']);
    expect(refused(await mutate({ ...change, key: { id: 2 } }))).toEqual([404, 'not_found']);
  });

  it('is written down whatever it holds, and none of its numbers is rounded', async () => {
    const gone = await mutate({ object: 'notes', op: 'delete', key: { id: 1 } });
    expect([gone.status, gone.text]).toEqual([200, expect.stringContaining('"n":12345678901234567890')]);
    const [entry] = expectStatus(
      await at.owner.get<{ data: readonly { before?: { fields: object } }[] }>(
        `/workspaces/${at.workspace.id}/audit-logs?limit=1`,
      ),
      200,
    ).data;
    expect(entry?.before?.fields).toEqual({ id: 1, doc: { n: '12345678901234567890', t: 'a␀b' } });
  });

  it('is changed by editors only, and not through a connection that reads', async () => {
    const body = { object: 'customers', op: 'delete', key: { id: 1 } };
    expect(refused(await mutate(body, viewer))).toEqual([403, 'role_too_low']);
    expect(refused(await mutate(body, editor, reading))).toEqual([403, 'read_only_connection']);
    expect(await sql(shop, 'select count(*)::int as n from customers where id = 1')).toEqual([{ n: 1 }]);
  });

  it('is done once under a key of idempotency', async () => {
    const body = { object: 'orders', op: 'insert', values: { customer_id: 1, total: '5', name: 'Once' } };
    const headers = { 'Idempotency-Key': 'order once' };
    const first = expectStatus(await mutate(body, editor, writing, headers), 200);
    const again = await mutate(body, editor, writing, headers);
    expect(expectStatus(again, 200)).toEqual(first);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await sql(shop, "select count(*)::int as n from orders where name = 'Once'")).toEqual([{ n: 1 }]);
  });

  it('that cannot be changed now keeps nobody else from repeatable writes, and nobody changes it twice', async () => {
    const body = { object: 'orders', op: 'update', key: { id: 20 }, values: { name: 'Waited' } };
    const under = (key: string) => mutate(body, editor, writing, { 'Idempotency-Key': key });
    const waiting = await asSuperuser(shop.database, async (db) => {
      await db.query('begin');
      await db.query('select from orders where id = 20 for update');
      const all = Array.from({ length: 12 }, (_, i) => under(`slow ${i}`));
      await waitFor(async () => {
        const [row] = await sql<{ n: number }>(
          shop,
          "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        return (row?.n ?? 0) > 3;
      });
      expect(refused(await under('slow 0'))).toEqual([409, 'idempotency_in_progress']);
      const made = await at.owner.post('/workspaces', { name: 'Unhindered' }, { 'Idempotency-Key': 'meanwhile' });
      expect(made.status).toBe(201);
      await db.query('rollback');
      return all;
    });
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
    const again = await under('slow 0');
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
  });

  it('is not changed under a key after a refusal, which holds nothing back', async () => {
    const headers = { 'Idempotency-Key': 'refused first' };
    const insert = (total: string) =>
      mutate({ object: 'orders', op: 'insert', values: { total } }, editor, writing, headers);
    expect(refused(await insert('-1'))).toEqual([422, 'constraint_violation']);
    expectStatus(await insert('1'), 200);
    expect(refused(await insert('2'))).toEqual([422, 'idempotency_mismatch']);
  });

  it.each<[string, object, readonly unknown[]]>([
    [
      'a value that a key has already',
      { op: 'insert', values: { name: 'Order 1', total: '1' } },
      [409, 'unique_violation'],
    ],
    ['a value that a rule does not allow', { op: 'insert', values: { total: '-1' } }, [422, 'constraint_violation']],
    [
      'a reference to nothing',
      { op: 'update', key: { id: 1 }, values: { customer_id: 12345 } },
      [422, 'constraint_violation'],
    ],
    ['a column that the database fills itself', { op: 'insert', values: { id: 5 } }, [422, 'constraint_violation']],
    [
      'a value of another type',
      { op: 'insert', values: { total: 'many' } },
      [422, 'validation_failed', '/values/total not_a_number'],
    ],
    [
      'a field that is not there',
      { op: 'insert', values: { ['__proto__x']: 1 } },
      [422, 'validation_failed', '/values/__proto__x unknown_field'],
    ],
    ['half of a key', { op: 'delete', key: {} }, [422, 'validation_failed', '/key not_the_key']],
    ['more than the key', { op: 'delete', key: { id: 1, name: 'x' } }, [422, 'validation_failed', '/key not_the_key']],
    [
      'nothing to change',
      { op: 'update', key: { id: 1 }, values: {} },
      [422, 'validation_failed', '/values nothing_asked'],
    ],
    ['an operation that there is not', { op: 'truncate' }, [422, 'validation_failed', '/op is_in']],
  ])('is refused for %s, and nothing is done', async (_name, body, problem) => {
    const before = await sql(shop, 'select * from orders order by id');
    expect(refused(await mutate({ object: 'public.orders', ...body }))).toEqual(problem);
    expect(await sql(shop, 'select * from orders order by id')).toEqual(before);
  });

  it('cannot be told apart where there is no key', async () => {
    const answer = await mutate({ object: 'events', op: 'delete', key: { what: 'same' } });
    expect(refused(answer)).toEqual([422, 'not_supported_by_source']);
  });
});
