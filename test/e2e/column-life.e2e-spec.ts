import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Answer,
  type Client,
  type Column,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { loggedChanges, replay, storedRows } from '../support/changes.js';
import { refusal } from '../support/rows.js';

interface Item {
  readonly pointer: string;
  readonly code: string;
  readonly count: number;
  readonly rowIds?: readonly string[];
  readonly values?: readonly { readonly value: unknown; readonly rows: number; readonly rowIds: readonly string[] }[];
  readonly choice?: string;
}
interface Trashed extends Column {
  readonly deletedAt: string;
  readonly daysLeft: number;
}

let pair: TestDatabases;
let app: TestApp;
let other: TestApp;
let at: World;
let owner: Client;
beforeAll(async () => {
  pair = await databases();
  [app, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  at = await world(app.base);
  ({ owner } = at);
}, 60_000);

let made = 0;
const newTable = async (columns: readonly object[]): Promise<Table> =>
  expectStatus(await owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `Things ${++made}`, columns }), 201);
const fresh = async ({ id }: Table): Promise<Table> => expectStatus(await owner.get<Table>(`/tables/${id}`), 200);
const addRow = async ({ id }: Table, fields: object): Promise<Row> =>
  expectStatus(await owner.post<Row>(`/tables/${id}/rows`, { fields }), 201);
const pathOf = (table: Table, nr = 0): string => `/tables/${table.id}/columns/${table.columns[nr]?.id}`;
const change = (table: Table, body: object, nr = 0) => owner.patch<Column>(pathOf(table, nr), body);
const items = ({ status, body }: Answer<unknown>): readonly Item[] => {
  expect([status, (body as ProblemBody).code]).toEqual([409, 'rows_in_the_way']);
  return (body as { errors: readonly Item[] }).errors;
};
const trash = async (table: Table) =>
  expectStatus(await owner.get<{ data: readonly Trashed[] }>(`/tables/${table.id}/columns?trashed=true`), 200).data;
const restore = (table: Table, nr = 0, body: object = {}) => owner.post<Column>(`${pathOf(table, nr)}/restore`, body);

/** What PostgreSQL itself demands of the column's values. */
async function demands({ physical }: Table, name: string) {
  const [found] = await sql<{ checks: string; uniques: string; initial: string | null; comment: string }>(
    pair.mini,
    `select (select count(*) from pg_constraint where conrelid = a.attrelid and conname like '\\_rq%' and a.attnum = any(conkey)) as checks,
       (select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = a.attrelid and i.indisunique and i.indkey[0] = a.attnum and c.relname like '\\_uq%') as uniques,
       (select pg_get_expr(adbin, adrelid) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum) as initial,
       col_description(a.attrelid, a.attnum) as comment
     from pg_attribute a where attrelid = ($1 || '.' || $2)::regclass and attname = $3`,
    [physical.schema, physical.table, name],
  );
  return (
    found && {
      required: found.checks === '1',
      unique: found.uniques === '1',
      initial: found.initial,
      comment: found.comment,
    }
  );
}

/** Metadata, PostgreSQL, rows and log say the same. */
async function expectAgreement(table: Table): Promise<Table> {
  const now = await fresh(table);
  for (const { key, required, unique, name } of now.columns)
    expect(await demands(now, key)).toMatchObject({ required, unique, comment: name });
  const changes = await loggedChanges(pair.mini, now);
  expect(replay(changes)).toEqual(await storedRows(pair.mini, now));
  const [stream] = await sql(
    pair.mini,
    `select seq::int, schema_version from "${now.physical.schema}"._stream where table_id = $1`,
    [table.id],
  );
  expect(stream).toEqual({ seq: changes.at(-1)?.seq ?? 0, schema_version: now.schemaVersion });
  return now;
}

