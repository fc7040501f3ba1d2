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

/** How values are compared: as the index of a unique column does it, or as an index that was asked for, which has them as they are. */
export type Comparing = 'as unique columns' | 'as they are';

/** Which live rows have these values: rows `o, id`. A null matches nothing. */
export function compileMatch(
  table: TableSchema,
  columns: readonly ColumnSchema[],
  records: readonly MatchRecord[],
  comparing: Comparing = 'as unique columns',
): Sql {
  const rows = records.map(({ o, values }) =>
    Object.fromEntries([['o', o], ...values.map((cell, i) => [`v${i}`, cell] as const)]),
  );
  const types = columns.map((column, i) => sql`, ${ident(`v${i}`)} ${physicalType(column)}`);
  const key = (column: ColumnSchema, cell: Sql): Sql => (comparing === 'as they are' ? cell : uniqueKey(column, cell));
  const equal = columns.map(
    (column, i) => sql`${key(column, ident('t', column.physical))} = ${key(column, ident('x', `v${i}`))}`,
  );
  return sql`select x.o, t._id from json_to_recordset(${value(JSON.stringify(rows), 'json')}) as x(o integer${join(types, empty)})
join ${tableName(table)} t on ${join(equal, sql` and `)} and t._deleted_at is null${onlySeen(table, 't')}`;
}

/** Which of these rows are there, and in which version: rows `id, version`. */
export const compileVersions = (table: TableSchema, ids: readonly Id[]): Sql =>
  sql`select t._id, t._version from ${tableName(table)} t where t._id = any(${value([...ids], 'uuid[]')}) and t._deleted_at is null${onlySeen(table, 't')}`;
