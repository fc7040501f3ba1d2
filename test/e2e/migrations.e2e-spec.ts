import { describe, expect, it } from '@jest/globals';
import { mainDataSourceOptions, migrateMain, revertMain } from '../../src/database/main/index.js';
import { migrateMini, revertMini } from '../../src/database/mini/index.js';
import { createBaseSchema, toStatement } from '../../src/query/index.js';
import { asSuperuser, databases, sql } from '../harness/index.js';

describe('the migrations of the main database', () => {
  it('go back one by one to nothing, and up again to the same', async () => {
    const { main } = await databases();
    const schema = () =>
      sql(
        main,
        `select table_name, column_name, data_type, is_nullable from information_schema.columns where table_schema = 'public'
         union all select tablename, indexname, indexdef, '' from pg_indexes where schemaname = 'public' order by 1, 2, 3`,
      );
    const migrated = await schema();
    expect(migrated.length).toBeGreaterThan(50);
    for (let left = mainDataSourceOptions(main).migrations.length; left > 0; left--) await revertMain(main);
    expect(new Set((await schema()).map(({ table_name: table }) => table as string))).toEqual(new Set(['_migrations']));
    await migrateMain(main);
    expect(await schema()).toEqual(migrated);
  });
});

describe('the migrations of the mini database', () => {
  it('give bases from before there were files the same tables that new ones have, and take them away', async () => {
    const { mini } = await databases();
    /** A base as it was before some statements and parts of statements were added. */
    const make = async (base: string, statements: readonly string[], parts: readonly RegExp[]): Promise<void> => {
      for (const { text } of createBaseSchema(base, 'CRM').map(toStatement)) {
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
