import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  asSuperuser,
  expectStatus,
  member,
  signup,
  sql,
  startApp,
  world,
  type Answer,
  type Column,
  type Person,
  type Row,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';
import { refusal } from '../support/rows.js';

interface List<T> {
  readonly data: readonly T[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}
interface Base {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly description: string | null;
  readonly physical: { readonly schema: string };
}

let app: TestApp;
let at: World;
let owner: Person;
beforeAll(async () => {
  app = await startApp();
  at = await world(app.base);
  ({ owner } = at);
}, 60_000);

let bases = 0;
const newBase = async (name = `Base ${++bases}`): Promise<Base> =>
  expectStatus(await owner.post<Base>(`/workspaces/${at.workspace.id}/bases`, { name }), 201);
const addTable = (base: { id: string }, body: object) => owner.post<Table>(`/bases/${base.id}/tables`, body);
const newTable = async (
  columns: readonly object[] = [{ name: 'Name', type: 'text' }],
  base?: { id: string },
): Promise<Table> => expectStatus(await addTable(base ?? (await newBase()), { name: 'Things', columns }), 201);
const addColumn = (table: Table, body: object) => owner.post<Column>(`/tables/${table.id}/columns`, body);
const addRow = async (table: Table, fields: object): Promise<Row> =>
  expectStatus(await owner.post<Row>(`/tables/${table.id}/rows`, { fields }), 201);
const rows = async (table: Table): Promise<readonly Row[]> =>
  expectStatus(await owner.get<List<Row>>(`/tables/${table.id}/rows`), 200).data;

/** Columns of the physical table, as PostgreSQL has them. */
const physicalColumns = async ({ physical }: Table): Promise<string[]> => {
  const found = await sql<{ name: string }>(
    app.config.miniDb,
    `select column_name as name from information_schema.columns where table_schema = $1 and table_name = $2
     and column_name not in ('_id', '_version', '_created_at', '_created_by', '_updated_at', '_updated_by', '_deleted_at') order by ordinal_position`,
    [physical.schema, physical.table],
  );
  return found.map(({ name }) => name);
};

describe('bases', () => {
  it('are made, listed, read, renamed and deleted, tables and all', async () => {
    const made = await owner.post<Base>(`/workspaces/${at.workspace.id}/bases`, {
      name: '  Größe  ',
      description: 'x',
    });
    const base = expectStatus(made, 201);
    expect(made.headers.get('location')).toBe(`/api/v1/bases/${base.id}`);
    expect(base).toMatchObject({ name: 'Größe', description: 'x', workspaceId: at.workspace.id });
    expect(base.physical.schema).toMatch(/^grosse_[a-z0-9]{6}$/);
    expect((await owner.get(`/bases/${base.id}`)).body).toEqual(base);
    const table = await newTable(undefined, base);
    expect((await owner.patch<Base>(`/bases/${base.id}`, { name: 'Size', description: null })).body).toMatchObject({
      name: 'Size',
      description: null,
      physical: base.physical,
    });
    expect((await owner.del(`/bases/${base.id}`)).status).toBe(204);
    for (const path of [
      `/bases/${base.id}`,
      `/tables/${table.id}`,
      `/tables/${table.id}/rows`,
      `/bases/${base.id}/tables`,
    ])
      expect(refusal(await owner.get(path))).toEqual([404, 'not_found']);
    expect(refusal(await owner.post(`/tables/${table.id}/rows`, { fields: {} }))).toEqual([404, 'not_found']);
    const { data } = expectStatus(await owner.get<List<Base>>(`/workspaces/${at.workspace.id}/bases?limit=1000`), 200);
    expect(data.map(({ id }) => id)).not.toContain(base.id);
  });

  it('may have any name that a person would give, and names that are PostgreSQL’s own business', async () => {
    for (const name of [
      'pg',
      'PG stuff',
      'pg_catalog',
      'public',
      'information_schema',
      '"; drop schema public cascade; --',
      '\u{1F600}',
      'x'.repeat(255),
      '日本',
    ])
      expect((await newBase(name)).physical.schema).toMatch(/^(?!pg_)[a-z][a-z0-9_]{0,62}$/);
  });

  it('of one workspace have different names, whatever the letter case; a deleted one frees its name', async () => {
    const base = await newBase('Twins');
    const again = await owner.post(`/workspaces/${at.workspace.id}/bases`, { name: 'TWINS' });
    expect(refusal(again)).toEqual([409, 'name_taken', '/name name_taken']);
    const other = await newBase();
    expect(refusal(await owner.patch(`/bases/${other.id}`, { name: 'twins' }))).toEqual([
      409,
      'name_taken',
      '/name name_taken',
    ]);
    expectStatus(await owner.del(`/bases/${base.id}`), 204);
    await newBase('twins');
  });

  it('of the same name made at the same moment: one wins, and nothing stays of the others', async () => {
    const schemas = async () =>
      (await sql(app.config.miniDb, "select 1 from pg_namespace where nspname like 'race%'")).length;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        owner.post(`/workspaces/${at.workspace.id}/bases`, { name: i % 2 ? 'Race' : 'RACE' }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, ...Array<number>(7).fill(409)]);
    expect(await schemas()).toBe(1);
  });
});

