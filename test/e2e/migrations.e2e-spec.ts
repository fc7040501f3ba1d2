import { describe, expect, it } from '@jest/globals';
import { mainDataSourceOptions, migrateMain, revertMain } from '../../src/database/main/index.js';
import { databases, sql } from '../harness/index.js';

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
