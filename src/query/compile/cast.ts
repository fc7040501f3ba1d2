import { isStored, isWritable } from '../kind.js';
import type { ColumnOptions, ColumnSchema, ValueKind } from '../schema.js';
import { columnType, trimmedLabel } from '../types/index.js';
import { sql, type Sql } from '../sql.js';

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
  if (from.list && isJson(to)) return cast(cell, to.options);
  if (from.list) return cast(onlyElement(from, to, cell), to.options);
  if (!to.list) return cast(cell, to.options);
  const parts = partsOf(from, cell);
  if (!parts) return sql`case when ${cast(cell, to.options)} is not null then array[${cast(cell, to.options)}] end`;
  const fromPart = castOf(TEXT, to);
  return fromPart && eachElement(parts, (part) => fromPart(part, to.options));
}

/** Whether a column of the type can be made of another one. */
export const canBecome = (column: Pick<ColumnSchema, 'type' | 'derived'>): boolean =>
  isStored(column) && isWritable(column) && column.type !== 'attachment';

const isText = ({ type }: Pick<ValueKind, 'type'>): boolean => columnType(type).family === 'text';

const isJson = ({ type }: Pick<ValueKind, 'type'>): boolean => columnType(type).family === 'json';

const TEXT: ValueKind = { type: 'text', options: {}, list: false };

/** What one value is as the texts of a list; undefined where it can only be the one element. */
export function partsOf(from: ValueKind, cell: Sql): Sql | undefined {
  if (isText(from)) return partsOfText(cell);
  if (!isJson(from)) return undefined;
  return sql`case jsonb_typeof(${cell})
    when 'array' then array(select e #>> '{}' from jsonb_array_elements(${cell}) with ordinality u(e, o) order by o)
    when 'string' then ${partsOfText(plainText(from, cell))} else array[${plainText(from, cell)}] end`;
}

/** Between commas and ends of lines, which no label has; what is empty is no part. */
const partsOfText = (text: Sql): Sql =>
  sql`array(select ${trimmedLabel(sql`p`)} from unnest(string_to_array(translate(${text}, e'\n\r', ',,'), ',')) with ordinality u(p, o) where ${trimmedLabel(sql`p`)} <> '' order by o)`;

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
export function plainText({ type, options }: ValueKind, cell: Sql): Sql {
  const source = columnType(type);
  if (source.family === 'json') return sql`(${cell} #>> '{}')`;
  if (source.family === 'datetime') return sql`to_char(${cell}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return source.toText(cell, options);
}

/** What lies between families; what a type takes of numbers and texts, it says itself. */
function castOf(from: ValueKind, to: ValueKind): Cast | undefined {
  const [source, target] = [columnType(from.type), columnType(to.type)];
  if (source.family === 'id' || target.family === 'id') return from.type === to.type ? (cell) => cell : undefined;
  if (target.family === 'json' && source.family === 'json') return (cell) => cell;
  if (target.family === 'json' && (from.list || source.family !== 'text')) return (cell) => sql`to_jsonb(${cell})`;
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