describe('a column', () => {
  it('becomes required when every live row has a value, is refused with the rows in the way, and can be left optional again', async () => {
    const table = await newTable([{ name: 'A', type: 'text' }]);
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) ids.push((await addRow(table, { a: i === 5 ? 'x' : null })).id);
    const missing = ids.filter((_, i) => i !== 5);
    const [item, ...rest] = items(await change(table, { required: true }));
    expect(item).toMatchObject({ pointer: '/required', code: 'rows_without_value', count: 11 });
    expect(item?.rowIds).toEqual(missing.slice(0, 10));
    expect(rest).toEqual([]);
    expect(await fresh(table)).toEqual(table);

    for (const id of missing.slice(1))
      expectStatus(await owner.patch(`/tables/${table.id}/rows/${id}`, { fields: { a: 'y' } }), 200);
    // A row in the trash may be without.
    expectStatus(await owner.del(`/tables/${table.id}/rows/${missing[0]}`), 204);
    expect(expectStatus(await change(table, { required: true }), 200)).toMatchObject({ required: true });
    expect(refusal(await owner.post(`/tables/${table.id}/rows`, { fields: {} }))).toEqual([
      422,
      'validation_failed',
      '/fields/a required',
    ]);
    expect(refusal(await owner.patch(`/tables/${table.id}/rows/${ids[5]}`, { fields: { a: null } }))).toEqual([
      422,
      'validation_failed',
      '/fields/a required',
    ]);
    await expectAgreement(table);
    expectStatus(await change(table, { required: false }), 200);
    await addRow(table, {});
    await expectAgreement(table);
  });

  it('becomes unique when no value repeats, is refused with the values in the way, and may repeat again', async () => {
    const table = await newTable([
      { name: 'A', type: 'text' },
      { name: 'B', type: 'text' },
    ]);
    const ids: string[] = [];
    for (const a of ['1', '1', '2', null, null, '3', '3', '3']) ids.push((await addRow(table, { a })).id);
    const [item] = items(await change(table, { unique: true }));
    expect(item).toEqual({
      pointer: '/unique',
      code: 'values_repeat',
      detail: expect.any(String),
      count: 2,
      values: [
        { value: '3', rows: 3, rowIds: ids.slice(5) },
        { value: '1', rows: 2, rowIds: ids.slice(0, 2) },
      ],
    });
    for (const nr of [1, 6]) expectStatus(await owner.del(`/tables/${table.id}/rows/${ids[nr]}`), 204);
    expectStatus(await owner.patch(`/tables/${table.id}/rows/${ids[7]}`, { fields: { a: '4' } }), 200);
    expect(expectStatus(await change(table, { unique: true, name: 'No' }), 200)).toMatchObject({
      unique: true,
      name: 'No',
    });
    expect(refusal(await owner.post(`/tables/${table.id}/rows`, { fields: { a: '2' } }))).toEqual([
      409,
      'unique_violation',
      '/fields/a unique_violation',
    ]);
    await expectAgreement(table);
    expectStatus(await change(table, { unique: false }), 200);
    await addRow(table, { a: '2' });
    await expectAgreement(table);

    await addRow(table, { b: 'x'.repeat(2_601) });
    const [long] = items(await change(table, { unique: true }, 1));
    expect(long).toMatchObject({ code: 'values_too_long', count: 1 });
    const boolean = await newTable([{ name: 'A', type: 'boolean' }]);
    expect(refusal(await change(boolean, { unique: true }))).toEqual([
      422,
      'validation_failed',
      '/unique invalid_option',
    ]);
  });

  it('is told of everything that is in the way at once', async () => {
    const table = await newTable([{ name: 'A', type: 'text' }]);
    for (const a of ['x', 'x', null]) await addRow(table, { a });
    expect(
      items(await change(table, { required: true, unique: true, default: 'd' })).map(({ code, count }) => [
        code,
        count,
      ]),
    ).toEqual([
      ['rows_without_value', 1],
      ['values_repeat', 1],
    ]);
    expect(await demands(table, 'a')).toMatchObject({ required: false, unique: false, initial: null });
  });

  it('tells a default of JSON as a cell does, and keeps it through other changes, a copy and a template', async () => {
    const given = { a: [1, null, 'é'] };
    const table = await newTable([
      { name: 'A', type: 'json', default: given },
      { name: 'B', type: 'json', default: '{"text":true}' },
    ]);
    const defaults = async ({ id }: Pick<Table, 'id'>) => {
      const { columns } = expectStatus(await owner.get<Table>(`/tables/${id}`), 200);
      return columns.map((column) => column.default);
    };
    const both = [given, '{"text":true}'];
    const cells = { a: both[0], b: both[1] };
    expect(table.columns.map((column) => column.default)).toEqual(both);
    expect((await addRow(table, {})).fields).toEqual(cells);

    // Neither another name nor what was told, sent back, makes it another one.
    expectStatus(await change(table, { name: 'C', required: true }), 200);
    for (const [nr, told] of both.entries()) expectStatus(await change(table, { default: told }, nr), 200);
    expect(await defaults(table)).toEqual(both);
    expect((await addRow(table, {})).fields).toEqual(cells);
    const [column] = (await fresh(table)).columns;
    const history = await owner.get<{ data: readonly { action: string; after: Column }[] }>(
      `/workspaces/${at.workspace.id}/audit-logs?resourceId=${column?.id}&action=column.updated`,
    );
    expect(history.body.data[0]?.after.default).toEqual(given);

    const to = { to: { type: 'json' } };
    const tried = await owner.post<{ default: unknown; confirmToken: string }>(`${pathOf(table)}/convert`, {
      ...to,
      dryRun: true,
    });
    expect(expectStatus(tried, 200).default).toEqual(given);
    const { confirmToken } = tried.body;
    expectStatus(await owner.post(`${pathOf(table)}/convert`, { ...to, confirmToken }), 200);
    expect(await defaults(table)).toEqual(both);

    const copy = await owner.post<Table>(`/tables/${table.id}/duplicate`, { name: 'JSON copied', withRows: false });
    expect((await addRow(expectStatus(copy, 201), {})).fields).toEqual(cells);
    const { body: template } = await owner.get<{ tables: readonly { key: string; columns: readonly Column[] }[] }>(
      `/bases/${at.base.id}/template`,
    );
    expect(template.tables.find(({ key }) => key === table.key)?.columns.map((told) => told.default)).toEqual(both);
  });

  it('takes another default, for new rows only, and none', async () => {
    const table = await newTable([{ name: 'A', type: 'integer', default: 1 }]);
    const first = await addRow(table, {});
    expect(refusal(await change(table, { default: 'x' }))).toEqual([
      422,
      'validation_failed',
      '/default not_an_integer',
    ]);
    expect((await change(table, { default: 2 })).body.default).toBe(2);
    const second = await addRow(table, {});
    expect((await demands(table, 'a'))?.initial).toMatch(/2/);
    expect((await change(table, { default: null })).body.default).toBeNull();
    const third = await addRow(table, {});
    const { data } = (await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows`)).body;
    expect(data.map(({ id, fields }) => [id, fields.a])).toEqual([
      [first.id, 1],
      [second.id, 2],
      [third.id, null],
    ]);
    expect((await demands(table, 'a'))?.initial).toBeNull();
    await expectAgreement(table);
  });

  it('moves to any place, the others make room, and new ones go to the end', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const table = await newTable(names.map((name) => ({ name, type: 'text' })));
    const order = async () => {
      const { columns } = await fresh(table);
      expect(columns.map(({ position }) => position)).toEqual(columns.map((_, i) => i));
      return columns.map(({ key }) => key).join('');
    };
    expect((await change(table, { position: 0 }, 3)).body.position).toBe(0);
    expect(await order()).toBe('dabce');
    expectStatus(await owner.del(pathOf(table, 0)), 204);
    expect((await change(table, { position: 2, description: 'moved' }, 3)).body).toMatchObject({
      position: 2,
      description: 'moved',
    });
    expect(await order()).toBe('bcde');
    expect((await change(table, { position: 99 }, 1)).body.position).toBe(3);
    expect(await order()).toBe('cdeb');
    expectStatus(await owner.post(`/tables/${table.id}/columns`, { name: 'f', type: 'text' }), 201);
    expect(await order()).toBe('cdebf');
    expect(expectStatus(await restore(table), 200).position).toBe(1);
    expect(await order()).toBe('cadebf');
    for (const position of [-1, 1.5, '1', null]) expect((await change(table, { position })).status).toBe(422);
    const [row] = [await addRow(table, { f: 'x' })];
    expect(Object.keys(row.fields).join('')).toBe('cadebf');
  });

  it('loses a choice that no row holds, not even in the trash, and its order is the order of its values', async () => {
    const table = await newTable([
      {
        name: 'S',
        type: 'single_select',
        default: 'c',
        options: { choices: ['A', 'B', 'C', 'D'].map((label) => ({ label })) },
      },
    ]);
    for (const s of ['a', 'b', 'b', 'c']) await addRow(table, { s });
    const gone = await addRow(table, { s: 'a' });
    expectStatus(await owner.del(`/tables/${table.id}/rows/${gone.id}`), 204);
    const keep = (...keys: string[]) =>
      change(table, { options: { choices: keys.map((key) => ({ key, label: key.toUpperCase() })) } });
    expect(items(await keep('c')).map(({ choice, count, pointer }) => [choice, count, pointer])).toEqual([
      ['a', 2, '/options/choices'],
      ['b', 2, '/options/choices'],
    ]);
    // What new rows begin with has to be one of them.
    expect(refusal(await keep('a', 'b', 'd'))).toEqual([422, 'validation_failed', '/default not_a_choice']);
    expectStatus(await keep('c', 'b', 'a'), 200);
    expect(refusal(await owner.post(`/tables/${table.id}/rows`, { fields: { s: 'd' } }))).toEqual([
      422,
      'validation_failed',
      '/fields/s not_a_choice',
    ]);
    const { data } = (await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows?sort=s`)).body;
    expect(data.map(({ fields }) => fields.s)).toEqual(['c', 'b', 'b', 'a']);
  });

  it('changes as one change of structure, with one number, whatever is changed at once', async () => {
    const table = await newTable([
      { name: 'A', type: 'text', options: { maxLength: 3 } },
      { name: 'B', type: 'text' },
    ]);
    await addRow(table, { a: 'x', b: 'y' });
    const body = {
      name: 'Z',
      description: 'd',
      required: true,
      unique: true,
      default: null,
      position: 1,
      options: { maxLength: 5 },
    };
    expect(expectStatus(await change(table, body), 200)).toMatchObject(body);
    const now = await expectAgreement(table);
    expect(now.schemaVersion).toBe(2);
    const [entry] = await sql<{ before: object; after: object }>(
      pair.main,
      `select before, after from audit_log where resource_id = $1 and action = 'column.updated'`,
      [table.columns[0]?.id],
    );
    expect(entry).toMatchObject({ before: { name: 'A', required: false, position: 0 }, after: body });
  });
});