describe('tables', () => {
  it('are made with their columns in one call', async () => {
    const base = await newBase();
    const made = await addTable(base, {
      name: 'Deals',
      columns: [
        { name: 'Name', type: 'text', required: true },
        {
          name: 'Status',
          type: 'single_select',
          options: { choices: [{ label: 'Open' }, { label: 'Won' }] },
          default: 'Open',
        },
        { name: 'Unit price', type: 'decimal', options: { scale: 2 }, default: '1.5' },
      ],
    });
    const table = expectStatus(made, 201);
    expect(made.headers.get('location')).toBe(`/api/v1/tables/${table.id}`);
    expect(table).toMatchObject({
      key: 'deals',
      name: 'Deals',
      schemaVersion: 1,
      physical: { schema: base.physical.schema, table: 'deals' },
    });
    expect(table.columns).toMatchObject([
      { key: 'name', required: true, unique: false, default: null, options: {}, position: 0 },
      {
        key: 'status',
        default: 'open',
        options: {
          choices: [
            { key: 'open', label: 'Open' },
            { key: 'won', label: 'Won' },
          ],
        },
        position: 1,
      },
      { key: 'unit_price', default: '1.5', options: { scale: 2 }, position: 2 },
    ]);
    expect((await owner.get(`/tables/${table.id}`)).body).toEqual(table);
    expect((await owner.get<List<Table>>(`/bases/${base.id}/tables`)).body).toEqual({
      data: [table],
      page: { limit: 50 },
    });
    expect((await addRow(table, { name: 'x' })).fields).toEqual({ name: 'x', status: 'open', unit_price: '1.50' });
  });

  it('and columns may have any name; the key is derived, the name stays what was given', async () => {
    const names = [
      '"; DROP TABLE x; --', "Robert'); DROP TABLE students;--", 'select', 'users', 'User', 'constructor', '__proto__', 'ctid', 'xmin', 'tableoid', '_id', '_version',
      '\u{1F600}', '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}', 'é'.repeat(70), 'x'.repeat(255), '日本語', 'Цена', '2026', '%s %I $1', '<script>', 'a/b~c', 'null', '\u202Ertl', 'name',
    ]; // prettier-ignore
    const base = await newBase();
    for (const name of names) {
      const columns = names.map((each) => ({ name: each, type: 'text' }));
      const table = expectStatus(await addTable(base, { name, columns }), 201);
      expect([table.name, ...table.columns.map((column) => column.name)]).toEqual([name, ...names]);
      const keys = table.columns.map(({ key }) => key);
      for (const key of [table.key, ...keys]) expect(key).toMatch(/^[a-z][a-z0-9_]{0,47}$/);
      expect(new Set(keys).size).toBe(keys.length);
      expect(await physicalColumns(table)).toEqual(keys);
      if (name !== names[0]) continue;
      const fields = Object.fromEntries(keys.map((key, i) => [key, names[i]]));
      expect((await addRow(table, fields)).fields).toEqual(fields);
      expect(await rows(table)).toMatchObject([{ fields }]);
    }
    const { data } = expectStatus(await owner.get<List<Table>>(`/bases/${base.id}/tables?limit=1000`), 200);
    expect(data.map(({ name }) => name)).toEqual(names);
  });

  it('may be named like an index, a sequence or a system table', async () => {
    const base = await newBase();
    for (const name of [
      'deals',
      'deals_pkey',
      'deals pkey 1',
      'pg_class',
      '_stream',
      'stream',
      '_change',
      'applied',
      'information_schema',
    ])
      expectStatus(await addTable(base, { name, columns: [{ name: 'A', type: 'integer', unique: true }] }), 201);
  });

  it('of one base have different names, whatever the letter case, and so have columns of one table', async () => {
    const base = await newBase();
    const table = await newTable([{ name: 'Größe', type: 'text' }], base);
    expect(refusal(await addTable(base, { name: 'THINGS' }))).toEqual([409, 'name_taken', '/name name_taken']);
    expectStatus(await addColumn(table, { name: 'GRÖSSE', type: 'text' }), 201);
    expect(refusal(await addColumn(table, { name: 'GRÖßE', type: 'text' }))).toEqual([
      409,
      'name_taken',
      '/name name_taken',
    ]);
    const twice = {
      name: 'Other',
      columns: [
        { name: 'a', type: 'text' },
        { name: 'A', type: 'text' },
      ],
    };
    expect(refusal(await addTable(base, twice))).toEqual([409, 'name_taken', '/columns/1/name name_taken']);
    const other = expectStatus(await addTable(base, { name: 'Other' }), 201);
    expect(refusal(await owner.patch(`/tables/${other.id}`, { name: 'things' }))).toEqual([
      409,
      'name_taken',
      '/name name_taken',
    ]);
    // To write one's own name in another case is no clash.
    expect((await owner.patch<Table>(`/tables/${table.id}`, { name: 'THINGS' })).body).toMatchObject({
      name: 'THINGS',
      key: 'things',
      schemaVersion: 3,
    });
  });

  it('are refused for everything that is wrong with them, with pointers, and then nothing is there', async () => {
    const base = await newBase();
    const bad = [
      [{ name: '' }, '/name is_name'],
      [{ name: 'a\nb' }, '/name is_name'],
      [{ name: 'x'.repeat(256) }, '/name is_name'],
      [{ name: 7 }, '/name is_name'],
      [{}, '/name is_name'],
      [{ name: 'x', colour: 'red' }, '/colour unknown_property'],
      [{ name: 'x', columns: {} }, '/columns is_array'],
      [{ name: 'x', columns: [{ name: 'a' }] }, '/columns/0/type is_in'],
      [{ name: 'x', columns: [{ name: 'a', type: 'varchar' }] }, '/columns/0/type is_in'],
      [{ name: 'x', columns: [{ name: 'a', type: 'text', size: 3 }] }, '/columns/0/size unknown_property'],
      [{ name: 'x', columns: [{ name: 'a', type: 'text', required: 'yes' }] }, '/columns/0/required is_boolean'],
      [
        { name: 'x', columns: [{ name: 'a', type: 'text', options: { scale: 2 } }] },
        '/columns/0/options unknown_option',
      ],
      [
        { name: 'x', columns: [{ name: 'a', type: 'decimal', options: { scale: 99 } }] },
        '/columns/0/options invalid_option',
      ],
      [{ name: 'x', columns: [{ name: 'a', type: 'single_select' }] }, '/columns/0/options invalid_option'],
      [{ name: 'x', columns: [{ name: 'a', type: 'integer', default: 1.5 }] }, '/columns/0/default not_an_integer'],
      [{ name: 'x', columns: [{ name: 'a', type: 'long_text', unique: true }] }, '/columns/0/unique invalid_option'],
      [
        { name: 'x', columns: Array.from({ length: 251 }, (_, i) => ({ name: `c${i}`, type: 'text' })) },
        '/columns array_max_size',
      ],
    ] as const;
    for (const [body, finding] of bad)
      expect(refusal(await addTable(base, body))).toEqual([422, 'validation_failed', finding]);
    const several = {
      name: 'x',
      columns: [
        { name: 'a', type: 'integer', default: 'x' },
        { name: 'b', type: 'text' },
        { name: 'c', type: 'text', options: { maxLength: 0 } },
      ],
    };
    expect(refusal(await addTable(base, several))).toEqual([
      422,
      'validation_failed',
      '/columns/0/default not_an_integer',
      '/columns/2/options invalid_option',
    ]);
    expect((await owner.get<List<Table>>(`/bases/${base.id}/tables`)).body.data).toEqual([]);
  });

  it('go to the trash and come back with their rows; their name is free meanwhile', async () => {
    const base = await newBase();
    const table = await newTable([{ name: 'Name', type: 'text', unique: true, required: true }], base);
    const row = await addRow(table, { name: 'kept' });
    expectStatus(await owner.del(`/tables/${table.id}`), 204);
    for (const path of ['', '/rows', `/rows/${row.id}`, '/columns'])
      expect(refusal(await owner.get(`/tables/${table.id}${path}`))).toEqual([404, 'not_found']);
    expect(refusal(await owner.del(`/tables/${table.id}`))).toEqual([404, 'not_found']);

    const second = await newTable([{ name: 'Name', type: 'text' }], base);
    expect(second.physical.table).toBe('things');
    await addRow(second, { name: 'of the second' });
    expect(refusal(await owner.post(`/tables/${table.id}/restore`))).toEqual([409, 'name_taken', '/name name_taken']);
    expectStatus(await owner.patch(`/tables/${second.id}`, { name: 'Second' }), 200);
    const back = expectStatus(await owner.post<Table>(`/tables/${table.id}/restore`), 200);
    // The key of the first is in use by the second, which was only renamed.
    expect(back).toMatchObject({ id: table.id, name: 'Things', key: 'things_2' });
    expect(await rows(back)).toEqual([row]);
    expect(await rows(second)).toMatchObject([{ fields: { name: 'of the second' } }]);
    expect(refusal(await owner.post(`/tables/${back.id}/rows`, { fields: { name: 'kept' } }))).toEqual([
      409,
      'unique_violation',
      '/fields/name unique_violation',
    ]);
    expect(refusal(await owner.post(`/tables/${table.id}/restore`))).toEqual([404, 'not_found']);
  });

  it('are for admins to change, for members to see, and for others not there', async () => {
    const table = await newTable(undefined, at.base);
    const [admin, editor, viewer, stranger] = [
      await member(at, 'admin'),
      await member(at, 'editor'),
      await member(at, 'viewer'),
      await signup(app.base),
    ];
    for (const person of [admin, editor, viewer]) expect((await person.get(`/tables/${table.id}`)).status).toBe(200);
    const attempts: ((person: Person) => Promise<Answer<unknown>>)[] = [
      (person) => person.post(`/workspaces/${at.workspace.id}/bases`, { name: 'mine' }),
      (person) => person.post(`/bases/${at.base.id}/tables`, { name: 'mine' }),
      (person) => person.patch(`/tables/${table.id}`, { name: 'mine' }),
      (person) => person.post(`/tables/${table.id}/columns`, { name: 'mine', type: 'text' }),
      (person) => person.patch(`/tables/${table.id}/columns/${table.columns[0]?.id}`, { name: 'mine' }),
      (person) => person.del(`/tables/${table.id}/columns/${table.columns[0]?.id}`),
      (person) => person.del(`/tables/${table.id}`),
      (person) => person.post(`/tables/${table.id}/restore`),
      (person) => person.del(`/bases/${at.base.id}`),
    ];
    for (const attempt of attempts) {
      for (const person of [editor, viewer]) expect(refusal(await attempt(person))).toEqual([403, 'role_too_low']);
      expect(refusal(await attempt(stranger))).toEqual([404, 'not_found']);
    }
    expect((await owner.get(`/tables/${table.id}`)).body).toEqual(table);
    expect((await admin.patch(`/tables/${table.id}`, { description: 'ours' })).status).toBe(200);
  });
});

