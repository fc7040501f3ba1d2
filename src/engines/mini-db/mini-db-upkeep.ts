import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase } from '../../database/mini/index.js';
import { forgetOldChanges, ident, purgeTrashedRows, sql, toStatement, value } from '../../query/index.js';

const BATCH = 5_000;

/**
 * Removes for good what was kept for a time: rows of the trash, old changes. In small steps, each a transaction of its own, so that nobody waits
 * for long and any of them may be the last of a process. Others that do the same take other rows.
 */
@Injectable()
export class MiniDbUpkeep {
  constructor(private readonly database: MiniDatabase) {}

  /** Names of the tables of a base that hold rows of people, and ids of those that have a log. */
  async tablesOf(schema: string): Promise<{ readonly names: readonly string[]; readonly logged: readonly Id[] }> {
    const names = await this.database.query(
      toStatement(sql`select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attname = '_deleted_at' and not a.attisdropped
where n.nspname = ${value(schema, 'text')} and c.relkind = 'r' order by 1`),
    );
    const logged = await this.database.query(toStatement(sql`select table_id from ${ident(schema, '_stream')}`));
    return { names: names.map(([name]) => String(name)), logged: logged.map(([id]) => String(id)) };
  }

  /** Removes rows that were deleted before a time. Broken off when `goOn` ends it. @returns how many */
  purgeTrash(schema: string, table: string, before: Date, goOn: () => boolean): Promise<number> {
    const statement = toStatement(purgeTrashedRows(schema, table, before.toISOString(), BATCH));
    return this.repeated(statement, goOn);
  }

  /** Removes changes that were made before a time, the oldest first and whole numbers only; the newest number stays. @returns how many */
  forgetChanges(schema: string, tableId: Id, before: Date, goOn: () => boolean): Promise<number> {
    return this.repeated(toStatement(forgetOldChanges(schema, tableId, before.toISOString(), BATCH)), goOn);
  }

  private async repeated(statement: ReturnType<typeof toStatement>, goOn: () => boolean): Promise<number> {
    let removed = 0;
    while (goOn()) {
      const [row] = await this.database.query(statement);
      const count = Number(row?.[0]);
      removed += count;
      if (count === 0) break;
    }
    return removed;
  }
}
