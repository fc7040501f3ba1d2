import type { Id } from '../../common/index.js';
import type { TableSchema } from '../schema.js';
import { sql, value, type Sql } from '../sql.js';
import { tableName } from './read.js';

/*
 * Rows that hand unique values to each other cannot be written one after the other, nor by one statement: PostgreSQL checks a unique index at each row
 * and not at the end of the statement. Only a constraint can be put off, and none can be of some rows only, or of an expression, as our indexes
 * are. So such rows are set aside first: for the rest of the transaction, and seen by nobody else, they are as if in the trash, where unique values and
 * demands of columns are not looked at. The write that brings them back is the only one that is logged; unlike empty values between the two
 * it finds in the rows what they held before.
 */

/** Rows `t` that are set aside. A row in the trash has a time. */
export const ASIDE = sql`t._deleted_at = 'infinity'`;

/** Sets rows aside that are there, until an update that says so (`aside` of its op) brings them back. */
export const setAside = (table: TableSchema, ids: readonly Id[]): Sql =>
  sql`update ${tableName(table)} set _deleted_at = 'infinity' where _id = any(${value([...ids], 'uuid[]')}) and _deleted_at is null`;
