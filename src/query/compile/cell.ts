import { columnsOf, expressionOf } from '../formula/expression.js';
import { kindOf, valueType } from '../kind.js';
import { remembered, underName } from '../remember.js';
import type { ColumnSchema, Derivation, LinkRef, TableSchema } from '../schema.js';
import { columnType, type Place } from '../types/index.js';
import { empty, ident, integer, sql, type Sql } from '../sql.js';
import { bareFormulaSql, formulaSql } from './formula/postgres.js';

/*
 * What a cell is in SQL. Most are a physical column, those of formulas an expression over others of the row; those of links, lookups, rollups and counts are a correlated subquery,
 * so that a page stays one statement and pays for the rows that it shows only. `alias` is the alias of the row's table;
 * aliases inside a subquery are made by adding to it, so that they never meet.
 */

/** Aliases that a column is met under: `t`, and what links add to it. */
const MAX_ALIASES = 32;
const cells = remembered((_column: ColumnSchema) => new Map<string, Sql>());
const bare = remembered((_column: ColumnSchema) => new Map<string, Sql>());
const jsons = remembered((_column: ColumnSchema) => new Map<string, Sql>());

/** The canonical value of a cell: a value, an array, or null. */
export const cellOf = (column: ColumnSchema, alias: string): Sql =>
  underName(cells(column), MAX_ALIASES, alias, () => {
    const { derived } = column;
    return derived === undefined || derived.kind === 'system'
      ? ident(alias, column.physical)
      : derivedCell(column, derived, alias);
  });

/** The same where nobody sees it: of a formula the {@link bareFormulaSql}. */
export function bareCellOf(column: ColumnSchema, alias: string): Sql {
  const { derived } = column;
  if (derived?.kind !== 'formula' || kindOf(column).list) return cellOf(column, alias);
  return underName(bare(column), MAX_ALIASES, alias, () =>
    bareFormulaSql(expressionOf(derived.expression), (each) => bareCellOf(each, alias)),
  );
}

/** JSON text of a cell; `[]` for a list without elements, `null` for a value that is not there. */
export const cellJson = (column: ColumnSchema, alias: string, place: Place): Sql =>
  underName(jsons(column), MAX_ALIASES, alias, () => {
    if (!kindOf(column).list) return valueJson(cellOf(column, alias), column, place);
    const { from, element, order } = elementsOf(column, alias);
    return sql`(select concat('[', string_agg(${valueType(column).toJson(element, place)}, ',' order by ${order}), ']') ${from})`;
  });

/** JSON text of one canonical value of the column, which need not stand in a row. */
export const valueJson = (value: Sql, column: ColumnSchema, place: Place): Sql =>
  sql`coalesce(${valueType(column).toJson(value, place)}, 'null')`;

/** The elements of a list cell as rows: what to select from, with its conditions; the element, never null; and its place in the list. */
export interface Elements {
  readonly from: Sql;
  readonly element: Sql;
  readonly order: Sql;
}

export function elementsOf(column: ColumnSchema, alias: string): Elements {
  const { derived } = column;
  if (derived?.kind === 'link') return linkElements(derived.link, alias);
  if (derived?.kind === 'lookup') return lookupElements(derived.link, derived.column, alias);
  return unnested(cellOf(column, alias), alias);
}

function unnested(list: Sql, alias: string): Elements {
  const name = `${alias}u`;
  return {
    from: sql`from unnest(${list}) with ordinality ${ident(name)}(e, o)`,
    element: ident(name, 'e'),
    order: ident(name, 'o'),
  };
}

/** The physical columns of a link's table, as seen from an end of it. */
export const linkColumns = ({ end }: Pick<LinkRef, 'end'>) =>
  end === 'source'
    ? { mine: 'source_id', theirs: 'target_id', order: 'source_order' }
    : { mine: 'target_id', theirs: 'source_id', order: 'target_order' };

export const linkTable = ({ through, target }: LinkRef): Sql => ident(target.physical.schema, through);

/** The pairs of a row. Rows in the trash have none, so nothing has to be asked of the rows at the other end, but whether they are seen. */
function linkElements(link: LinkRef, alias: string): Elements {
  if (link.target.seen?.rows) return seenElements(link, alias);
  const name = linkAlias(alias);
  const { mine, theirs, order } = linkColumns(link);
  return {
    from: sql`from ${linkTable(link)} ${ident(name)} where ${ident(name, mine)} = ${ident(alias, '_id')}`,
    element: ident(name, theirs),
    order: sql`${ident(name, order)}, ${ident(name, theirs)}`,
  };
}

