import { beforeAll, describe, expect, it } from '@jest/globals';
import { DriftChecker } from '../../src/modules/tables/drift/drift-checker.js';
import { StructurePurge } from '../../src/modules/tables/purge/structure-purge.js';
import {
  client,
  databases,
  expectStatus,
  member,
  signup,
  sql,
  startApp,
  waitFor,
  world,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { addIndex, heldSnapshot, indexesOf, physicalIndexes, settled, type Index } from '../support/indexes.js';
import { refusal, type Bulk } from '../support/rows.js';

let pair: TestDatabases;
let app: TestApp;
let at: World;
beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
}, 60_000);

const COLUMNS = [
  { name: 'Name', type: 'text' },
  { name: 'Code', type: 'text', unique: true, options: { maxLength: 20 } },
  { name: 'Qty', type: 'integer' },
  { name: 'Due', type: 'date' },
  { name: 'Notes', type: 'long_text' },
  { name: 'Status', type: 'single_select', options: { choices: [{ label: 'Open' }, { label: 'Won' }] } },
];
let tables = 0;
const newTable = async (): Promise<Table> =>
  expectStatus(
    await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `Table ${++tables}`, columns: COLUMNS }),
    201,
  );
const path = ({ id }: Table, index = ''): string => `/tables/${id}/indexes${index === '' ? '' : `/${index}`}`;
const ask = (table: Table, body: object) => at.owner.post<Index>(path(table), body);
const columnId = ({ columns }: Table, key: string): string => columns.find((column) => column.key === key)?.id ?? '';

describe('the indexes of a table', () => {
  it('are asked for with what lists say of their columns, as it stands', async () => {
    const [table, twin] = [await newTable(), await newTable()];
    const added = expectStatus(await ask(table, { columns: [{ field: 'due' }, { field: 'qty', dir: 'desc' }] }), 202);
    const again = await ask(table, { columns: added.columns });
    expect([...refusal(again), (again.body as unknown as ProblemBody).detail]).toEqual([
      409,
      'conflict',
      'The same index is there already (building).',
    ]);
    expectStatus(await at.owner.del(path(table, added.id)), 202);
    expectStatus(await ask(table, { columns: added.columns, kind: added.kind }), 202);
    expect((await ask(twin, { columns: added.columns })).status).toBe(422);
  });

  it('are at first those of the primary key and the unique columns, which nobody can drop', async () => {
    const table = await newTable();
    const automatic = await indexesOf(at.owner, table);
    expect(automatic.map(({ columns, automatic: own, state }) => [columns[0]?.field, own, state])).toEqual([
      ['id', true, 'ready'],
      ['code', true, 'ready'],
    ]);
    expect((await physicalIndexes(pair.mini, table)).map(({ name }) => name)).toEqual(
      automatic.map(({ name }) => name).toSorted(),
    );
    for (const { id } of automatic) expect(refusal(await at.owner.del(path(table, id)))).toEqual([409, 'conflict']);
  });

  it('are added and dropped in the background, and each of it is in the audit log', async () => {
    const table = await newTable();
    const answer = await ask(table, { columns: [{ field: 'due', dir: 'desc' }, { field: 'qty' }] });
    expect(expectStatus(answer, 202)).toMatchObject({
      kind: 'sort',
      // Read from its other end it is what was asked for.
      columns: [
        { field: 'due', dir: 'asc' },
        { field: 'qty', dir: 'desc' },
      ],
      state: 'building',
      unique: false,
      automatic: false,
      limitsValues: false,
      createdBy: at.owner.user.id,
    });
    const ready = await settled(at.owner, table, answer.body.id);
    expect(ready.state).toBe('ready');
    expect(await physicalIndexes(pair.mini, table)).toContainEqual({
      name: ready.name,
      valid: true,
      text: expect.stringContaining('(due NULLS FIRST, qty DESC NULLS LAST, _id DESC) WHERE (_deleted_at IS NULL)'),
    });

    const dropped = await at.owner.del(path(table, ready.id));
    expect([dropped.status, dropped.text]).toEqual([202, '']);
    await waitFor(async () => (await indexesOf(at.owner, table)).every(({ id }) => id !== ready.id), 20_000);
    expect((await physicalIndexes(pair.mini, table)).map(({ name }) => name)).not.toContain(ready.name);
    expect(refusal(await at.owner.del(path(table, ready.id)))).toEqual([404, 'not_found']);
    const audited = await sql(
      pair.main,
      'select action, resource_name as name, actor_name as actor from audit_log where resource_id = $1 order by at',
      [ready.id],
    );
    expect(audited).toEqual([
      { action: 'index.created', name: 'due, qty', actor: 'Ada Lovelace' },
      { action: 'index.deleted', name: 'due, qty', actor: 'Ada Lovelace' },
    ]);
  });

  it('are seen by viewers, changed by admins, and of another workspace not there at all', async () => {
    const table = await newTable();
    const [viewer, editor, stranger] = [await member(at, 'viewer'), await member(at, 'editor'), await signup(app.base)];
    expectStatus(await viewer.get(path(table)), 200);
    expect(refusal(await editor.post(path(table), { columns: [{ field: 'qty' }] }))).toEqual([403, 'role_too_low']);
    expect(refusal(await stranger.get(path(table)))).toEqual([404, 'not_found']);
    const index = await addIndex(at.owner, table, { columns: [{ field: 'qty' }] });
    expect(refusal(await at.owner.del(path(await newTable(), index.id)))).toEqual([404, 'not_found']);
    expect((await settled(at.owner, table, index.id)).state).toBe('ready');
  });
});

