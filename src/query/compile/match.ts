import type { Id } from '../../common/index.js';
import type { CellValue, ColumnSchema, TableSchema } from '../schema.js';
import { empty, ident, join, sql, value, type Sql } from '../sql.js';
import { onlySeen } from './cell.js';
import { uniqueKey } from './ddl.js';
import { physicalType } from './physical.js';
import { tableName } from './read.js';

/** Values to look for, one for each of the columns matched on; `o` comes back with what was found. */
export interface MatchRecord {
  readonly o: number;
  readonly values: readonly CellValue[];
}

/** Which live rows have these values: rows `o, id`. Equal as unique columns understand it; a null matches nothing. */
export function compileMatch(
  table: TableSchema,
  columns: readonly ColumnSchema[],
  records: readonly MatchRecord[],
): Sql {
  const rows = records.map(({ o, values }) =>
    Object.fromEntries([['o', o], ...values.map((cell, i) => [`v${i}`, cell] as const)]),
  );
  const types = columns.map((column, i) => sql`, ${ident(`v${i}`)} ${physicalType(column)}`);
  const equal = columns.map(
    (column, i) => sql`${uniqueKey(column, ident('t', column.physical))} = ${uniqueKey(column, ident('x', `v${i}`))}`,
  );
  return sql`select x.o, t._id from json_to_recordset(${value(JSON.stringify(rows), 'json')}) as x(o integer${join(types, empty)})
join ${tableName(table)} t on ${join(equal, sql` and `)} and t._deleted_at is null${onlySeen(table, 't')}`;
}

/** Which of these rows are there, and in which version: rows `id, version`. */
export const compileVersions = (table: TableSchema, ids: readonly Id[]): Sql =>
  sql`select t._id, t._version from ${tableName(table)} t where t._id = any(${value([...ids], 'uuid[]')}) and t._deleted_at is null${onlySeen(table, 't')}`;
