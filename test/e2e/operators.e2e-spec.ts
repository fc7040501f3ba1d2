import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { ensureRoles } from '../../src/database/embedded/index.js';
import { MINI_MIGRATIONS, migrateMini, revertMini } from '../../src/database/mini/index.js';
import { DriftChecker } from '../../src/modules/tables/drift/drift-checker.js';
import {
  afterThisFile,
  asSuperuser,
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Column,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

let pair: TestDatabases;
let app: TestApp;
let at: World;
beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
}, 60_000);

type Records = Record<string, unknown>[];

/** Runs statements as the role that the server signs in as, or as one that it is a member of. */
async function as(role: string | undefined, ...statements: readonly string[]): Promise<Records> {
  const { host, port, username, password, database } = pair.mini;
  const connection = new pg.Client({ host, port, user: username, password, database });
  await connection.connect();
  try {
    if (role !== undefined) await connection.query(`set role ${role}`);
    let rows: Records = [];
    for (const statement of statements) rows = (await connection.query<Record<string, unknown>>(statement)).rows;
    return rows;
  } finally {
    await connection.end();
  }
}

const DENIED = { code: '42501' };
const viewOf = ({ physical }: Table) => `"${physical.schema}"."_readable_${physical.table}"`;
const tableOf = ({ physical }: Table) => `"${physical.schema}"."${physical.table}"`;
const columnsOf = async (table: Table) =>
  (
    await sql<{ name: string }>(
      pair.mini,
      'select column_name as name from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position',
      [table.physical.schema, `_readable_${table.physical.table}`],
    )
  ).map(({ name }) => name);

/** Who owns a table's base and all that is in it. */
const ownersOf = ({ mini }: Pick<TestDatabases, 'mini'>, { physical }: Table) =>
  sql(
    mini,
    `select pg_get_userbyid(relowner) as owner from pg_class where relnamespace = $1::text::regnamespace and relkind in ('r', 'v')
     union select pg_get_userbyid(nspowner) from pg_namespace where nspname = $1::text`,
    [physical.schema],
  );

const SYSTEM = ['Row id', 'Version', 'Created at', 'Created by', 'Updated at', 'Updated by'];
const newTable = async (name: string, columns: readonly object[]) =>
  expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name, columns }), 201);

describe('the roles of the mini database', () => {
  it('let an operator read everything of a base, whatever is made in it later, and write nothing', async () => {
    const table = await newTable('Read', [{ name: 'Name', type: 'text' }]);
    expectStatus(await at.owner.post(`/tables/${table.id}/rows`, { fields: { name: 'seen' } }), 201);
    expect(await as('mini_readonly', `select name from ${tableOf(table)}`)).toEqual([{ name: 'seen' }]);
    expect(await as('mini_readonly', `select "Name" from ${viewOf(table)}`)).toEqual([{ Name: 'seen' }]);
    expect(
      await as('mini_readonly', `select op from "${table.physical.schema}"._change where table_id = '${table.id}'`),
    ).toEqual([{ op: 'create' }]);
    for (const statement of [
      `update ${tableOf(table)} set name = 'x'`,
      `delete from "${table.physical.schema}"._change`,
      `insert into ${viewOf(table)} ("Name") values ('x')`,
      `drop table ${tableOf(table)}`,
      `create table "${table.physical.schema}".mine (a integer)`,
      'create table public.mine (a integer)',
    ])
      await expect(as('mini_readonly', statement)).rejects.toMatchObject(DENIED);
  });

  it('keep row statements from changing any structure, which belongs to the owner', async () => {
    const table = await newTable('Owned', [{ name: 'Name', type: 'text' }]);
    expect(await ownersOf(pair, table)).toEqual([{ owner: 'mini_owner' }]);
    for (const statement of [
      `alter table ${tableOf(table)} drop column name`,
      `drop table ${tableOf(table)} cascade`,
      `drop view ${viewOf(table)}`,
      `drop schema "${table.physical.schema}" cascade`,
      `create table "${table.physical.schema}".mine (a integer)`,
      `truncate ${tableOf(table)}`,
    ])
      await expect(as(undefined, statement)).rejects.toMatchObject(DENIED);
  });

  it('are missed by nobody where they are not to be had, and adopt what was made without them', async () => {
    const role = `plain_${randomBytes(4).toString('hex')}`;
    const asRoot = <T>(work: (root: pg.Client) => Promise<T>) => asSuperuser('postgres', work);
    afterThisFile(() => asRoot((root) => root.query(`drop role ${role}`)));
    const [{ main }, { mini: raw }] = [await databases(), await databases({ migrated: false })];
    const mini = { ...raw, username: role, password: 'of this test only' };
    await asRoot(async (root) => {
      await root.query(`create role ${role} login password '${mini.password}'`);
      await root.query(`alter database ${mini.database} owner to ${role}`);
    });
    await migrateMini(mini);
    const node = await startApp({ databases: { main, mini } });
    const there = await world(node.base);
    const owners = () => ownersOf({ mini }, there.table);
    const works = async (name: string) => {
      const columns = `/tables/${there.table.id}/columns`;
      const made = expectStatus(await there.owner.post<Column>(columns, { name, type: 'text' }), 201);
      expectStatus(
        await there.owner.post(`/tables/${there.table.id}/rows`, { fields: { name, [made.key]: 'x' } }),
        201,
      );
    };
    await works('Before');
    expect(await owners()).toEqual([{ owner: role }]);

    await asRoot((root) => ensureRoles(root, role));
    // Until the next start the base stays with whom it was made by.
    await works('Between');
    await migrateMini(mini);
    expect(await owners()).toEqual([{ owner: 'mini_owner' }]);
    await works('After');
    const seen = await asSuperuser(mini.database, async (root) => {
      await root.query('set role mini_readonly');
      return (await root.query(`select "Name" from ${viewOf(there.table)} order by 1`)).rows as unknown[];
    });
    expect(seen).toEqual([{ Name: 'After' }, { Name: 'Before' }, { Name: 'Between' }]);
  }, 60_000);
});