describe('an index is refused', () => {
  const field = (name: string, dir?: string) => ({ field: name, ...(dir ? { dir } : {}) });
  it.each([
    ['an unknown field', { columns: [field('nope')] }, '/columns/0/field unknown_field'],
    ['a column twice', { columns: [field('qty'), field('qty', 'desc')] }, '/columns/1/field duplicate_key'],
    ['long texts by order', { columns: [field('notes')] }, '/columns/0/field not_indexable'],
    ['numbers for searches', { kind: 'search', columns: [field('qty')] }, '/columns/0/field not_indexable'],
    [
      'two columns for searches',
      { kind: 'search', columns: [field('name'), field('notes')] },
      '/columns too_many_columns',
    ],
    ['no column', { columns: [] }, '/columns array_min_size'],
    [
      'six columns',
      { columns: ['name', 'code', 'qty', 'due', 'status', 'x'].map((name) => field(name)) },
      '/columns array_max_size',
    ],
    ['an unknown kind', { kind: 'hash', columns: [field('qty')] }, '/kind is_in'],
  ])('with %s', async (_, body, finding) => {
    expect(refusal(await ask(await newTable(), body))).toEqual([422, 'validation_failed', finding]);
  });

  it('when the same is there, also from its other end or by another name', async () => {
    const table = await newTable();
    await addIndex(at.owner, table, { columns: [field('due'), field('qty', 'desc')] });
    for (const body of [
      { columns: [field('due'), field('qty', 'desc')] },
      { columns: [field('due', 'desc'), field('qty')] },
      { kind: 'filter', columns: [field('due'), field('qty', 'desc')] },
    ])
      expect(refusal(await ask(table, body))).toEqual([409, 'conflict']);
    expectStatus(await ask(table, { columns: [field('due'), field('qty')] }), 202);
    await addIndex(at.owner, table, { columns: [field('status')] });
    expectStatus(await ask(table, { kind: 'filter', columns: [field('status')] }), 202);
  });

  it('when there are twenty', async () => {
    const table = await newTable();
    const keys = ['name', 'code', 'qty', 'due', 'status'];
    const pairs = keys.flatMap((a) => keys.filter((b) => b !== a).map((b) => [field(a), field(b)]));
    for (const columns of pairs) expectStatus(await ask(table, { columns }), 202);
    expect(refusal(await ask(table, { columns: [field('qty')] }))).toEqual([422, 'limit_reached']);
  });
});

describe('a request with a key', () => {
  it('adds one index, however often it is repeated', async () => {
    const table = await newTable();
    const send = () =>
      at.owner.post<Index>(path(table), { columns: [{ field: 'qty' }] }, { 'idempotency-key': 'once' });
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status, second.headers.get('idempotency-replayed')]).toEqual([202, 202, 'true']);
    expect(second.body.id).toBe(first.body.id);
    expect((await indexesOf(at.owner, table)).filter(({ automatic }) => !automatic)).toHaveLength(1);
  });
});

