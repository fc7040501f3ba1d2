import type { PgSession } from '../../database/mini/index.js';
import { schemaVersions, toStatement, type TableSchema } from '../../query/index.js';
import { SchemaMoved } from '../data-engine.js';
import { linkedTables } from './linked-write.js';
import { pgError, translate } from './pg-errors.js';

/**
 * What an error of the database means, where a statement may have been made for a structure that is gone: that a value or type does not fit
 * (classes 22 and 42) is not said of ours then. `session` is one in which the error has ended nothing.
 */
export async function meaningOf(error: unknown, table: TableSchema, session: PgSession): Promise<unknown> {
  const told = translate(error, table);
  if (told !== error || !/^(22|42)/.test(pgError(error)?.code ?? '')) return told;
  return (await hasMoved(table, session)) ? new SchemaMoved(error) : error;
}

/** Whether the table, or one that its links lead to, has another structure by now. */
async function hasMoved(table: TableSchema, session: PgSession): Promise<boolean> {
  const known = new Map(linkedTables(table).map(({ id, schemaVersion }) => [id, schemaVersion]));
  try {
    const rows = await session.query(toStatement(schemaVersions(table, [...known.keys()])));
    return rows.length < known.size || rows.some(([id, version]) => known.get(String(id)) !== Number(version));
  } catch {
    // What went wrong first is told.
    return false;
  }
}