describe('the migrations of the mini database', () => {
  it('go back one by one, and up again, with the bases that are there', async () => {
    for (let left = MINI_MIGRATIONS.length; left > 0; left--) await revertMini(pair.mini);
    expect(await sql(pair.mini, 'select id from _live_tables_migrations')).toEqual([]);
    await migrateMini(pair.mini);
    const table = await newTable('After', [{ name: 'Name', type: 'text' }]);
    expect(await as('mini_readonly', `select * from ${viewOf(table)}`)).toEqual([]);
  });
});

describe('the readable view of a table', () => {
  it('shows the live rows under display names, with labels instead of keys', async () => {
    const table = await newTable('Sales', [
      { name: 'Unit price', type: 'decimal', options: { scale: 2 } },
      { name: 'Stage', type: 'single_select', options: { choices: [{ label: "It's open" }, { label: 'Won' }] } },
      { name: 'Created at', type: 'date' },
    ]);
    const rows = `/tables/${table.id}/rows`;
    const fields = { unit_price: '12.5', stage: "It's open", created_at: '2026-01-02' };
    const kept = expectStatus(await at.owner.post<Row>(rows, { fields }), 201);
    const trashed = expectStatus(await at.owner.post<Row>(rows, { fields }), 201);
    expectStatus(await at.owner.post(rows, { fields: {} }), 201);
    expectStatus(await at.owner.del(`${rows}/${trashed.id}`), 204);
    const shown = await sql(
      pair.mini,
      `select *, "Created at"::text as day from ${viewOf(table)} order by "Unit price"`,
    );
    expect(shown).toMatchObject([
      {
        'Unit price': '12.50',
        Stage: "It's open",
        day: '2026-01-02',
        'Row id': kept.id,
        Version: 1,
        'Created by': at.owner.user.id,
        'Created at (2)': new Date(kept.createdAt),
      },
      { 'Unit price': null, Stage: null },
    ]);
    expect(shown).toHaveLength(2);
  });

  it('follows every change of the structure, and goes and comes with its table', async () => {
    const table = await newTable('Follows', [
      { name: 'A', type: 'text' },
      { name: 'B', type: 'single_select', options: { choices: [{ label: 'One' }] } },
    ]);
    const path = `/tables/${table.id}`;
    const [a, b] = table.columns as [Column, Column];
    const shown = async () => (await columnsOf(table)).filter((name) => !SYSTEM.includes(name));
    expect(await shown()).toEqual(['A', 'B']);
    const added = expectStatus(await at.owner.post<Column>(`${path}/columns`, { name: 'C', type: 'integer' }), 201);
    expect(await shown()).toEqual(['A', 'B', 'C']);
    expectStatus(await at.owner.patch(`${path}/columns/${a.id}`, { name: 'Ä "quoted" name' }), 200);
    expectStatus(await at.owner.del(`${path}/columns/${added.id}`), 204);
    expect(await shown()).toEqual(['Ä "quoted" name', 'B']);
    expectStatus(await at.owner.post(`${path}/rows`, { fields: { b: 'One' } }), 201);
    const options = { choices: [{ key: 'one', label: 'First' }] };
    expectStatus(await at.owner.patch(`${path}/columns/${b.id}`, { options }), 200);
    expect(await sql(pair.mini, `select "B" from ${viewOf(table)}`)).toEqual([{ B: 'First' }]);
    expectStatus(await at.owner.patch(path, { name: 'Follows on' }), 200);
    expect(await sql(pair.mini, `select obj_description('${viewOf(table)}'::regclass) as name`)).toEqual([
      { name: 'Follows on' },
    ]);
    expectStatus(await at.owner.del(path), 204);
    expect(await columnsOf(table)).toEqual([]);
    expectStatus(await at.owner.post(`${path}/restore`), 200);
    expect(await columnsOf(table)).toEqual(['Ä "quoted" name', 'B', ...SYSTEM]);
  });

  it('has a name for every column, however long and alike the display names are', async () => {
    const stem = 'ü'.repeat(40);
    const names = [`${stem} one`, `${stem} two`, '😀'.repeat(63), 'Row id', 'row id (2)', 'Version', `Version (2)`];
    const table = await newTable(
      'Long names',
      names.map((name) => ({ name, type: 'text' })),
    );
    const shown = await columnsOf(table);
    expect(shown).toEqual([
      'ü'.repeat(31),
      `${'ü'.repeat(29)} (2)`,
      '😀'.repeat(15),
      'Row id',
      'row id (2)',
      'Version',
      'Version (2)',
      'Row id (2)',
      'Version (3)',
      ...SYSTEM.slice(2),
    ]);
    expect(await app.app.get(DriftChecker).check()).toMatchObject({ findings: [] });
  });

  it('never stands in the way: what somebody built upon it goes with it', async () => {
    const table = await newTable('Built upon', [{ name: 'A', type: 'text' }]);
    await sql(pair.mini, `create view public.mine as select "A" from ${viewOf(table)}`);
    expectStatus(await at.owner.del(`/tables/${table.id}/columns/${table.columns[0]?.id}`), 204);
    expect(await columnsOf(table)).toEqual(SYSTEM);
    expect(await sql(pair.mini, "select to_regclass('public.mine') as view")).toEqual([{ view: null }]);
  });
});