describe('while others write, on two nodes,', () => {
  /** Writers that go on until `stop`; with `bad` some of their rows have no value, and some one that another has. */
  function load(table: Table) {
    const state = { ends: false, bad: true };
    const statuses = new Set<number>();
    const write = async (node: Client, nr: number) => {
      for (let i = 0; !state.ends; i++) {
        const value = state.bad && i % 3 === 0 ? {} : { a: state.bad && i % 3 === 1 ? 'same' : `${nr}-${i}` };
        const answer = await node.post<Row>(`/tables/${table.id}/rows`, { fields: { n: i, ...value } });
        statuses.add(answer.status);
        if (answer.status === 201 && i % 2)
          statuses.add((await node.del(`/tables/${table.id}/rows/${answer.body.id}`)).status);
      }
    };
    const writers = [app, other, app, other].map(({ base }, nr) => write(client(base, owner.token), nr));
    return {
      statuses,
      be: (bad: boolean) => void (state.bad = bad),
      stop: async () => {
        state.ends = true;
        await Promise.all(writers);
      },
    };
  }
  const newPair = () =>
    newTable([
      { name: 'A', type: 'text' },
      { name: 'N', type: 'integer' },
    ]);

  it.each([
    ['required', 422],
    ['unique', 409],
  ] as const)(
    'a column becomes %s or does not, each writer gets its answer, and both databases agree',
    async (demand, refused) => {
      const table = await newPair();
      const writers = load(table);
      const nodes = [client(app.base, owner.token), client(other.base, owner.token)];
      const seen = new Set<number>();
      for (let round = 0; round < 4; round++) {
        const node = nodes[round % 2] ?? owner;
        const set = async (on: boolean) => {
          const answer = await node.patch(pathOf(table), { [demand]: on });
          seen.add(answer.status);
          return answer;
        };
        writers.be(true);
        if ((await set(true)).status === 200) expectStatus(await set(false), 200);
        writers.be(false);
        for (let answer = await set(true), tries = 0; answer.status !== 200; answer = await set(true)) {
          if (++tries > 60) throw new Error(`still in the way: ${answer.text}`);
          if (answer.status === 423) continue;
          for (const { rowIds = [], values = [] } of items(answer))
            for (const id of [...rowIds, ...values.flatMap((value) => value.rowIds.slice(1))])
              expect([204, 404]).toContain((await node.del(`/tables/${table.id}/rows/${id}`)).status);
        }
        // From the answer on it holds, on every node.
        writers.be(true);
        await addRow(table, { a: `only ${round}` });
        const fields = demand === 'required' ? {} : { a: `only ${round}` };
        for (const each of nodes)
          expect((await each.post(`/tables/${table.id}/rows`, { fields })).status).toBe(refused);
        expect(await demands(table, 'a')).toMatchObject({ [demand]: true });
        expectStatus(await set(false), 200);
      }
      await writers.stop();
      expect(seen).toContain(409);
      for (const status of writers.statuses) expect([201, 204, 409, 422, 423]).toContain(status);
      for (const status of [201, 204, refused]) expect(writers.statuses).toContain(status);
      await expectAgreement(table);
    },
    60_000,
  );

  it('a column is deleted and restored, each writer gets its answer, and the log is the table', async () => {
    const table = await newPair();
    const writers = load(table);
    const nodes = [client(app.base, owner.token), client(other.base, owner.token)];
    for (let round = 0; round < 6; round++) {
      const node = nodes[round % 2] ?? owner;
      expectStatus(await node.del(pathOf(table)), 204);
      expectStatus(await node.post(`${pathOf(table)}/restore`, {}), 200);
    }
    await writers.stop();
    for (const status of writers.statuses) expect([201, 204, 422, 423]).toContain(status);
    for (const status of [201, 204]) expect(writers.statuses).toContain(status);
    await expectAgreement(table);
  }, 60_000);
});