/** The list of linked rows of a row, in its order, null where there are none. */
export function pairsNow(link: LinkRef, alias: string): Sql {
  const { mine, theirs, order } = linkColumns(link);
  const pair = linkAlias(alias);
  return sql`(select array_agg(${ident(pair, theirs)} order by ${ident(pair, order)}, ${ident(pair, theirs)}) from ${linkTable(link)} ${ident(pair)} where ${ident(pair, mine)} = ${ident(alias, '_id')})`;
}

function seenElements(link: LinkRef, alias: string): Elements {
  const { from, tie, order } = linkedRows(link, alias);
  return { from: sql`${from} where ${tie}`, element: ident(linkedAlias(alias), '_id'), order };
}

const linkAlias = (alias: string): string => `${alias}l`;
/** Alias of the rows at the other end of a link. */
export const linkedAlias = (alias: string): string => `${alias}r`;

/** The linked rows of a row, those that are seen: what to select from, with the condition that ties them to it. `id` is the row's. */
export function linkedRows(
  link: LinkRef,
  alias: string,
  id = ident(alias, '_id'),
): { readonly from: Sql; readonly tie: Sql; readonly order: Sql } {
  const [pair, row] = [linkAlias(alias), linkedAlias(alias)];
  const { mine, theirs, order } = linkColumns(link);
  return {
    from: sql`from ${linkTable(link)} ${ident(pair)} join ${ident(link.target.physical.schema, link.target.physical.table)} ${ident(row)} on ${ident(row, '_id')} = ${ident(pair, theirs)}`,
    tie: sql`${ident(pair, mine)} = ${id}${onlySeen(link.target, row)}`,
    order: sql`${ident(pair, order)}, ${ident(pair, theirs)}`,
  };
}

/** ` and …` where not all rows of the table are seen. */
export const onlySeen = ({ seen }: TableSchema, alias: string): Sql =>
  seen?.rows ? sql` and ${seen.rows.under(alias)}` : empty;

/** The same of rows in the trash, as they were last; what depended on their links, which they have lost, nobody knows, so such rows are not seen. */
export const onlySeenInTrash = (table: TableSchema, alias: string): Sql =>
  table.seen?.rows?.readsLinks ? sql` and false` : onlySeen(table, alias);

/** Values of the linked rows; lists among them are taken apart, and what is empty is left out. */
function lookupElements(link: LinkRef, target: ColumnSchema, alias: string): Elements {
  const { from, tie, order } = linkedRows(link, alias);
  const row = linkedAlias(alias);
  if (!kindOf(target).list) {
    const element = cellOf(target, row);
    return { from: sql`${from} where ${tie} and ${element} is not null`, element, order };
  }
  const parts = unnested(cellOf(target, row), row);
  return {
    from: sql`${from} cross join lateral (select ${parts.element} as e, ${parts.order} as o ${parts.from}) ${ident(`${row}e`)} where ${tie}`,
    element: ident(`${row}e`, 'e'),
    order: sql`${order}, ${ident(`${row}e`, 'o')}`,
  };
}

function derivedCell(column: ColumnSchema, derived: Exclude<Derivation, { kind: 'system' }>, alias: string): Sql {
  switch (derived.kind) {
    case 'link':
    case 'lookup': {
      if (!kindOf(column).list && derived.kind === 'lookup') return singleLookup(derived.link, derived.column, alias);
      const { from, element, order } = elementsOf(column, alias);
      return sql`(select array_agg(${element} order by ${order}) ${from})`;
    }
    case 'count':
      return sql`(select count(*) ${linkElements(derived.link, alias).from})`;
    case 'rollup': {
      const { from, element, order } = lookupElements(derived.link, derived.column, alias);
      return sql`(select ${aggregate(derived, element, order)} ${from})`;
    }
    case 'formula':
      return formulaSql(expressionOf(derived.expression), (each) => bareCellOf(each, alias));
  }
}

function singleLookup(link: LinkRef, target: ColumnSchema, alias: string): Sql {
  const { from, tie } = linkedRows(link, alias);
  return sql`(select ${cellOf(target, linkedAlias(alias))} ${from} where ${tie})`;
}

/** A sum of durations beyond it, some hundred million years, is no value. */
const MAX_SECONDS = integer(Number.MAX_SAFE_INTEGER);

