import type { Id } from '../../common/index.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { ident, sql, value, type Sql } from '../sql.js';
import { tableName } from './read.js';
import { fieldsJson } from './row-json.js';

/*
 * What writes look at that depend on what their rows hold. Each is a statement behind the one that locked the rows, so that
 * it sees what whoever held them before has committed.
 */

/** What these rows hold in these columns: rows `id, version, fields`. */
export const cellsOf = (table: TableSchema, ids: readonly Id[], columns: readonly ColumnSchema[]): Sql =>
  sql`select t._id, t._version, ${fieldsJson('t', columns, table.physical)} from ${tableName(table)} t
where t._id = any(${value([...ids], 'uuid[]')}) and t._deleted_at is null`;

/** The same of rows in the trash: rows `id, fields`. */
export const cellsInTrash = (table: TableSchema, ids: readonly Id[], columns: readonly ColumnSchema[]): Sql =>
  sql`select t._id, ${fieldsJson('t', columns, table.physical)} from ${tableName(table)} t
where t._id = any(${value([...ids], 'uuid[]')}) and t._deleted_at is not null`;

/** Which fields of a row were changed behind a version: rows `version, keys[]`, one for each version that is still in the log. */
export const changedSince = (table: TableSchema, rowId: Id, version: number): Sql =>
  sql`select version, case when op = 'update' then (select json_agg(key) from json_object_keys(after) key) end
from ${ident(table.physical.schema, '_change')}
where row_id = ${value(rowId, 'uuid')} and version > ${value(version, 'integer')} and table_id = ${value(table.id, 'uuid')}`;

/** Locks a row that is in the trash: one row, or none. */
export const lockTrashed = (table: TableSchema, rowId: Id): Sql =>
  sql`select _id from ${tableName(table)} where _id = ${value(rowId, 'uuid')} and _deleted_at is not null for update`;

/** Locks those of the rows that are in the trash, in the order in which everybody locks rows: rows `id, version`. */
export const lockAllTrashed = (table: TableSchema, ids: readonly Id[]): Sql =>
  sql`select _id, _version from ${tableName(table)} where _id = any(${value([...ids], 'uuid[]')}) and _deleted_at is not null order by _id for update`;

/** What a row held when it was deleted last, as the log tells: one row `before, seq`. */
export const heldWhenDeleted = (table: TableSchema, rowId: Id): Sql =>
  sql`select before, seq from ${ident(table.physical.schema, '_change')}
where row_id = ${value(rowId, 'uuid')} and table_id = ${value(table.id, 'uuid')} and op = 'delete' order by version desc limit 1`;
