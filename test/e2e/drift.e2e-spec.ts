import { execFile } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { projectRoot } from '../../src/config/index.js';
import { DriftChecker } from '../../src/modules/tables/drift/drift-checker.js';
import { DriftWatch } from '../../src/modules/tables/drift/drift-watch.js';
import {
  client,
  CORE_COLUMNS,
  databases,
  expectStatus,
  serverEnvironment,
  sql,
  startApp,
  waitFor,
  world,
  type Column,
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

interface Base {
  readonly id: string;
  readonly physical: { readonly schema: string };
}

const newBase = async (name: string) =>
  expectStatus(await at.owner.post<Base>(`/workspaces/${at.workspace.id}/bases`, { name }), 201);

const newTable = async (base: Base, name: string, columns: readonly object[] = CORE_COLUMNS) =>
  expectStatus(await at.owner.post<Table>(`/bases/${base.id}/tables`, { name, columns }), 201);

const column = ({ columns }: Table, key: string): Column => {
  const found = columns.find((each) => each.key === key);
  if (!found) throw new Error(`no column ${key}`);
  return found;
};

const check = (from: TestApp = app) => from.app.get(DriftChecker).check();

/** The findings in one schema, in short. */
async function findingsIn(schema: string): Promise<string[]> {
  const { findings } = await check();
  return findings
    .filter(({ place }) => place === schema || place.startsWith(`${schema}.`))
    .map(({ place, code }) => `${place.slice(schema.length + 1)} ${code}`.trim())
    .toSorted();
}

/** What `npm run check:schema` printed, and how it ended. */
async function command(): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const env = { PATH: process.env.PATH, ...(await serverEnvironment({ databases: pair })) };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(projectRoot, 'scripts/check-schema.mjs')], { env }, (error, stdout) =>
      resolve({
        code: error ? Number(error.code) : 0,
        lines: stdout
          .trim()
          .split('\n')
          .filter((line) => line !== 'Building …'),
      }),
    );
  });
}

