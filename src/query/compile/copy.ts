import { isStored } from '../kind.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { comma, ident, integer, join, literal, sql, type Sql } from '../sql.js';
import { columnType } from '../types/index.js';
import { onlySeen } from './cell.js';
import { tableName } from './read.js';
import { fieldsJson } from './row-json.js';

/**
 * Copies the live rows of a table into a new one that has its columns under the same physical names. Rows keep their ids, their
 * times and their people, and begin at version 1; automatic numbers go on behind the highest.
 */
export function copyRows(from: TableSchema, to: TableSchema): Sql[] {
  const stored = to.columns.filter(isStored);
  const names = ['_created_at', '_created_by', '_updated_at', '_updated_by', ...stored.map(({ physical }) => physical)];
  const columns = join(
    names.map((name) => ident(name)),
    comma,
  );
  const { schema, table } = to.physical;
  const numbered = stored.filter(({ type }) => columnType(type).generated);
  return [
    sql`insert into ${tableName(to)} (_id, _version, ${columns}) select _id, 1, ${columns} from ${tableName(from)} where _deleted_at is null`,
    ...numbered.map(
      ({ physical }) =>
        sql`select setval(pg_get_serial_sequence(format('%I.%I', ${literal(schema)}, ${literal(table)}), ${literal(physical)}), coalesce(max(${ident(physical)}), 0) + 1, false) from ${tableName(to)}`,
    ),
  ];
}

/** A link's table of pairs, with the tables that it ties. */
export interface PairsOfLink {
  readonly through: string;
  readonly source: TableSchema;
  readonly target: TableSchema;
}

/** Copies the pairs of which both rows are in the copy. */
export const copyPairs = (from: Pick<PairsOfLink, 'source' | 'through'>, to: PairsOfLink): Sql =>
  sql`insert into ${ident(to.source.physical.schema, to.through)} (source_id, target_id, source_order, target_order)
select p.source_id, p.target_id, p.source_order, p.target_order from ${ident(from.source.physical.schema, from.through)} p
join ${tableName(to.source)} s on s._id = p.source_id and s._deleted_at is null
join ${tableName(to.target)} t on t._id = p.target_id and t._deleted_at is null`;

/** The oldest live rows, up to a number: `id` and the JSON text of these fields. */
export const oldestRows = (table: TableSchema, columns: readonly ColumnSchema[], most: number): Sql =>
  sql`select t._id, ${fieldsJson('t', columns, table.physical)} from ${tableName(table)} t where t._deleted_at is null${onlySeen(table, 't')} order by t._id limit ${integer(most)}`;
