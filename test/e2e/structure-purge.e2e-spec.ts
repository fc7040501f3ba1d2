import { beforeAll, describe, expect, it } from '@jest/globals';
import { BasePurge } from '../../src/modules/tables/index.js';
import { TablePurge } from '../../src/modules/tables/purge/table-purge.js';
import { StructurePurge } from '../../src/modules/tables/purge/structure-purge.js';
import {
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Client,
  type Column,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { loggedChanges, replay, storedRows } from '../support/changes.js';
import { refusal } from '../support/rows.js';

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
const newBase = async () =>
  expectStatus(
    await owner.post<{ id: string; physical: { schema: string } }>(`/workspaces/${at.workspace.id}/bases`, {
      name: `Base ${++made}`,
    }),
    201,
  );
const newTable = async (
  base: { readonly id: string },
  columns: readonly object[] = [{ name: 'Name', type: 'text' }],
): Promise<Table> =>
  expectStatus(await owner.post<Table>(`/bases/${base.id}/tables`, { name: `Table ${++made}`, columns }), 201);
const fresh = async ({ id }: Table): Promise<Table> => expectStatus(await owner.get<Table>(`/tables/${id}`), 200);
const addRow = async ({ id }: Table, fields: object): Promise<Row> =>
  expectStatus(await owner.post<Row>(`/tables/${id}/rows`, { fields }), 201);
const age = (what: 'bases' | 'tables' | 'columns', id: string | undefined, days: number) =>
  sql(pair.main, `update ${what} set deleted_at = now() - make_interval(days => $2) where id = $1`, [id, days]);
const sweep = () => app.app.get(StructurePurge).sweep();
const actions = async (id: string | undefined) =>
  (
    await sql<{ action: string; actor_name: string }>(
      pair.main,
      'select action, actor_name from audit_log where resource_id = $1 order by id',
      [id],
    )
  ).map(({ action, actor_name: name }) => (name === 'system' ? `${action} by system` : action));
const attributes = async ({ physical }: Table) =>
  sql<{ name: string; dropped: boolean }>(
    pair.mini,
    `select attname as name, attisdropped as dropped from pg_attribute where attrelid = ($1 || '.' || $2)::regclass and attnum > 0 order by attnum`,
    [physical.schema, physical.table],
  );
const hidden = async (table: Table) =>
  (await attributes(table)).filter(({ name, dropped }) => !dropped && name.startsWith('_old_')).length;

async function expectAgreement(table: Table): Promise<Table> {
  const now = await fresh(table);
  expect(replay(await loggedChanges(pair.mini, now))).toEqual(await storedRows(pair.mini, now));
  const [stream] = await sql(
    pair.mini,
    `select schema_version from "${now.physical.schema}"._stream where table_id = $1`,
    [table.id],
  );
  expect(stream).toEqual({ schema_version: now.schemaVersion });
  return now;
}

describe('the purge', () => {
  it('removes columns for good when their time is over, and nothing before', async () => {
    const table = await newTable(await newBase(), [
      { name: 'A', type: 'text' },
      { name: 'B', type: 'text' },
      { name: 'C', type: 'text', unique: true, required: true, default: 'd' },
    ]);
    await addRow(table, { a: 'x', b: 'y', c: 'z' });
    const [a, , c] = table.columns;
    for (const column of [a, c]) expectStatus(await owner.del(`/tables/${table.id}/columns/${column?.id}`), 204);
    await age('columns', a?.id, 29);
    await age('columns', c?.id, 31);
    expect(await hidden(table)).toBe(2);
    expect(await sweep()).toMatchObject({ columns: 1 });
    expect(await hidden(table)).toBe(1);
    expect(await sweep()).toMatchObject({ columns: 0 });
    expect(await actions(c?.id)).toEqual(['column.deleted', 'column.purged by system']);
    expect(refusal(await owner.post(`/tables/${table.id}/columns/${c?.id}/restore`, {}))).toEqual([404, 'not_found']);
    expectStatus(await owner.post(`/tables/${table.id}/columns/${a?.id}/restore`, {}), 200);
    // Two deletions, one purge, one restoration.
    expect((await expectAgreement(table)).schemaVersion).toBe(5);
  });

  it('removes links with the table that they lead to, at both ends, and a link that was deleted alone', async () => {
    const base = await newBase();
    const [gone, kept] = [await newTable(base), await newTable(base)];
    const link = { name: 'Target', type: 'link', options: { tableId: gone.id } };
    const alone = expectStatus(
      await owner.post<{ id: string }>(`/tables/${kept.id}/columns`, { ...link, name: 'Alone' }),
      201,
    );
    expectStatus(await owner.post(`/tables/${kept.id}/columns`, link), 201);
    const target = await addRow(gone, { name: 'x' });
    await addRow(kept, { name: 'y', target: [target.id], alone: [target.id] });
    const pairs = async () =>
      (
        await sql(
          pair.mini,
          "select from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and relname like '\\_link\\_%'",
          [base.physical.schema],
        )
      ).length;
    expect(await pairs()).toBe(2);
    expectStatus(await owner.del(`/tables/${kept.id}/columns/${alone.id}`), 204);
    await sql(pair.main, "update columns set deleted_at = now() - interval '31 days' where deleted_at is not null");
    await sweep();
    expect(await pairs()).toBe(1);
    expectStatus(await owner.del(`/tables/${gone.id}`), 204);
    await age('tables', gone.id, 31);
    await sql(pair.main, "update columns set deleted_at = now() - interval '31 days' where deleted_with = $1", [
      gone.id,
    ]);
    await sweep();
    expect(await pairs()).toBe(0);
    expect((await fresh(kept)).columns.map(({ key }) => key)).toEqual(['name']);
    expect((await addRow(kept, { name: 'z' })).fields).toEqual({ name: 'z' });
  });

  it('removes tables with their rows and logs, and leaves those beside them alone', async () => {
    const base = await newBase();
    const [gone, young, kept] = [await newTable(base), await newTable(base), await newTable(base)];
    for (const table of [gone, young, kept]) await addRow(table, { name: 'x' });
    // More than the log is emptied of in one step.
    await sql(
      pair.mini,
      `insert into "${base.physical.schema}"._change (table_id, seq, ord, op, at, actor_name, source, request_id, change_set, schema_version)
       select $1, n, 0, 'schema', now(), 'x', 'api', 'x', gen_random_uuid(), 1 from generate_series(1000, 21500) n`,
      [gone.id],
    );
    for (const table of [gone, young]) expectStatus(await owner.del(`/tables/${table.id}`), 204);
    await age('tables', gone.id, 31);
    expect(await sweep()).toMatchObject({ tables: 1 });
    const left = await sql(
      pair.mini,
      `select distinct table_id as id from "${base.physical.schema}"._change union all select table_id from "${base.physical.schema}"._stream order by 1`,
    );
    expect(left.map(({ id }) => id as string)).toEqual([young.id, young.id, kept.id, kept.id].toSorted());
    const physical = await sql<{ name: string }>(
      pair.mini,
      `select relname as name from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and relname not in ('_stream', '_change', '_anchor', '_applied', '_file', '_idempotency', '_import')`,
      [base.physical.schema],
    );
    expect(physical).toHaveLength(2);
    expect(await sql(pair.main, 'select from columns where table_id = $1', [gone.id])).toEqual([]);
    expect(await actions(gone.id)).toEqual(['table.created', 'table.deleted', 'table.purged by system']);
    expect(refusal(await owner.post(`/tables/${gone.id}/restore`))).toEqual([404, 'not_found']);
    expectStatus(await owner.post(`/tables/${young.id}/restore`), 200);
    await expectAgreement(young);
    await expectAgreement(kept);
  });

  it('removes bases with all that is in them, once, after those who keep something of them, on however many nodes', async () => {
    const [gone, young] = [await newBase(), await newBase()];
    const tables = [await newTable(gone), await newTable(gone)];
    expectStatus(await owner.del(`/tables/${tables[0]?.id}`), 204);
    const told: string[] = [];
    let fails = true;
    for (const node of [app, other])
      node.app.get(BasePurge).before((_, base) => {
        told.push(base.id);
        return fails ? Promise.reject(new Error('files cannot be reached')) : Promise.resolve();
      });
    for (const base of [gone, young]) expectStatus(await owner.del(`/bases/${base.id}`), 204);
    await age('bases', gone.id, 31);
    await age('tables', tables[0]?.id, 31);
    const schemas = async () =>
      (
        await sql<{ name: string }>(pair.mini, 'select nspname as name from pg_namespace where nspname = any($1)', [
          [gone.physical.schema, young.physical.schema],
        ])
      ).map(({ name }) => name);
    // A step that fails leaves everything as it is, for the next time.
    expect(await sweep()).toMatchObject({ bases: 0, tables: 0 });
    expect(await schemas()).toHaveLength(2);
    fails = false;
    told.length = 0;
    const swept = await Promise.all([app, other, app, other].map((node) => node.app.get(StructurePurge).sweep()));
    expect(swept.reduce((sum, each) => sum + (each?.bases ?? 0), 0)).toBe(1);
    expect(told).toEqual([gone.id]);
    expect(await schemas()).toEqual([young.physical.schema]);
    for (const rows of ['bases where id', 'tables where base_id', 'schema_ops where base_id'])
      expect(await sql(pair.main, `select from ${rows} = $1`, [gone.id])).toEqual([]);
    expect((await actions(gone.id)).at(-1)).toBe('base.purged by system');
    expectStatus(await owner.post(`/bases/${young.id}/restore`), 200);
  });
});

describe('a table that was given columns again and again', () => {
  it('keeps its links and goes on counting when it is made anew', async () => {
    const base = await newBase();
    const table = await newTable(base, [
      { name: 'Name', type: 'text' },
      { name: 'No', type: 'autonumber' },
    ]);
    const other = await newTable(base);
    const link = { name: 'Others', type: 'link', options: { tableId: other.id } };
    expectStatus(await owner.post(`/tables/${table.id}/columns`, link), 201);
    const there = await addRow(other, { name: 'o' });
    const row = await addRow(table, { name: 'a', others: [there.id] });
    await addRow(table, { name: 'b' });
    await app.app.get(TablePurge).rebuild(table.id);
    const again = await owner.get<Row>(`/tables/${table.id}/rows/${row.id}`);
    expect(again.body.fields).toEqual({ name: 'a', no: 1, others: [there.id] });
    expect((await addRow(table, { name: 'c', others: [there.id] })).fields.no).toBe(3);
    const [gone] = await sql<{ n: string }>(
      pair.mini,
      `select count(*) as n from pg_constraint where confrelid = ($1 || '.' || $2)::regclass and contype = 'f'`,
      [table.physical.schema, table.physical.table],
    );
    expect(gone?.n).toBe('1');
  });

  it('goes on taking them past the 1,600 that PostgreSQL counts, with its rows, constraints, comments, rights and log', async () => {
    const table = await newTable(await newBase(), [
      { name: 'Näme', type: 'text', required: true },
      { name: 'Code', type: 'text', unique: true },
      { name: 'N', type: 'integer', default: 7 },
      { name: 'Gone', type: 'text' },
    ]);
    const rows: Row[] = [];
    for (let i = 0; i < 20; i++) rows.push(await addRow(table, { name: `é ${i}`, code: `c${i}`, gone: `g${i}` }));
    expectStatus(await owner.del(`/tables/${table.id}/rows/${rows[19]?.id}`), 204);
    expectStatus(await owner.del(`/tables/${table.id}/columns/${table.columns[3]?.id}`), 204);
    const name = `"${table.physical.schema}"."${table.physical.table}"`;
    await sql(pair.mini, `grant select on ${name} to public`);
    const shape = async () => ({
      columns: (await attributes(table)).filter(({ dropped }) => !dropped),
      constraints: await sql(
        pair.mini,
        `select conname, pg_get_constraintdef(oid) as def from pg_constraint where conrelid = $1::regclass order by 1`,
        [name],
      ),
      indexes: await sql(
        pair.mini,
        `select pg_get_indexdef(indexrelid) as def from pg_index where indrelid = $1::regclass order by 1`,
        [name],
      ),
      comments: await sql(
        pair.mini,
        `select obj_description($1::regclass) as own, (select json_agg(col_description(attrelid, attnum) order by attname) from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped) as columns`,
        [name],
      ),
      defaults: await sql(
        pair.mini,
        `select pg_get_expr(adbin, adrelid) as def from pg_attrdef where adrelid = $1::regclass order by 1`,
        [name],
      ),
      rights: await sql(
        pair.mini,
        `select relowner::regrole::text as owner, (select array_agg(r order by r) from unnest(relacl::text[]) r) as rights from pg_class where oid = $1::regclass`,
        [name],
      ),
    });
    const before = await shape();
    let given = 0;
    for (let round = 0; round < 2; round++) {
      const burn = Array.from({ length: 1_190 }, (_, i) => i);
      for (const part of [burn.slice(0, 600), burn.slice(600)]) {
        await sql(pair.mini, `alter table ${name} ${part.map((i) => `add column burn${i} int`).join(', ')}`);
        await sql(pair.mini, `alter table ${name} ${part.map((i) => `drop column burn${i}`).join(', ')}`);
      }
      const column = expectStatus(
        await owner.post<Column>(`/tables/${table.id}/columns`, { name: `Round ${round}`, type: 'text' }),
        201,
      );
      given += burn.length + 1;
      expectStatus(await owner.del(`/tables/${table.id}/columns/${column.id}`), 204);
      await age('columns', column.id, 31);
      expect(await sweep()).toMatchObject({ columns: 1, rebuilt: 1 });
      expect((await attributes(table)).every(({ dropped }) => !dropped)).toBe(true);
      expect(await shape()).toEqual(before);
    }
    expect(given).toBeGreaterThan(1_600);
    expect(await sweep()).toMatchObject({ rebuilt: 0 });

    await expectAgreement(table);
    expect(refusal(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'x', code: 'c1' } }))).toEqual([
      409,
      'unique_violation',
      '/fields/code unique_violation',
    ]);
    await addRow(table, { name: 'after', code: 'c19' });
    expectStatus(await owner.post(`/tables/${table.id}/columns/${table.columns[3]?.id}/restore`, {}), 200);
    expect((await owner.get<Row>(`/tables/${table.id}/rows/${rows[3]?.id}`)).body.fields).toEqual(rows[3]?.fields);
    await expectAgreement(table);
    expect((await actions(table.id)).filter((action) => action === 'table.rebuilt by system')).toHaveLength(2);
  }, 60_000);

  it('is made anew while others write and read, who notice nothing but a short wait', async () => {
    const table = await newTable(await newBase());
    const name = `"${table.physical.schema}"."${table.physical.table}"`;
    for (let i = 0; i < 3; i++) {
      const burn = Array.from({ length: 400 }, (_, n) => n);
      await sql(pair.mini, `alter table ${name} ${burn.map((n) => `add column burn${n} int`).join(', ')}`);
      await sql(pair.mini, `alter table ${name} ${burn.map((n) => `drop column burn${n}`).join(', ')}`);
    }
    let ends = false;
    const statuses = new Set<number>();
    const write = async (nr: number) => {
      for (let i = 0; !ends; i++) {
        statuses.add((await owner.post(`/tables/${table.id}/rows`, { fields: { name: `${nr}-${i}` } })).status);
        statuses.add((await owner.get(`/tables/${table.id}/rows?limit=3&sort=-name`)).status);
      }
    };
    const load = [0, 1, 2].map(write);
    expect(await sweep()).toMatchObject({ rebuilt: 1 });
    ends = true;
    await Promise.all(load);
    expect(statuses).toEqual(new Set([201, 200]));
    await expectAgreement(table);
  }, 60_000);
});
