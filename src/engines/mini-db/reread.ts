import type { PgSession } from '../../database/mini/index.js';
import { compileReread, toStatement, type TableSchema } from '../../query/index.js';
import type { OpResult, WriteResult } from './write-result.js';

/**
 * Results of writes with their rows as they are behind all that the transaction wrote: what is computed from links is what a
 * read would say. `madeUnder` is the number under which rows with links were made; the log tells those the same way.
 */
export async function reread(
  session: PgSession,
  table: TableSchema,
  results: readonly WriteResult[],
  madeUnder?: number,
): Promise<WriteResult[]> {
  // The log is mended also where nobody asks for the rows.
  const isMeant = ({ status, json }: OpResult): boolean =>
    json !== undefined || (madeUnder !== undefined && status === 'ok');
  const ids = results.flatMap(({ ops }) => ops.filter(isMeant).map(({ id }) => id));
  if (ids.length === 0) return [...results];
  const found = await session.query(toStatement(compileReread(table, ids, madeUnder)));
  const rows = new Map(found.map(([id, json]) => [String(id), String(json)]));
  return results.map((result) => ({
    ...result,
    ops: result.ops.map((op) => (op.json === undefined ? op : { ...op, json: rows.get(op.id) ?? op.json })),
  }));
}