describe('metadata and PostgreSQL', () => {
  it('agree after every kind of change, with all that is in the trash', async () => {
    const base = await newBase('Lived in');
    const table = await newTable(base, 'Deals', [
      ...CORE_COLUMNS,
      { name: 'Exact', type: 'decimal' },
      { name: 'Counter', type: 'autonumber' },
      { name: 'Number', type: 'integer', required: true, unique: true, default: null },
      { name: 'Twice', type: 'formula', options: { formula: '{exact} * 2' } },
      { name: 'Gone', type: 'formula', options: { formula: '{number} * 2' } },
    ]);
    const path = `/tables/${table.id}`;
    for (const key of ['status', 'number', 'amount', 'qty'])
      expectStatus(await at.owner.del(`${path}/columns/${column(table, key).id}`), 204);
    expectStatus(await at.owner.post(`${path}/columns`, { name: 'Status', type: 'text', unique: true }), 201);
    expectStatus(await at.owner.patch(`${path}/columns/${column(table, 'due').id}`, { name: 'Due "day"' }), 200);
    expectStatus(await at.owner.patch(path, { name: "Deals' new name" }), 200);
    expectStatus(await at.owner.patch(`/bases/${base.id}`, { name: 'Lived in and renamed' }), 200);
    const [deleted, restored] = [await newTable(base, 'Deleted'), await newTable(base, 'Restored')];
    for (const { id } of [deleted, restored]) expectStatus(await at.owner.del(`/tables/${id}`), 204);
    expectStatus(await at.owner.post(`/tables/${restored.id}/restore`), 200);
    const trashed = await newBase('Trashed');
    await newTable(trashed, 'In it');
    expectStatus(await at.owner.del(`/bases/${trashed.id}`), 204);
    expect(await check()).toEqual({ bases: 3, skipped: [], findings: [] });
  });

  it('are said to differ wherever somebody changed the structure by hand, and nowhere else', async () => {
    const base = await newBase('Broken');
    const { schema } = base.physical;
    const deals = await newTable(base, 'Deals');
    const gone = await newTable(base, 'Gone');
    const unique = await newTable(base, 'Unique', [{ name: 'No', type: 'integer', unique: true }]);
    const version = await newTable(base, 'Version');
    const [index] = await sql<{ name: string }>(
      pair.mini,
      "select indexname as name from pg_indexes where schemaname = $1 and tablename = 'unique_2' and indexname like '\\_uq%'",
      [schema],
    );
    const constraint = async (prefix: string, column: string) => {
      const found = await sql<{ name: string }>(
        pair.mini,
        `select k.conname as name from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
           where k.conrelid = $1::regclass and k.conname like $2 and a.attname = $3`,
        [`"${schema}".deals`, `${prefix.replaceAll('_', '\\_')}%`, column],
      );
      return must(found[0], 'the constraint is there').name;
    };
    for (const statement of [
      "comment on schema $ is 'other'",
      'alter table $.deals drop column seen cascade',
      'alter table $.deals add column more text',
      'alter table $.deals alter column amount type numeric',
      `alter table $.deals drop constraint "${await constraint('_rq_', 'name')}"`,
      'alter table $.deals alter column active set not null',
      `alter table $.deals drop constraint "${await constraint('_ck_', 'qty')}"`,
      'alter table $.deals alter column notes type text collate "default"',
      "comment on column $.deals.due is 'other'",
      'create index by_hand on $.deals (due)',
      'drop table $.gone cascade',
      'create table $.extra (a integer)',
      'create view $.seen as select 1 as a',
      'create sequence $.counter',
      `drop index $."${index?.name}"`,
      'drop view $._readable_unique_2',
      `update $._stream set schema_version = 7 where table_id = '${version.id}'`,
      'insert into $._stream values (gen_random_uuid(), gen_random_uuid(), 0, 1)',
    ])
      await sql(pair.mini, statement.replaceAll('$.', `"${schema}".`).replaceAll(/\$ /g, `"${schema}" `));
    const stream = (id: string) => `_stream (table ${id})`;
    const found = await findingsIn(schema);
    expect(found.filter((line) => !line.endsWith('stream_unknown'))).toEqual(
      [
        'comment_differs',
        'deals.seen column_missing',
        'deals.more column_unknown',
        'deals.amount type_differs',
        'deals.name required_differs',
        'deals.active required_differs',
        'deals.qty check_missing',
        'deals.notes type_differs',
        'deals.due comment_differs',
        'deals (index by_hand) index_unknown',
        'gone table_missing',
        'extra table_unknown',
        'seen view_unknown',
        'counter object_unknown',
        `unique_2 (index ${index?.name}) index_missing`,
        '_readable_unique_2 view_missing',
        // Dropped with the columns that they showed.
        '_readable_deals view_missing',
        '_readable_gone view_missing',
        `${stream(version.id)} version_differs`,
      ].toSorted(),
    );
    expect(found.filter((line) => line.endsWith('stream_unknown'))).toHaveLength(1);
    expect([deals, gone, unique].map(({ physical }) => physical.table)).toEqual(['deals', 'gone', 'unique_2']);

    const { code, lines } = await command();
    expect(code).toBe(1);
    expect(lines).toContain(`${schema}.deals.amount: type_differs, is numeric, the metadata says numeric(38,2)`);
    expect(lines).toHaveLength(found.length + 1);
    await sql(pair.mini, `drop schema "${schema}" cascade`);
    expect(await findingsIn(schema)).toEqual(['schema_missing']);
    await sql(pair.main, 'delete from bases where id = $1', [base.id]);
  }, 60_000);

  it('are said to differ when a schema of a base belongs to nobody', async () => {
    const base = await newBase('Forgotten');
    await sql(pair.main, 'delete from bases where id = $1', [base.id]);
    expect(await findingsIn(base.physical.schema)).toEqual(['schema_orphan']);
    await sql(pair.mini, `drop schema "${base.physical.schema}" cascade`);
    expect(await command()).toEqual({
      code: 0,
      lines: [expect.stringMatching(/^\d+ bases compared with the metadata, 0 differences\.$/)],
    });
  });
});

