import { Injectable } from '@nestjs/common';
import { MiniDatabase } from '../../database/mini/index.js';
import {
  forgetChanges,
  integer,
  MAX_REBUILD_BYTES,
  sql,
  toStatement,
  WORN_COLUMNS,
  WORN_GONE,
  type TableSchema,
} from '../../query/index.js';

const BATCH = 10_000;

/** Where a table lies. */
export type Physical = TableSchema['physical'];

/** What the purge of structures does in the mini-DB besides structure changes. */
@Injectable()
export class MiniDbPurge {
  constructor(private readonly database: MiniDatabase) {}

  /**
   * Empties the log of a table that nobody can restore any more, in small steps: a long log would be more than one statement may
   * take. Can be broken off and begun again. @returns false when `goOn` ended it
   */
  async forgetLog(table: TableSchema, goOn: () => boolean): Promise<boolean> {
    const statement = toStatement(forgetChanges(table, BATCH));
    while (goOn()) {
      const [row] = await this.database.query(statement);
      if (Number(row?.[0]) < BATCH) return true;
    }
    return false;
  }

  /** Tables that were given so many columns that PostgreSQL will soon take no further ones, although most are gone. */
  async wornTables(): Promise<(Physical & { readonly tooLarge: boolean })[]> {
    const rows = await this.database.query(
      toStatement(sql`select n.nspname, c.relname, pg_table_size(c.oid) > ${integer(MAX_REBUILD_BYTES)}
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relnatts > ${integer(WORN_COLUMNS)} and left(c.relname, 1) <> '_'
  and (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attisdropped) >= ${integer(WORN_GONE)}`),
    );
    return rows.map(([schema, table, tooLarge]) => ({
      schema: String(schema),
      table: String(table),
      tooLarge: tooLarge === 't',
    }));
  }
}
