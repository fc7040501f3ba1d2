import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import { mainDataSourceOptions, migrateMain, revertMain } from '../../src/database/main/index.js';
import { migrateMini, revertMini } from '../../src/database/mini/index.js';
import { createBaseSchema, toStatement } from '../../src/query/index.js';
import {
  asSuperuser,
  client,
  databases,
  ensureBuilt,
  expectStatus,
  serverEnvironment,
  sql,
  startApp,
  world,
} from '../harness/index.js';
import { receiver } from '../support/webhook-receiver.js';

jest.setTimeout(120_000);

describe('the migrations of the main database', () => {
  it('go back one by one to nothing, and up again to the same', async () => {
    const { main } = await databases();
    const schema = () =>
      sql(
        main,
        `select table_name, column_name, data_type, is_nullable from information_schema.columns where table_schema = 'public'
         union all select tablename, indexname, indexdef, '' from pg_indexes where schemaname = 'public'
         union all select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '' from pg_trigger where not tgisinternal
         union all select conrelid::regclass::text, conname, pg_get_constraintdef(oid), '' from pg_constraint
           where connamespace = 'public'::regnamespace and contype <> 'n' order by 1, 2, 3`,
      );
    const migrated = await schema();
    expect(migrated.length).toBeGreaterThan(50);
    for (let left = mainDataSourceOptions(main).migrations.length; left > 0; left--) await revertMain(main);
    expect(new Set((await schema()).map(({ table_name: table }) => table as string))).toEqual(new Set(['_migrations']));
    await migrateMain(main);
    expect(await schema()).toEqual(migrated);
  });

  it('are undone in one database alone where a release brought more to it', async () => {
    ensureBuilt();
    const pair = await databases();
    const env = { PATH: process.env.PATH, ...(await serverEnvironment({ databases: pair })) };
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [path.join(projectRoot, 'dist/migrate.js'), ...args], { env, encoding: 'utf8' });
    const known = async () => {
      const [main] = await sql<{ n: number }>(pair.main, 'select count(*)::int as n from _migrations');
      const [mini] = await sql<{ n: number }>(pair.mini, 'select count(*)::int as n from _live_tables_migrations');
      return [main?.n ?? 0, mini?.n ?? 0];
    };
    const [main = 0, mini = 0] = await known();
    expect(run('revert', 'main')).toMatchObject({
      status: 0,
      stdout: 'The newest migration of the main database was undone.\n',
    });
    expect(await known()).toEqual([main - 1, mini]);
    expect(run('revert', 'mini').status).toBe(0);
    expect(await known()).toEqual([main - 1, mini - 1]);
    expect(run('revert', 'both')).toMatchObject({
      status: 1,
      stderr: 'both is none of main and mini, of which revert undoes a migration.\n',
    });
    expect(run('run').status).toBe(0);
    expect(await known()).toEqual([main, mini]);
  });

  it('lose what they added and nothing else: webhooks and versions of published views go, their views go on', async () => {
    const pair = await databases();
    const before = await startApp({ databases: pair });
    const at = await world(before.base);
    const hook = { name: 'Hook', url: (await receiver()).url, tables: [at.table.id] };
    const hooks = `/workspaces/${at.workspace.id}/webhooks`;
    const { id: hookId } = expectStatus(await at.owner.post<{ id: string }>(hooks, hook), 201);
    expectStatus(await at.owner.post(`${hooks}/${hookId}/test`), 200);
    const source = { table: at.table.id };
    const view = { name: 'View', definition: { source, columns: ['name', 'qty'] } };
    const views = `/workspaces/${at.workspace.id}/views`;
    const { id } = expectStatus(await at.owner.post<{ id: string }>(views, view), 201);
    const { slug } = expectStatus(await at.owner.post<{ slug: string }>(`/views/${id}/api`, { auth: 'public' }), 201);
    expectStatus(await at.owner.patch(`/views/${id}`, { definition: { source, columns: ['name'] } }), 200);
    expectStatus(await at.owner.post(`/views/${id}/api`, { asNewVersion: true }), 201);
    // Both are read, so that the use of both is written down.
    for (const version of ['', '/v2'])
      expectStatus(await client(before.base).get(`/public/views/${slug}${version}/data`), 200);
    await before.close();
    const use = () => sql<{ requests: number }>(pair.main, 'select sum(requests)::int as requests from view_api_usage');
    expect(await use()).toEqual([{ requests: 2 }]);

    const has = async (name: string) =>
      (await sql<{ n: number }>(pair.main, `select count(*)::int as n from _migrations where name = '${name}'`))[0]?.n;
    while ((await has('Webhooks1700000002400')) === 1) await revertMain(pair.main);
    const there = `select to_regclass('webhooks') as hooks, to_regclass('view_api_versions') as versions`;
    expect(await sql(pair.main, there)).toEqual([{ hooks: null, versions: null }]);
    // Of the newest version, which is the only one now.
    expect(await use()).toEqual([{ requests: 1 }]);

    await migrateMain(pair.main);
    const after = await startApp({ databases: pair });
    const owner = client(after.base, at.owner.accessToken);
    const { data } = expectStatus(await client(after.base).get<{ data: object[] }>(`/public/views/${slug}/data`), 200);
    expect(data).toEqual([]);
    expect(expectStatus(await owner.get<{ data: object[] }>(hooks), 200).data).toEqual([]);
    expectStatus(await owner.post(hooks, hook), 201);
  });
});

