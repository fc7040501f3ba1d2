import { notFound, type Id } from '../../../common/index.js';
import type { MiniDbLookup } from '../../../engines/index.js';
import type { TableSchema } from '../../../query/index.js';

/** What is wrong with a request to a row that is not there is not said: 404 goes before 400 and 422. Only a refusal costs the look. */
export async function judged<T>(lookup: MiniDbLookup, table: TableSchema, rowId: Id, read: () => T): Promise<T> {
  try {
    return read();
  } catch (refusal) {
    if ((await lookup.versions(table, [rowId])).size === 0) throw notFound('row');
    throw refusal;
  }
}