describe('a unique index', () => {
  const pairOf = (table: Table) => ({
    columns: [{ columnId: columnId(table, 'name') }, { columnId: columnId(table, 'qty'), dir: 'desc' }],
    unique: true,
  });
  const rowsOf = (table: Table): string => `/tables/${table.id}/rows`;

  it('lets no two live rows have the same values in all of its columns, by whichever write', async () => {
    const table = await newTable();
    const asked = expectStatus(await ask(table, pairOf(table)), 202);
    expect(asked).toMatchObject({
      state: 'building',
      unique: true,
      columns: [
        { columnId: columnId(table, 'name'), field: 'name', dir: 'asc' },
        { columnId: columnId(table, 'qty'), field: 'qty', dir: 'desc' },
      ],
    });
    const index = await settled(at.owner, table, asked.id);
    expect(index.state).toBe('ready');
    expect(await physicalIndexes(pair.mini, table)).toContainEqual({
      name: index.name,
      valid: true,
      text: expect.stringMatching(/^CREATE UNIQUE INDEX .*\(name NULLS FIRST, qty DESC NULLS LAST\) WHERE/),
    });
    const taken = [409, 'unique_violation', '/fields/name unique_violation'];
    const path = rowsOf(table);
    const first = expectStatus(await at.owner.post<Row>(path, { fields: { name: 'a', qty: 1 } }), 201);
    const clash = await at.owner.post<ProblemBody>(path, { fields: { name: 'a', qty: 1 } });
    expect(refusal(clash)).toEqual(taken);
    expect(clash.body.errors).toEqual([
      { pointer: '/fields/name', code: 'unique_violation', detail: 'Another row has the same name, qty.' },
    ]);
    const other = expectStatus(await at.owner.post<Row>(path, { fields: { name: 'a', qty: 2 } }), 201);
    expect(refusal(await at.owner.patch(`${path}/${other.id}`, { fields: { qty: 1 } }))).toEqual(taken);
    // Each op that is in the way is named: with values of its own, with those that the row has, with those of an op before it.
    const ops = [
      { op: 'create', fields: { name: 'c', qty: 1 } },
      { op: 'create', fields: { name: 'a', qty: 1 } },
      { op: 'update', id: other.id, fields: { qty: 1 } },
      { op: 'create', fields: { name: 'c', qty: 1 } },
      { op: 'create', fields: { name: 'c', qty: null } },
    ];
    const detail = 'Another row has the same name, qty.';
    const item = (op: number) => ({ pointer: `/ops/${op}/fields/name`, code: 'unique_violation', detail });
    const atomic = await at.owner.post<ProblemBody>(`${path}/bulk`, { ops });
    expect([atomic.status, atomic.body.code, atomic.body.errors]).toEqual([
      422,
      'bulk_failed',
      [item(1), item(2), item(3)],
    ]);
    const partial = expectStatus(await at.owner.post<Bulk>(`${path}/bulk`, { mode: 'partial', ops }), 200);
    expect(partial.results.map(({ status, error }) => [status, error?.errors])).toEqual([
      [201, undefined],
      [409, [item(1)]],
      [409, [item(2)]],
      [409, [item(3)]],
      [201, undefined],
    ]);
    // Rows that change places are in nobody's way.
    const second = expectStatus(await at.owner.post<Row>(path, { fields: { name: 'd', qty: 1 } }), 201);
    const change = [
      { op: 'delete', id: second.id },
      { op: 'create', fields: { name: 'd', qty: 1 } },
    ];
    expectStatus(await at.owner.post(`${path}/bulk`, { ops: change }), 200);
    // Where a value is missing, nothing is the same; and what is in the trash is not there.
    for (let i = 0; i < 2; i++) expectStatus(await at.owner.post(path, { fields: { name: 'a' } }), 201);
    expectStatus(await at.owner.del(`${path}/${first.id}`), 204);
    expectStatus(await at.owner.post(path, { fields: { name: 'a', qty: 1 } }), 201);
    // Writes that meet at one moment: one of them.
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => at.owner.post(path, { fields: { name: 'b', qty: 1 } })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
    expect(await app.app.get(DriftChecker).check()).toMatchObject({ skipped: [], findings: [] });
  });

  it('is failed where rows are the same already, and refuses nobody afterwards', async () => {
    const table = await newTable();
    const path = rowsOf(table);
    for (let i = 0; i < 2; i++) expectStatus(await at.owner.post(path, { fields: { name: 'a', qty: 1 } }), 201);
    const failed = await settled(at.owner, table, (await addIndex(at.owner, table, pairOf(table))).id);
    expect([failed.state, failed.error?.code]).toEqual(['failed', 'not_unique']);
    expect((await physicalIndexes(pair.mini, table)).map(({ name }) => name)).not.toContain(failed.name);
    expectStatus(await at.owner.post(path, { fields: { name: 'a', qty: 1 } }), 201);
  });

  it('is another than the same that is not, and is of one kind', async () => {
    const table = await newTable();
    const { columns } = pairOf(table);
    await addIndex(at.owner, table, { columns });
    await addIndex(at.owner, table, { columns, unique: true });
    expect(refusal(await ask(table, { columns, unique: true }))).toEqual([409, 'conflict']);
    const name = { columnId: columnId(table, 'name') };
    const refused: readonly (readonly [object, string])[] = [
      [{ columns, kind: 'filter', unique: true }, '/unique invalid_option'],
      [{ columns: [{ ...name, field: 'qty' }] }, '/columns/0/columnId column_mismatch'],
      [{ columns: [{ dir: 'asc' }] }, '/columns/0 column_missing'],
      [{ columns: [{ columnId: table.id }] }, '/columns/0/columnId unknown_field'],
      [{ columns: [name, { field: 'name' }] }, '/columns/1/field duplicate_key'],
    ];
    for (const [body, finding] of refused)
      expect(refusal(await ask(table, body))).toEqual([422, 'validation_failed', finding]);
  });
});

