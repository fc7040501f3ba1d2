import { isStored, isWritable, kindOf } from '../kind.js';
import type { ColumnOptions, ColumnSchema, TableSchema, ValueKind } from '../schema.js';
import { columnType, foldedLabel, trimmedLabel } from '../types/index.js';
import { ident, integer, sql, value, type Sql } from '../sql.js';
import { tableName } from './read.js';

/*
 * Conversions of cells in SQL. They are total: what cannot be converted is null and never an error, because one row must not
 * keep a million others from it. A `case` decides before it computes (manual 9.18.1), so each cast is behind its own test.
 */

/** A cast of a value that is not null. */
type Cast = (cell: Sql, options: ColumnOptions) => Sql;

/**
 * The cell of another type that a cell of the column becomes, null where it cannot be; undefined where these types do not
 * convert at all. `cell` may be null.
 */
export function castCell(from: ValueKind, to: ValueKind, cell: Sql): Sql | undefined {
  const cast = castOf(from, to);
  if (!cast) return undefined;
  if (from.list && to.list) return eachElement(cell, (element) => cast(element, to.options));
  // JSON holds lists itself.
  if (from.list && columnType(to.type).family === 'json') return cast(cell, to.options);
  if (from.list) return cast(onlyElement(from, to, cell), to.options);
  if (!to.list) return cast(cell, to.options);
  // Texts are taken apart at their commas; anything else is the only element.
  return isText(from)
    ? eachElement(partsOf(cell), (part) => cast(sql`trim(${part})`, to.options))
    : sql`case when ${cast(cell, to.options)} is not null then array[${cast(cell, to.options)}] end`;
}

/** Whether a column of the type can be made of another one. */
export const canBecome = (column: Pick<ColumnSchema, 'type' | 'derived'>): boolean =>
  isStored(column) && isWritable(column) && column.type !== 'attachment';

const isText = ({ type }: Pick<ValueKind, 'type'>): boolean => columnType(type).family === 'text';

const partsOf = (text: Sql): Sql => sql`string_to_array(${text}, ',')`;

/** All elements converted, in order, each once; null when one of them cannot be, or there is none. */
const eachElement = (list: Sql, convert: (element: Sql) => Sql): Sql =>
  sql`(select case when bool_and(v is not null) then array_agg(v order by o) end
  from (select v, min(o) as o from (select ${convert(sql`e`)} as v, o from unnest(${list}) with ordinality u(e, o)) each group by v) once)`;

/** A list as one value: texts join its elements, other types take it only when it has one. */
const onlyElement = (from: ValueKind, to: ValueKind, list: Sql): Sql =>
  isText(to)
    ? sql`(select string_agg(${plainText(from, sql`e`)}, ', ' order by o) from unnest(${list}) with ordinality u(e, o))`
    : sql`(case when cardinality(${list}) = 1 then ${list} end)[1]`;

/** The text of a value from which other types are read: what a person reads, but times in full. */
function plainText({ type, options }: ValueKind, cell: Sql): Sql {
  const source = columnType(type);
  if (source.family === 'datetime') return sql`to_char(${cell}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return source.toText(cell, options);
}

/** What lies between families; what a type takes of numbers and texts, it says itself. */
function castOf(from: ValueKind, to: ValueKind): Cast | undefined {
  const [source, target] = [columnType(from.type), columnType(to.type)];
  if (source.family === 'id' || target.family === 'id') return from.type === to.type ? (cell) => cell : undefined;
  if (target.family === 'json') return (cell) => (source.family === 'json' ? cell : sql`to_jsonb(${cell})`);
  if (source.family === 'date' && target.family === 'datetime')
    return (cell) => sql`(${cell}::timestamp at time zone 'UTC')`;
  if (source.family === 'datetime' && target.family === 'date')
    return (cell) => sql`(${cell} at time zone 'UTC')::date`;
  const { fromNumber, fromText } = target;
  if (source.family === 'number' && fromNumber) return (cell, options) => fromNumber(sql`${cell}::numeric`, options);
  if (!fromText) return undefined;
  // A list that became one text is text already.
  return (cell, options) => fromText(from.list && isText(to) ? cell : plainText(from, cell), options);
}

/** A conversion inside one table, with the hidden column that it fills. */
export interface Conversion {
  readonly table: TableSchema;
  readonly from: ColumnSchema;
  readonly to: ColumnSchema;
}

/** The new cell; undefined where the types do not convert. */
export const convertedCell = ({ from, to }: Pick<Conversion, 'from' | 'to'>, alias: string): Sql | undefined =>
  castCell(kindOf(from), kindOf(to), ident(alias, from.physical));

/**
 * What a conversion would come to: `rows, with a value, of them failing, samples [{rowId, text}] as JSON, digest of all values, digest of those
 * that fail`;
 * rows in the trash count, too. The digests do not depend on the order of the rows.
 */
export function tryConversion(conversion: Conversion, converted: Sql, samples: number): Sql {
  const { table, from } = conversion;
  const cell = ident('t', from.physical);
  const fails = sql`${cell} is not null and (${converted}) is null`;
  const first = sql`(select coalesce(json_agg(json_build_object('rowId', _id, 'text', ${sampleText(from)}) order by _id), '[]')
    from (select t.* from ${tableName(table)} t where ${fails} order by t._id limit ${integer(samples)}) t)`;
  // Looked for only where there are some: it would read the whole table once more.
  const hash = sql`hashtextextended(t._id::text || ' ' || ${cell}::text, 0)::numeric`;
  return sql`select count(*), count(${cell}), count(*) filter (where ${fails}),
  case when count(*) filter (where ${fails}) > 0 then ${first} else '[]' end,
  count(*) || ' ' || coalesce(sum(${hash}), 0), coalesce(sum(${hash}) filter (where ${fails}), 0)::text
from ${tableName(table)} t`;
}

const sampleText = (from: ColumnSchema): Sql =>
  kindOf(from).list
    ? sql`array_to_string(${ident('t', from.physical)}, ', ')`
    : sql`left(${plainText(kindOf(from), ident('t', from.physical))}, 1000)`;

/**
 * Labels for choices that the texts of the cells are, as many as may be and one more: rows `text`. Of those that are one label it is the most
 * frequent; a text that becomes a list is taken apart as {@link castCell} does.
 */
export function distinctTexts(
  { table, from, list }: Pick<Conversion, 'table' | 'from'> & { readonly list: boolean },
  most: number,
): Sql {
  const [kind, cell] = [kindOf(from), ident('t', from.physical)];
  const parts = kind.list ? cell : list && isText(kind) ? partsOf(cell) : sql`array[${plainText(kind, cell)}]`;
  return sql`select mode() within group (order by v) from (
  select ${trimmedLabel(sql`e`)} collate "C" as v from ${tableName(table)} t, unnest(${parts}) as e where ${cell} is not null) d
where v <> '' group by ${foldedLabel(sql`v`)} order by 1 limit ${integer(most + 1)}`;
}

/** How many rows there are, those in the trash too; counts no further than just past `most`. */
export const countUpTo = (table: TableSchema, most: number): Sql =>
  sql`select count(*) from (select from ${tableName(table)} limit ${integer(most + 1)}) r`;

/** Fills the hidden column of every row, those in the trash too. */
export const fillConverted = (table: TableSchema, hidden: string, converted: Sql): Sql =>
  sql`update ${tableName(table)} t set ${ident(hidden)} = ${converted}`;

/** For statements that may take longer than those of requests. */
export const withTimeout = (seconds: number): Sql =>
  sql`select set_config('statement_timeout', ${value(`${seconds}s`, 'text')}, true)`;