/** Digits behind the point of an average. */
const AVERAGE_SCALE = 10;
/** A quotient has as many digits behind the point as what is divided. */
const ENOUGH_DIGITS = sql`round(0, ${integer(2 * AVERAGE_SCALE)})`;

/** The value of a rollup over the linked rows, or of an aggregate over those of a group; `order` is theirs. */
export function aggregate(
  { column, fn }: Pick<Extract<Derivation, { kind: 'rollup' }>, 'column' | 'fn'>,
  element: Sql,
  order: Sql,
): Sql {
  const { type, options } = kindOf(column);
  switch (fn) {
    case 'sum': {
      const total = shownAlike(column, sql`coalesce(sum(${element}), ${zero(options.scale)})`);
      // A JSON number holds no more; without the limit the cast of a larger one would fail the whole page.
      return type === 'duration' ? sql`case when abs(${total}) <= ${MAX_SECONDS} then (${total})::bigint end` : total;
    }
    case 'avg':
      // avg() has 16 significant digits: of large numbers not all of those behind the point, and of very large ones none.
      return sql`trim_scale(round((sum(${element}) + ${ENOUGH_DIGITS}) / count(${element}), ${integer(AVERAGE_SCALE)}))`;
    case 'min':
    case 'max':
      return shownAlike(column, extreme(fn, column, element));
    case 'count':
      return sql`count(*)`;
    case 'countDistinct':
      return sql`count(distinct ${element})`;
    case 'concat':
      return sql`string_agg(${columnType(type).toText(element, options)}, ', ' order by ${order}) collate "C"`;
  }
}

/** Numbers that keep the notation in which they were written are equal in several: which of them an aggregate has met last must not be seen. */
function shownAlike(column: ColumnSchema, made: Sql): Sql {
  const { options } = kindOf(column);
  return valueType(column).bind === 'numeric' && options.scale === undefined ? sql`trim_scale(${made})` : made;
}

/** With as many digits behind the point as sums of such values have. */
const zero = (scale: number | undefined): Sql => (scale === undefined ? sql`0` : sql`round(0, ${integer(scale)})`);

/** By the order of the type, which for choices is not that of their keys. */
function extreme(fn: 'min' | 'max', column: ColumnSchema, element: Sql): Sql {
  const { type, options } = kindOf(column);
  const key = columnType(type).orderKey?.(element, options);
  if (!key) return fn === 'min' ? sql`min(${element})` : sql`max(${element})`;
  return sql`(array_agg(${element} order by ${key} ${fn === 'min' ? empty : sql`desc nulls last`}))[1]`;
}

/** A column of the rows at the other end of a link, that cells are computed from. */
export interface Source {
  readonly table: TableSchema;
  readonly column: ColumnSchema;
}

/** What a column's cells are computed from in linked rows, near and far. Links themselves are none: they lie between rows. */
export const sourcesOf = remembered((column: ColumnSchema): readonly Source[] => {
  const { derived } = column;
  if (derived?.kind === 'formula') return columnsOf(expressionOf(derived.expression)).flatMap(sourcesOf);
  if (derived?.kind !== 'lookup' && derived?.kind !== 'rollup') return [];
  const table = derived.link.target;
  return [...ownSourcesOf(derived.column).map((each) => ({ table, column: each })), ...sourcesOf(derived.column)];
});

/** The column, and of the same row what a formula makes it of, near and far. */
export const ownSourcesOf = remembered((column: ColumnSchema): readonly ColumnSchema[] => {
  const { derived } = column;
  if (derived?.kind !== 'formula') return [column];
  return [column, ...columnsOf(expressionOf(derived.expression)).flatMap(ownSourcesOf)];
});

/** The tables that a column's cells are computed from, besides its own. */
export const tablesBehind = remembered((column: ColumnSchema): readonly TableSchema[] => [
  ...sourcesOf(column).map(({ table }) => table),
  ...seenThrough(column),
]);

/** The tables that decide which of the linked rows are seen. */
function seenThrough({ derived }: ColumnSchema): readonly TableSchema[] {
  if (derived === undefined || derived.kind === 'system') return [];
  if (derived.kind === 'formula') return columnsOf(expressionOf(derived.expression)).flatMap(seenThrough);
  const { target } = derived.link;
  const further = derived.kind === 'lookup' || derived.kind === 'rollup' ? seenThrough(derived.column) : [];
  return target.seen?.rows ? [target, ...target.seen.rows.tables, ...further] : further;
}