describe('columns', () => {
  it('are added to rows that are there, renamed without a new key, and hidden when deleted; the key is free again', async () => {
    const table = await newTable();
    const row = await addRow(table, { name: 'old' });
    const added = await addColumn(table, { name: 'Qty', type: 'integer', required: true, default: 7 });
    const column = expectStatus(added, 201);
    expect(column).toMatchObject({ key: 'qty', position: 1, default: 7, required: true });
    expect(await rows(table)).toMatchObject([{ id: row.id, version: 1, fields: { name: 'old', qty: 7 } }]);

    const renamed = await owner.patch<Column>(`/tables/${table.id}/columns/${column.id}`, { name: 'Quantity' });
    expect(renamed.body).toMatchObject({ key: 'qty', name: 'Quantity' });
    expect((await addRow(table, { name: 'new' })).fields).toEqual({ name: 'new', qty: 7 });

    expectStatus(await owner.del(`/tables/${table.id}/columns/${column.id}`), 204);
    expect((await addRow(table, { name: 'without' })).fields).toEqual({ name: 'without' });
    expect(refusal(await owner.post(`/tables/${table.id}/rows`, { fields: { qty: 1 } }))).toEqual([
      422,
      'validation_failed',
      '/fields/qty unknown_field',
    ]);
    expect(refusal(await owner.del(`/tables/${table.id}/columns/${column.id}`))).toEqual([404, 'not_found']);

    const again = expectStatus(await addColumn(table, { name: 'Qty', type: 'text' }), 201);
    expect(again).toMatchObject({ key: 'qty', type: 'text', position: 1 });
    expect((await rows(table)).map(({ fields }) => fields.qty)).toEqual([null, null, null]);
    expect(await physicalColumns(table)).toEqual(['name', expect.stringMatching(/^_old_qty_[a-z0-9]{6}$/), 'qty']);
    expect((await owner.get<Table>(`/tables/${table.id}`)).body.schemaVersion).toBe(5);
  });

  it('that are required need a default when there may be rows', async () => {
    const table = await newTable();
    expect(refusal(await addColumn(table, { name: 'Must', type: 'text', required: true }))).toEqual([
      422,
      'validation_failed',
      '/default default_missing',
    ]);
  });

  it('that are unique refuse a default that two rows would share', async () => {
    const table = await newTable();
    const unique = { name: 'Code', type: 'text', unique: true, default: 'same' };
    await addRow(table, { name: 'a' });
    await addRow(table, { name: 'b' });
    expect(refusal(await addColumn(table, unique))).toEqual([409, 'unique_violation', '/unique unique_violation']);
    expect(await physicalColumns(table)).toEqual(['name']);
    expectStatus(await addColumn(table, { ...unique, default: null }), 201);
    for (const code of ['x', null, null]) await addRow(table, { code });
    expect(refusal(await owner.post(`/tables/${table.id}/rows`, { fields: { code: 'x' } }))).toEqual([
      409,
      'unique_violation',
      '/fields/code unique_violation',
    ]);
  });

  it('keep defaults of every type exactly', async () => {
    const defaults = {
      text: '123',
      long_text: 'true',
      integer: 2 ** 53 - 1,
      decimal: '0.10',
      boolean: false,
      date: '0001-01-01',
      datetime: '9999-12-31T23:59:59.999Z',
      single_select: 'b',
    };
    const table = await newTable();
    for (const [type, value] of Object.entries(defaults)) {
      const options = type === 'single_select' ? { choices: [{ label: 'a' }, { label: 'b' }] } : {};
      expect(expectStatus(await addColumn(table, { name: type, type, default: value, options }), 201).default).toBe(
        value,
      );
    }
    const { columns } = expectStatus(await owner.get<Table>(`/tables/${table.id}`), 200);
    expect(Object.fromEntries(columns.slice(1).map((column) => [column.type, column.default]))).toEqual(defaults);
    expect((await addRow(table, {})).fields).toEqual({ name: null, ...defaults });
    expect((await addRow(table, Object.fromEntries(columns.map(({ key }) => [key, null])))).fields).toEqual(
      Object.fromEntries(columns.map(({ key }) => [key, null])),
    );
  });

  it('take further choices and other labels, and lose none', async () => {
    const table = await newTable([
      { name: 'S', type: 'single_select', options: { choices: [{ label: 'A' }, { label: 'B' }] } },
    ]);
    const path = `/tables/${table.id}/columns/${table.columns[0]?.id}`;
    await addRow(table, { s: 'B' });
    expect(refusal(await owner.patch(path, { options: { choices: [{ key: 'a', label: 'A' }] } }))).toEqual([
      409,
      'rows_in_the_way',
      '/options/choices choice_in_use',
    ]);
    const choices = [{ key: 'b', label: 'Bee' }, { label: 'C' }, { key: 'a', label: 'Ah', color: 'red' }];
    expect((await owner.patch<Column>(path, { options: { choices } })).body.options).toEqual({
      choices: [
        { key: 'b', label: 'Bee' },
        { key: 'c', label: 'C' },
        { key: 'a', label: 'Ah', color: 'red' },
      ],
    });
    for (const color of ['a b', '#0afab', '', 7, null])
      expect(refusal(await owner.patch(path, { options: { choices: [...choices, { label: 'D', color }] } }))).toEqual([
        422,
        'validation_failed',
        '/options invalid_option',
      ]);
    await addRow(table, { s: 'Ah' });
    const { data } = expectStatus(await owner.get<List<Row>>(`/tables/${table.id}/rows?sort=s`), 200);
    expect(data.map(({ fields }) => fields.s)).toEqual(['b', 'a']);
  });

  it('are at most 250, deleted ones not counted', async () => {
    const table = await newTable(Array.from({ length: 250 }, (_, i) => ({ name: `c${i}`, type: 'text' })));
    expect(refusal(await addColumn(table, { name: 'one more', type: 'text' }))).toEqual([422, 'limit_reached']);
    expectStatus(await owner.del(`/tables/${table.id}/columns/${table.columns[3]?.id}`), 204);
    expect(expectStatus(await addColumn(table, { name: 'one more', type: 'text' }), 201).position).toBe(249);
    const fields = Object.fromEntries(
      (await owner.get<Table>(`/tables/${table.id}`)).body.columns.map(({ key }, i) => [key, `value ${i}`]),
    );
    expect((await addRow(table, fields)).fields).toEqual(fields);
  });

  it('cannot be added while somebody holds the table, which is said, and nobody has to wait for that', async () => {
    const table = await newTable();
    await asSuperuser(app.config.miniDb.database, async (session) => {
      await session.query('begin');
      await session.query(`select 1 from "${table.physical.schema}"."${table.physical.table}"`);
      const adding = addColumn(table, { name: 'Later', type: 'text' });
      const startedAt = performance.now();
      await addRow(table, { name: 'meanwhile' });
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(refusal(await adding)).toEqual([423, 'schema_busy']);
      await session.query('rollback');
    });
    expect(await physicalColumns(table)).toEqual(['name']);
    expectStatus(await addColumn(table, { name: 'Later', type: 'text' }), 201);
  }, 30_000);
});

