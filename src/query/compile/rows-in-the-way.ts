import type { ColumnSchema, TableSchema } from '../schema.js';
import { kindOf } from '../kind.js';
import { columnType } from '../types/index.js';
import { comma, ident, integer, join, literal, sql, value, type Sql } from '../sql.js';
import { uniqueKey } from './ddl.js';
import { tableName } from './read.js';

/** So many are named; all are counted. */
const EXAMPLES = integer(10);

const LIVE = sql`_deleted_at is null`;

/**
 * Keeps others from writing rows (`share`) or from touching the table at all (`access exclusive`) until the transaction ends.
 * The stronger one where a later statement needs it: a writer that waits for the weaker one holds a lock already that the
 * stronger would wait for, in a circle.
 */
export const lockTable = (table: TableSchema, mode: 'share' | 'access exclusive'): Sql =>
  mode === 'share'
    ? sql`lock table ${tableName(table)} in share mode`
    : sql`lock table ${tableName(table)} in access exclusive mode`;

/** Live rows without a value: how many, and the ids of some as JSON. */
export function rowsWithoutValue(table: TableSchema, column: ColumnSchema): Sql {
  return rowsThat(table, sql`${LIVE} and ${ident(column.physical)} is null`);
}

/** Live rows whose value is longer than so many bytes: how many, and the ids of some as JSON. */
export function rowsWithLongValue(table: TableSchema, column: ColumnSchema, bytes: number, cell = cellOf(column)): Sql {
  return rowsThat(table, sql`${LIVE} and octet_length((${cell})::text) > ${integer(bytes)}`);
}

const cellOf = (column: ColumnSchema): Sql => ident('t', column.physical);

const rowsThat = (
  table: TableSchema,
  where: Sql,
): Sql => sql`select (select count(*) from ${tableName(table)} t where ${where}),
  (select coalesce(json_agg(_id), '[]') from (select _id from ${tableName(table)} t where ${where} order by _id limit ${EXAMPLES}) example)`;

/**
 * Values that several live rows have: how many values, and some as JSON `[{value, rows, rowIds}]`, the most frequent first. `cell` is the
 * value of a row `t`, where it is not yet in the column.
 */
export function sharedValues(table: TableSchema, column: ColumnSchema, cell = cellOf(column)): Sql {
  const key = uniqueKey(column, cell);
  return sql`with shared as materialized (
  select ${key} as v, count(*) as n from ${tableName(table)} t where ${LIVE} and ${key} is not null group by 1 having count(*) > 1)
select (select count(*) from shared), (select coalesce(json_agg(
    json_build_object('value', (${columnType(column.type).toJson(sql`v`, table.physical)})::json, 'rows', n, 'rowIds', to_json(ids[1:${EXAMPLES}])) order by n desc, v), '[]')
  from (select e.v, e.n, array_agg(t._id order by t._id) as ids
    from (select v, n from shared order by n desc, v limit ${EXAMPLES}) e join ${tableName(table)} t on ${key} = e.v
    where t.${LIVE} group by 1, 2) example)`;
}

/** A column of a row `t`; `cell` is its value where that is not yet in the column. */
export interface Cell {
  readonly column: ColumnSchema;
  readonly cell?: Sql;
}

/**
 * Values that several live rows have in all of these columns, where none is empty: how many, and some as JSON `[{values, rows, rowIds}]`,
 * the most frequent first.
 */
export function sharedTuples(table: TableSchema, columns: readonly Cell[]): Sql {
  const named = columns.map(({ column, cell = cellOf(column) }, i) => ({ column, cell, name: ident(`v${i}`) }));
  const cells = join(
    named.map(({ cell, name }) => sql`${cell} as ${name}`),
    comma,
  );
  const names = join(
    named.map(({ name }) => name),
    comma,
  );
  const filled = join(
    named.map(({ name }) => sql`${name} is not null`),
    sql` and `,
  );
  const shown = named.map(
    ({ column, name }) => sql`${literal(column.key)}, (${columnType(column.type).toJson(name, table.physical)})::json`,
  );
  return sql`with shared as materialized (
  select ${names}, count(*) as n, array_agg(_id order by _id) as ids
  from (select t._id, ${cells} from ${tableName(table)} t where ${LIVE}) t where ${filled} group by ${names} having count(*) > 1)
select (select count(*) from shared), (select coalesce(json_agg(
    json_build_object('values', json_build_object(${join(shown, comma)}), 'rows', n, 'rowIds', to_json(ids[1:${EXAMPLES}])) order by n desc, ids), '[]')
  from (select * from shared order by n desc, ids limit ${EXAMPLES}) example)`;
}

/** Rows that hold each of these choices, in the trash or not: `choice, count`; none for a choice that nobody holds. */
export function choiceUses(table: TableSchema, column: ColumnSchema, keys: readonly string[]): Sql {
  const cell = ident(column.physical);
  const gone = value([...keys], 'text[]');
  return kindOf(column).list
    ? sql`select e, count(*) from ${tableName(table)}, unnest(${cell}) as e where e = any(${gone}) group by 1 order by 1`
    : sql`select ${cell}, count(*) from ${tableName(table)} where ${cell} = any(${gone}) group by 1 order by 1`;
}