describe('an index that cannot be built', () => {
  it('is failed with a reason, holds up no writer, and can be tried again', async () => {
    const table = await newTable();
    const long = Array.from({ length: 5_000 }, () =>
      String.fromCodePoint(0x4e00 + Math.floor(Math.random() * 20_000)),
    ).join('');
    const rows = `/tables/${table.id}/rows`;
    expectStatus(await at.owner.post(rows, { fields: { name: long } }), 201);
    const index = await addIndex(at.owner, table, { columns: [{ field: 'name' }] });
    expect(index.limitsValues).toBe(true);
    const failed = await settled(at.owner, table, index.id);
    expect([failed.state, failed.error?.code]).toEqual(['failed', 'value_too_long']);
    expect((await physicalIndexes(pair.mini, table)).map(({ name }) => name)).not.toContain(failed.name);
    expectStatus(await at.owner.post(rows, { fields: { name: long } }), 201);

    const { data } = expectStatus(await at.owner.get<{ data: { id: string }[] }>(rows), 200);
    for (const { id } of data) expectStatus(await at.owner.patch(`${rows}/${id}`, { fields: { name: 'short' } }), 200);
    expectStatus(await at.owner.del(path(table, failed.id)), 202);
    const again = await addIndex(at.owner, table, { columns: [{ field: 'name' }] });
    expect((await settled(at.owner, table, again.id)).state).toBe('ready');
    // Now it is there, and what it cannot take is refused in so many words, wherever it is.
    const item = (pointer: string) => ({
      pointer,
      code: 'too_long_for_index',
      detail: 'Too long for the index of name: its values have at most 2600 bytes together.',
    });
    const single = await at.owner.post<ProblemBody>(rows, { fields: { name: long } });
    expect([single.status, single.body.code, single.body.errors]).toEqual([
      422,
      'validation_failed',
      [item('/fields/name')],
    ]);
    const [row] = data;
    const patched = await at.owner.patch<ProblemBody>(`${rows}/${row?.id}`, { fields: { name: long, qty: 1 } });
    expect([patched.status, patched.body.errors]).toEqual([422, [item('/fields/name')]]);
    const ops = [
      { op: 'create', fields: { name: 'short' } },
      { op: 'update', id: row?.id, fields: { name: long } },
    ];
    const bulk = await at.owner.post<ProblemBody>(`${rows}/bulk`, { ops });
    expect([bulk.status, bulk.body.code, bulk.body.errors]).toEqual([422, 'bulk_failed', [item('/ops/1/fields/name')]]);
    const partial = expectStatus(await at.owner.post<Bulk>(`${rows}/bulk`, { mode: 'partial', ops }), 200);
    expect(partial.results.map(({ status, error }) => [status, error?.errors])).toEqual([
      [201, undefined],
      [422, [item('/ops/1/fields/name')]],
    ]);
    const set = { filter: { field: 'name', op: 'eq', value: 'short' }, set: { name: long } };
    const tried = expectStatus(
      await at.owner.post<{ confirmToken: string }>(`${rows}/bulk-update`, { ...set, dryRun: true }),
      200,
    );
    const byFilter = await at.owner.post<ProblemBody>(`${rows}/bulk-update`, {
      ...set,
      confirmToken: tried.confirmToken,
    });
    expect([byFilter.status, byFilter.body.errors?.[0]?.code, byFilter.body.errors?.[0]?.pointer]).toEqual([
      422,
      'too_long_for_index',
      '/set',
    ]);
  });
});