describe('every change of structure', () => {
  it('is in the audit log and in the change log', async () => {
    const base = await newBase();
    const table = await newTable(undefined, base);
    const column = expectStatus(await addColumn(table, { name: 'B', type: 'text' }), 201);
    expectStatus(await owner.patch(`/tables/${table.id}/columns/${column.id}`, { name: 'C' }), 200);
    expectStatus(await owner.del(`/tables/${table.id}/columns/${column.id}`), 204);
    expectStatus(await owner.patch(`/tables/${table.id}`, { name: 'Renamed' }), 200);
    expectStatus(await owner.del(`/tables/${table.id}`), 204);
    expectStatus(await owner.post(`/tables/${table.id}/restore`), 200);
    const audit = await sql<{ action: string; actor_id: string }>(
      app.config.mainDb,
      'select action, actor_id from audit_log where resource_id = any($1) order by id',
      [[base.id, table.id, column.id]],
    );
    const actions = [
      'base.created',
      'table.created',
      'column.created',
      'column.updated',
      'column.deleted',
      'table.updated',
      'table.deleted',
      'table.restored',
    ];
    expect(audit).toEqual(actions.map((action) => ({ action, actor_id: owner.user.id })));
    const log = await sql<{ seq: string; op: string; schema_version: number }>(
      app.config.miniDb,
      `select seq, op, schema_version from "${table.physical.schema}"._change where table_id = $1 order by seq`,
      [table.id],
    );
    expect(log).toEqual(
      [2, 3, 4, 5, 6, 7].map((version, i) => ({ seq: String(i + 1), op: 'schema', schema_version: version })),
    );
  });
});