describe('a deleted column', () => {
  it('is listed with the days that are left, and comes back with its values, rows made meanwhile without', async () => {
    const table = await newTable([
      { name: 'A', type: 'text', default: 'd' },
      { name: 'B', type: 'text' },
    ]);
    const first = await addRow(table, { a: 'kept' });
    expect(await trash(table)).toEqual([]);
    expectStatus(await owner.del(pathOf(table)), 204);
    const second = await addRow(table, { b: 'meanwhile' });
    const [item, ...others] = await trash(table);
    expect(others).toEqual([]);
    expect(item).toEqual({ ...table.columns[0], deletedAt: expect.any(String), daysLeft: 30 });
    expect(expectStatus(await owner.post<Column>(`${pathOf(table)}/restore`), 200)).toEqual(table.columns[0]);
    const now = await expectAgreement(table);
    expect(now.columns).toEqual(table.columns);
    const { data } = (await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows`)).body;
    expect(data.map(({ id, version, fields }) => [id, version, fields])).toEqual([
      [first.id, 1, { a: 'kept', b: null }],
      [second.id, 1, { a: null, b: 'meanwhile' }],
    ]);
    expect((await addRow(table, {})).fields.a).toBe('d');
    expect(await trash(table)).toEqual([]);
    expect(refusal(await restore(table))).toEqual([404, 'not_found']);
  });

  it('comes back under a new key when its own was given away, and not at all while its name is', async () => {
    const table = await newTable([
      { name: 'A', type: 'text' },
      { name: 'B', type: 'text' },
    ]);
    const row = await addRow(table, { a: 'old' });
    expectStatus(await owner.del(pathOf(table)), 204);
    const second = expectStatus(
      await owner.post<Column>(`/tables/${table.id}/columns`, { name: 'a', type: 'integer' }),
      201,
    );
    expect(second.key).toBe('a');
    expect(refusal(await restore(table))).toEqual([409, 'name_taken', '/name name_taken']);
    expectStatus(await owner.patch(`/tables/${table.id}/columns/${second.id}`, { name: 'C' }), 200);
    expect(expectStatus(await restore(table), 200)).toMatchObject({ id: table.columns[0]?.id, key: 'a_2', name: 'A' });
    const now = await expectAgreement(table);
    expect((await owner.get<Row>(`/tables/${now.id}/rows/${row.id}`)).body.fields).toEqual({
      a: null,
      a_2: 'old',
      b: null,
    });
  });

  it('comes back required and unique if the rows allow it, otherwise relaxed or not at all', async () => {
    const columns = [
      { name: 'A', type: 'text', required: true, unique: true, default: 'd' },
      { name: 'B', type: 'text' },
    ];
    const table = await newTable(columns);
    await addRow(table, { a: 'x' });
    expectStatus(await owner.del(pathOf(table)), 204);
    expect(expectStatus(await restore(table), 200)).toEqual(table.columns[0]);
    await expectAgreement(table);
    expectStatus(await owner.del(pathOf(table)), 204);
    const row = await addRow(table, { b: 'y' });
    expect(items(await restore(table))).toMatchObject([{ pointer: '/required', count: 1, rowIds: [row.id] }]);
    expect(await trash(table)).toHaveLength(1);
    expect(expectStatus(await restore(table, 0, { relax: true }), 200)).toMatchObject({
      required: false,
      unique: false,
      default: 'd',
    });
    await expectAgreement(table);
  });

  it('is out of reach after its time, in another table, and while the table is full', async () => {
    const table = await newTable([{ name: 'A', type: 'text' }]);
    const elsewhere = await newTable(Array.from({ length: 250 }, (_, i) => ({ name: `c${i}`, type: 'text' })));
    expectStatus(await owner.del(pathOf(table)), 204);
    expect(refusal(await owner.post(`/tables/${elsewhere.id}/columns/${table.columns[0]?.id}/restore`, {}))).toEqual([
      404,
      'not_found',
    ]);
    await sql(pair.main, `update columns set deleted_at = now() - interval '30 days' where id = $1`, [
      table.columns[0]?.id,
    ]);
    expect(await trash(table)).toEqual([]);
    expect(refusal(await restore(table))).toEqual([404, 'not_found']);
    expectStatus(await owner.del(pathOf(elsewhere)), 204);
    expectStatus(await owner.post(`/tables/${elsewhere.id}/columns`, { name: 'one more', type: 'text' }), 201);
    expect(refusal(await restore(elsewhere))).toEqual([422, 'limit_reached']);
    expect(refusal(await restore(elsewhere, 0, { relax: 'yes' }))).toEqual([
      422,
      'validation_failed',
      '/relax is_boolean',
    ]);
    expect(refusal(await owner.get(`/tables/${table.id}/columns?trashed=yes`))).toEqual([
      422,
      'validation_failed',
      '/trashed is_in',
    ]);
  });

  it('is listed in pages where that is asked, and whole otherwise, as the columns are that are there', async () => {
    const columns = ['A', 'B', 'C', 'D', 'E'].map((name) => ({ name, type: 'text' }));
    const base = at.base.id;
    const table = expectStatus(await owner.post<Table>(`/bases/${base}/tables`, { name: 'Paged', columns }), 201);
    const walk = async (query: string) => {
      const pages: string[][] = [];
      for (let cursor = ''; ;) {
        const answer = await owner.get<{
          data: readonly Column[];
          page: { limit: number; nextCursor?: string };
        }>(`/tables/${table.id}/columns?limit=2${query}${cursor}`);
        const { data, page } = expectStatus(answer, 200);
        expect(page.limit).toBe(2);
        pages.push(data.map(({ name }) => name));
        if (page.nextCursor === undefined) return pages;
        cursor = `&cursor=${page.nextCursor}`;
      }
    };
    expect(await walk('')).toEqual([['A', 'B'], ['C', 'D'], ['E']]);
    for (const { id } of table.columns.slice(0, 5))
      expectStatus(await owner.del(`/tables/${table.id}/columns/${id}`), 204);
    expect(await walk('')).toEqual([[]]);
    expect(await walk('&trashed=true')).toEqual([['E', 'D'], ['C', 'B'], ['A']]);
    for (const query of ['', '?trashed=true'])
      expect((await owner.get<{ page: object }>(`/tables/${table.id}/columns${query}`)).body.page).toEqual({
        limit: 250,
      });
    expect(refusal(await owner.get(`/tables/${table.id}/columns?cursor=x`))).toEqual([400, 'cursor_invalid']);
    for (const path of ['indexes', 'indexes/advice'])
      expect((await owner.get<{ page: object }>(`/tables/${table.id}/${path}`)).body.page).toEqual({ limit: 50 });
  });
});