describe('an index follows its table', () => {
  it('goes to the trash with a column and comes back with it, goes with a purged one, and stays with every other change', async () => {
    const table = await newTable();
    const [gone, stays] = [
      await addIndex(at.owner, table, { columns: [{ field: 'qty' }, { field: 'due' }] }),
      await addIndex(at.owner, table, { columns: [{ field: 'due' }] }),
    ];
    for (const { id } of [gone, stays]) expect((await settled(at.owner, table, id)).state).toBe('ready');
    const column = `/tables/${table.id}/columns/${columnId(table, 'qty')}`;
    const atRest = async () => {
      await waitFor(async () => {
        const names = (await physicalIndexes(pair.mini, table)).map(({ name }) => name);
        return !names.includes(gone.name) && names.includes(stays.name);
      }, 20_000);
      expect((await indexesOf(at.owner, table)).some(({ id }) => id === gone.id)).toBe(false);
      expect(refusal(await at.owner.del(path(table, gone.id)))).toEqual([404, 'not_found']);
      expect(await app.app.get(DriftChecker).check()).toMatchObject({ skipped: [], findings: [] });
    };
    expectStatus(await at.owner.del(column), 204);
    await atRest();
    expectStatus(await at.owner.post(`${column}/restore`, {}), 200);
    expect(await settled(at.owner, table, gone.id)).toMatchObject({ state: 'ready', columns: gone.columns });
    expect((await physicalIndexes(pair.mini, table)).map(({ name }) => name)).toContain(gone.name);

    expectStatus(await at.owner.del(column), 204);
    await atRest();
    await sql(pair.main, "update columns set deleted_at = now() - interval '40 days' where id = $1", [
      columnId(table, 'qty'),
    ]);
    await app.app.get(StructurePurge).sweep();
    const left = () => sql(pair.main, 'select state from table_indexes where id = $1', [gone.id]);
    await waitFor(async () => (await left()).length === 0, 20_000);
    const audited = await sql(
      pair.main,
      "select actor_via as via from audit_log where resource_id = $1 and action = 'index.deleted'",
      [gone.id],
    );
    expect(audited).toEqual([{ via: 'system' }]);
  });

  it('that is unique holds from the restore of its column on, or the restore is refused with the rows in the way', async () => {
    const table = await newTable();
    const rows = `/tables/${table.id}/rows`;
    const columns = [{ field: 'name' }, { field: 'qty' }];
    const index = await addIndex(at.owner, table, { columns, unique: true });
    expect((await settled(at.owner, table, index.id)).state).toBe('ready');
    const [first, second] = [
      expectStatus(await at.owner.post<Row>(rows, { fields: { name: 'a', qty: 1 } }), 201),
      expectStatus(await at.owner.post<Row>(rows, { fields: { name: 'b', qty: 1 } }), 201),
    ];
    const column = `/tables/${table.id}/columns/${columnId(table, 'qty')}`;
    const gone = () =>
      waitFor(async () => !(await physicalIndexes(pair.mini, table)).some(({ name }) => name === index.name), 20_000);
    expectStatus(await at.owner.del(column), 204);
    await gone();
    // Nothing demands anything of the names alone.
    expectStatus(await at.owner.patch(`${rows}/${second.id}`, { fields: { name: 'a' } }), 200);
    const refused = await at.owner.post<ProblemBody>(`${column}/restore`, {});
    expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
      409,
      'rows_in_the_way',
      [
        {
          pointer: '',
          code: 'values_repeat',
          detail: '1 values of name, qty are in more than one row, which a unique index forbids.',
          count: 1,
          values: [{ values: { name: 'a', qty: 1 }, rows: 2, rowIds: [first.id, second.id] }],
        },
      ],
    ]);
    expectStatus(await at.owner.patch(`${rows}/${second.id}`, { fields: { name: 'b' } }), 200);
    expectStatus(await at.owner.post(`${column}/restore`, {}), 200);
    const clash = [409, 'unique_violation', '/fields/name unique_violation'];
    expect(refusal(await at.owner.post(rows, { fields: { name: 'b', qty: 1 } }))).toEqual(clash);
    expect((await settled(at.owner, table, index.id)).state).toBe('ready');
    expect(refusal(await at.owner.post(rows, { fields: { name: 'b', qty: 1 } }))).toEqual(clash);

    // Relaxed, it comes back without: the index is there by name, and says why not.
    expectStatus(await at.owner.del(column), 204);
    await gone();
    expectStatus(await at.owner.patch(`${rows}/${second.id}`, { fields: { name: 'a' } }), 200);
    expectStatus(await at.owner.post(`${column}/restore`, { relax: true }), 200);
    const failed = await settled(at.owner, table, index.id);
    expect([failed.state, failed.error?.code]).toEqual(['failed', 'not_unique']);
    expect(await app.app.get(DriftChecker).check()).toMatchObject({ skipped: [], findings: [] });
  });

  it('is built anew when the choices that it sorts by change', async () => {
    const table = await newTable();
    const index = await addIndex(at.owner, table, { columns: [{ field: 'status' }] });
    await settled(at.owner, table, index.id);
    const choices = [{ key: 'lost', label: 'Lost' }, { key: 'open', label: 'Open' }, { key: 'won', label: 'Won' }]; // prettier-ignore
    const column = `/tables/${table.id}/columns/${columnId(table, 'status')}`;
    expectStatus(await at.owner.patch(column, { options: { choices } }), 200);
    await waitFor(
      async () =>
        (await physicalIndexes(pair.mini, table)).some(
          ({ name, valid, text }) => name === index.name && valid && text.includes("'lost'"),
        ),
      20_000,
    );
    expect((await settled(at.owner, table, index.id)).state).toBe('ready');
  });

  it('stays with a table in the trash, and is there when it comes back', async () => {
    const table = await newTable();
    const index = await addIndex(at.owner, table, { columns: [{ field: 'qty' }] });
    await settled(at.owner, table, index.id);
    expectStatus(await at.owner.del(`/tables/${table.id}`), 204);
    expectStatus(await at.owner.post(`/tables/${table.id}/restore`), 200);
    expect((await settled(at.owner, table, index.id)).state).toBe('ready');
    expect((await physicalIndexes(pair.mini, table)).map(({ name }) => name)).toContain(index.name);
  });

  it('gives way while it is built: a structure change does not wait for it, rows are written all the time', async () => {
    const table = await newTable();
    // PostgreSQL ends a build only when everybody who began to read before it is done.
    const reader = await heldSnapshot(pair.mini);
    const index = await addIndex(at.owner, table, { columns: [{ field: 'qty' }] });
    await waitFor(
      async () => (await physicalIndexes(pair.mini, table)).some(({ name }) => name === index.name),
      20_000,
    );
    expectStatus(await at.owner.post(`/tables/${table.id}/rows`, { fields: { qty: 1 } }), 201);
    expectStatus(await at.owner.post(`/tables/${table.id}/columns`, { name: 'More', type: 'text' }), 201);
    expectStatus(await at.owner.post(`/tables/${table.id}/rows`, { fields: { qty: 2, more: 'x' } }), 201);
    await reader.end();
    expect((await settled(at.owner, table, index.id)).state).toBe('ready');
  });

  it('is not built to its end when nobody wants it any more', async () => {
    const table = await newTable();
    const reader = await heldSnapshot(pair.mini);
    const index = await addIndex(at.owner, table, { columns: [{ field: 'due' }] });
    await waitFor(
      async () => (await physicalIndexes(pair.mini, table)).some(({ name }) => name === index.name),
      20_000,
    );
    expectStatus(await at.owner.del(path(table, index.id)), 202);
    await waitFor(async () => !(await indexesOf(at.owner, table)).some(({ id }) => id === index.id), 20_000);
    expect((await physicalIndexes(pair.mini, table)).map(({ name }) => name)).not.toContain(index.name);
    await reader.end();
  });
});

it('answers a client that is nobody with 401', async () => {
  expect((await client(app.base).get(path(await newTable()))).status).toBe(401);
});
