import { isStored, kindOf, titleColumn, valueType } from '../kind.js';
import type { ColumnSchema, TableSchema, ValueKind } from '../schema.js';
import { foldedLabel, trimmedLabel } from '../types/index.js';
import { ident, integer, sql, value, type Sql } from '../sql.js';
import { castCell, partsOf, plainText } from './cast.js';
import { cellOf, elementsOf } from './cell.js';
import { titleText } from './expanded.js';
import { tableName } from './read.js';

/** A conversion inside one table. `from` is stored or not, `to` is. */
export interface Conversion {
  readonly table: TableSchema;
  readonly from: ColumnSchema;
  readonly to: ColumnSchema;
}

/** What a conversion takes of a row: a cell, and what it holds. */
interface Taken {
  readonly kind: ValueKind;
  readonly cell: Sql;
}

/**
 * Ids mean nothing to another type, so of links and files it is what a person reads: the titles of the rows, the names of the files. Of everything
 * else it is the cell itself, computed or not.
 */
function takenOf({ table, from }: Pick<Conversion, 'table' | 'from'>, alias: string): Taken {
  const named = nameOf(table, from);
  if (!named) return { kind: kindOf(from), cell: cellOf(from, alias) };
  const kind = { type: 'long_text', options: {}, list: kindOf(from).list } as const;
  if (!kind.list) return { kind, cell: named(cellOf(from, alias)) };
  const { from: source, element, order } = elementsOf(from, alias);
  const names = sql`select ${named(element)} as v, row_number() over (order by ${order}) as o ${source}`;
  return { kind, cell: sql`(select array_agg(v order by o) from (${names}) named where v is not null)` };
}

/** What a person calls a thing by whose id the column holds. A row without a title is called by its id. */
function nameOf(table: TableSchema, column: ColumnSchema): ((id: Sql) => Sql) | undefined {
  if (valueType(column).name === 'attachment')
    return (id) => sql`(select n.name from ${ident(table.physical.schema, '_file')} n where n.id = ${id})`;
  const rows = rowsOf(column);
  if (!rows) return undefined;
  const title = titleColumn(rows);
  const text = title ? sql`nullif(${titleText(title, 'n')}, '')` : sql`null`;
  return (id) => sql`(select coalesce(${text}, n._id::text) from ${tableName(rows)} n where n._id = ${id})`;
}

/** The column of another table whose values a conversion takes in place of the ids of rows. */
export function titleShown(column: ColumnSchema): ColumnSchema | undefined {
  const rows = rowsOf(column);
  return rows && titleColumn(rows);
}

/** The table whose rows a column shows by id, near or far. */
function rowsOf({ derived }: ColumnSchema): TableSchema | undefined {
  if (derived?.kind === 'link') return derived.link.target;
  return derived?.kind === 'lookup' ? rowsOf(derived.column) : undefined;
}

/** Whether the cell is an expression that should be computed only once. */
const isComputed = (column: ColumnSchema): boolean =>
  (!isStored(column) && column.derived?.kind !== 'system') || valueType(column).name === 'attachment';

/** The new cell; undefined where the types do not convert. */
export function convertedCell(conversion: Conversion, alias: string): Sql | undefined {
  const { from, to } = conversion;
  const { kind, cell } = takenOf(conversion, alias);
  if (!isComputed(from)) return castCell(kind, kindOf(to), cell);
  const cast = castCell(kind, kindOf(to), sql`taken.v`);
  return cast && sql`(select ${cast} from (select ${cell} as v offset 0) taken)`;
}

/** Whether a row has something that became nothing; `converted` is what it became. */
export const isLost = (conversion: Conversion, converted: Sql, alias: string): Sql =>
  sql`${takenOf(conversion, alias).cell} is not null and (${converted}) is null`;

/**
 * What a conversion would come to: `rows, with a value, of them failing, samples [{rowId, text}] as JSON, digest of all values, digest of those
 * that fail`;
 * rows in the trash count, too. The digests do not depend on the order of the rows.
 */
export function tryConversion(conversion: Conversion, converted: Sql, samples: number): Sql {
  const { kind, cell } = takenOf(conversion, 't');
  const fails = sql`c is not null and v is null`;
  // The offset keeps each from being computed once for each time that it is named here.
  const tried = sql`(select t._id, ${cell} as c, ${converted} as v from ${tableName(conversion.table)} t offset 0) tried`;
  const first = sql`(select coalesce(json_agg(json_build_object('rowId', _id, 'text', ${sampleText(kind)}) order by _id), '[]')
    from (select _id, c from ${tried} where ${fails} order by _id limit ${integer(samples)}) failed)`;
  // Looked for only where there are some: it would read the whole table once more.
  const hash = sql`hashtextextended(_id::text || ' ' || c::text, 0)::numeric`;
  return sql`select count(*), count(c), count(*) filter (where ${fails}),
  case when count(*) filter (where ${fails}) > 0 then ${first} else '[]' end,
  count(*) || ' ' || coalesce(sum(${hash}), 0), coalesce(sum(${hash}) filter (where ${fails}), 0)::text
from ${tried}`;
}

const sampleText = (kind: ValueKind): Sql =>
  kind.list
    ? sql`left(array_to_string(${elementTexts(kind, sql`c`)}, ', '), 1000)`
    : sql`left(${plainText(kind, sql`c`)}, 1000)`;

/** The texts of the elements of a list, in order. */
const elementTexts = (kind: ValueKind, list: Sql): Sql =>
  sql`array(select ${plainText(kind, sql`e`)} from unnest(${list}) with ordinality u(e, o) order by o)`;

/**
 * Labels for choices that the texts of the cells are, as many as may be and one more: rows `text`. Of those that are one label it is the most
 * frequent; what becomes a list is taken apart as {@link castCell} does.
 */
export function distinctTexts(
  conversion: Pick<Conversion, 'table' | 'from'> & { readonly list: boolean },
  most: number,
): Sql {
  const { kind, cell } = takenOf(conversion, 't');
  const parts = kind.list
    ? elementTexts(kind, sql`c`)
    : ((conversion.list ? partsOf(kind, sql`c`) : undefined) ?? sql`array[${plainText(kind, sql`c`)}]`);
  return sql`select mode() within group (order by v) from (
  select ${trimmedLabel(sql`e`)} collate "C" as v from (select ${cell} as c from ${tableName(conversion.table)} t offset 0) taken, unnest(${parts}) as e where c is not null) d
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