describe('while the structure changes all the time', () => {
  it('a check never says that something differs', async () => {
    const node = await startApp({ databases: pair });
    const tables = await Promise.all(['One', 'Two', 'Three'].map(async (name) => newTable(await newBase(name), name)));
    let ends = false;
    const change = async ({ id, baseId }: Table, nr: number) => {
      const as = client(nr % 2 ? app.base : node.base, at.owner.token);
      for (let i = 0; !ends; i++) {
        const added = await as.post<Column>(`/tables/${id}/columns`, { name: `C${i}`, type: 'integer', unique: true });
        if (added.status === 201) await as.patch(`/tables/${id}/columns/${added.body.id}`, { name: `D${i}` });
        if (added.status === 201) await as.del(`/tables/${id}/columns/${added.body.id}`);
        const made = await as.post<Table>(`/bases/${baseId}/tables`, { name: `T${i}`, columns: CORE_COLUMNS });
        if (made.status === 201) await as.del(`/tables/${made.body.id}`);
      }
    };
    const changing = Promise.all(tables.map(change));
    const reports = [];
    for (let i = 0; i < 4; i++) reports.push(await check(i % 2 ? node : app));
    ends = true;
    await changing;
    expect(reports.flatMap(({ findings }) => findings)).toEqual([]);
    expect(await check()).toMatchObject({ skipped: [], findings: [] });
  }, 60_000);
});

describe('the watch', () => {
  it('compares on one of the nodes only, and all of them know what it found', async () => {
    const other = await startApp({ databases: pair });
    const watches = [app, other].map((each) => each.app.get(DriftWatch));
    let checks = 0;
    for (const { app: each } of [app, other]) {
      const checker = each.get(DriftChecker);
      const original = checker.check.bind(checker);
      checker.check = (signal) => {
        checks++;
        return original(signal);
      };
    }
    await sql(pair.mini, 'update _live_tables_drift_check set started_at = null');
    await Promise.all(watches.flatMap((watch) => [watch.round(), watch.round()]));
    expect(checks).toBe(1);
    await Promise.all(watches.map((watch) => watch.round()));
    expect(checks).toBe(1);
    for (const { base } of [app, other])
      expect((await client(base).get('/health/ready')).body).toMatchObject({
        status: 'ok',
        details: { schema: { status: 'up', findings: 0, skipped: 0, checkedAt: expect.any(String) } },
      });
  });

  it('tells of a difference in the readiness, names nothing there, and keeps no request away for it', async () => {
    const base = await newBase('Differs');
    await sql(pair.mini, `create table "${base.physical.schema}".secret_name (a integer)`);
    const watch = app.app.get(DriftWatch);
    await watch.round(0);
    const ready = await client(app.base).get<{ status: string; details: { schema: object } }>('/health/ready');
    expect(ready.status).toBe(200);
    expect(ready.body.details.schema).toMatchObject({ status: 'degraded', findings: 1 });
    expect(ready.text).not.toContain('secret_name');
    await sql(pair.mini, `drop table "${base.physical.schema}".secret_name`);
    await waitFor(async () => {
      await watch.round(0);
      return watch.last?.findings === 0;
    });
  });
});

describe('a table whose structure was changed by hand', () => {
  it.each([
    ['a column', 'rename column name to other', 'rename column other to name'],
    ['the table itself', 'rename to moved', undefined],
  ])('says so to whoever uses it, and does not pass for one that is being changed (%s)', async (what, alter, undo) => {
    const base = await newBase(`By hand: ${what}`);
    const table = await newTable(base, 'Altered');
    const { id, physical } = table;
    const path = `/tables/${id}/rows`;
    const row = expectStatus(await at.owner.post<{ id: string }>(path, { fields: { name: 'Acme' } }), 201);
    await sql(pair.mini, `alter table "${physical.schema}"."${physical.table}" ${alter}`);
    const answers = await Promise.all([
      at.owner.get(path),
      at.owner.post(path, { fields: { name: 'Beta' } }),
      at.owner.patch(`${path}/${row.id}`, { fields: { name: 'Beta' } }),
      at.owner.post(`/tables/${id}/columns`, { name: 'Other', type: 'text' }),
      at.owner.del(`/tables/${id}/columns/${column(table, 'name').id}`),
    ]);
    for (const answer of answers)
      expect(answer).toMatchObject({
        status: 500,
        body: { code: 'internal_error', detail: expect.stringMatching(/changed by hand.*check:schema/) },
      });
    await sql(
      pair.mini,
      `alter table "${physical.schema}".${undo ? `"${physical.table}" ${undo}` : `moved rename to "${physical.table}"`}`,
    );
    expectStatus(await at.owner.get(path), 200);
  });
});