describe('the migrations of the mini database', () => {
  it('give bases from before there were files the same tables that new ones have, and take them away', async () => {
    const { mini } = await databases();
    /** A base as it was before some statements and parts of statements were added. */
    const make = async (base: string, statements: readonly string[], parts: readonly RegExp[]): Promise<void> => {
      for (const { text } of createBaseSchema(base, 'CRM').map((each) => toStatement(each))) {
        if (statements.some((statement) => text.includes(statement))) continue;
        const before = parts.reduce((statement, part) => statement.replace(part, ''), text);
        await asSuperuser(mini.database, (db) => db.query(`set role ${mini.username}; ${before}`));
      }
    };
    const logOf = (base: string) =>
      sql(
        mini,
        `select table_name, column_name, data_type, is_nullable from information_schema.columns where table_schema = $1
         and table_name in ('_change', '_stream') union all
         select tablename, replace(indexdef, $1, ''), '', '' from pg_indexes where schemaname = $1 order by 1, 2`,
        [base],
      );
    const tableOf = (base: string) =>
      sql(
        mini,
        `select column_name, data_type, is_nullable, obj_description($2::regclass) as comment from information_schema.columns
         where table_schema = $1 and table_name = '_file' union all
         select pg_get_constraintdef(oid), '', '', '' from pg_constraint where conrelid = $2::regclass order by 1`,
        [base, `"${base}"._file`],
      );
    // Down to where there were no files, which is behind the newest.
    const withoutFiles = async (): Promise<void> => {
      for (let id = 7; id >= 2; id--) await revertMini(mini);
    };
    await withoutFiles();
    const later = ['"_file"', '"_idempotency"', '"_import"', '"_anchor"', '"_change" (at)', '_live_tables_open_base'];
    await make('old_000001', later, [
      /, ip text/,
      /, hash bytea/,
      /,\s+head bytea not null default '', prior bytea not null default ''/,
    ]);
    await migrateMini(mini);
    await make('new_000001', [], []);
    const migrated = await tableOf('old_000001');
    expect(migrated.length).toBeGreaterThan(10);
    expect(migrated).toEqual(await tableOf('new_000001'));
    expect(await logOf('old_000001')).toEqual(await logOf('new_000001'));
    await withoutFiles();
    const left = await sql(
      mini,
      `select nspname from pg_class join pg_namespace n on n.oid = relnamespace where relname = '_file'`,
    );
    expect(left).toEqual([]);
  });
});
