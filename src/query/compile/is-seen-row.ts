import type { TableSchema } from '../schema.js';
import { ident, sql, type Sql } from '../sql.js';
import { onlySeen, onlySeenInTrash } from './cell.js';

/** Not by the name that reads have for their row, which this is put into. */
const SEEN = 'seen';

/** Whether a row of which only the id is known is seen as it is; of one in the trash, as it was last. A row that is no more is seen by those who see all rows. */
export function isSeenRow(table: TableSchema, id: Sql): Sql {
  if (!table.seen?.rows) return sql`true`;
  const row = ident(SEEN);
  return sql`exists (select from ${ident(table.physical.schema, table.physical.table)} ${row} where ${row}._id = ${id}
  and (${row}._deleted_at is null${onlySeen(table, SEEN)} or ${row}._deleted_at is not null${onlySeenInTrash(table, SEEN)}))`;
}
