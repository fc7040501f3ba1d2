import type { Id } from '../../common/index.js';
import { isStored, kindOf } from '../kind.js';
import { parseCell } from '../resolve/parse-cell.js';
import { wholeOf, type ColumnSchema, type TableSchema } from '../schema.js';
import { ident, sql, value, type Sql } from '../sql.js';
import { columnType } from '../types/index.js';
import { fieldsJson } from './row-json.js';
import { tableName } from './read.js';

/** A row that was changed, with what fields held before, by column key. */
export interface RowBefore {
  readonly id: Id;
  readonly before: Readonly<Record<string, unknown>>;
}

/**
 * What somebody who sees part of the table sees of these rows, and whether he saw them before they were changed: rows `id, version, fields, was`, fields
 * as JSON text, null where the row is not seen now; `was` is `t` or `f`. Of the row as it was, what lies behind links is taken as it is now.
 */
export function compileSeenRows(table: TableSchema, rows: readonly RowBefore[]): Sql {
  const filter = table.seen?.rows;
  const [now, was] = filter ? [filter.under('t'), filter.under('b')] : [sql`true`, sql`true`];
  const records = rows.map(({ id, before }) => ({ id, b: physically(wholeOf(table), before) }));
  return sql`select t._id, t._version,
  case when t._deleted_at is null and ${now} then ${fieldsJson('t', table.columns, table.physical)} end, case when ${was} then 't' else 'f' end
from json_to_recordset(${value(JSON.stringify(records), 'json')}) as x(id uuid, b jsonb)
join ${tableName(table)} t on t._id = x.id cross join lateral jsonb_populate_record(t, x.b) ${ident('b')}`;
}

/** Fields of the log as PostgreSQL keeps them; what it keeps in another form there, or the column held when it was of another type, is left as it is now. */
const physically = ({ columns }: TableSchema, fields: RowBefore['before']): Record<string, unknown> =>
  Object.fromEntries(
    columns.flatMap((column) =>
      isStored(column) &&
      column.type !== 'attachment' &&
      Object.hasOwn(fields, column.key) &&
      canHold(column, fields[column.key])
        ? [[column.physical, fields[column.key]]]
        : [],
    ),
  );

/** Whether the cell can be made of what the log says; of texts also where the column would not take it any more, like a choice that is gone. */
function canHold(column: ColumnSchema, logged: unknown): boolean {
  const { type, list } = kindOf(column);
  const { family } = columnType(type);
  if (logged === null || family === 'json') return true;
  if (Array.isArray(logged) !== list) return false;
  return family === 'text' || family === 'choice' || parseCell(logged, column).ok;
}
