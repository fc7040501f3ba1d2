import { must } from '../../../common/index.js';
import { kindOf } from '../../kind.js';
import type { ColumnSchema, TableSchema } from '../../schema.js';
import { comma, empty, ident, integer, join, sql, value, type Sql } from '../../sql.js';
import { columnType } from '../../types/index.js';
import { columnsOf } from '../../formula/expression.js';
import {
  isViewColumn,
  tablesIn,
  type ViewColumn,
  type ViewJoin,
  type ViewPlace,
  type ViewTable,
} from '../../view/view-table.js';
import { bareCellOf, cellOf, onlySeen, tablesBehind } from '../cell.js';
import { bareFormulaSql, formulaSql } from '../formula/postgres.js';
import { tableName } from '../read.js';

/*
 * The rows of a view put together in the mini-DB: its own tables as they are, external objects as copies in temporary tables. The
 * whole is a subquery that PostgreSQL takes apart again, so that indexes of the tables serve what is asked of the view.
 */

/** Names that no alias within a cell meets: cells add letters to them. */
const aliasOf = (place: number): string => `p${place}`;
/** The temporary table that holds the rows of a place, and its columns. */
export const stagedTable = (place: number): Sql => ident('pg_temp', `stage_${place}`);
export const stagedColumn = (index: number): string => `c${index}`;
export const STAGED_KEY = '_key';

/**
 * `(select …)`: the rows of the view, with the cells of these columns under their physical names. Where nobody
 * sees them they may be bare.
 */
export function relation(
  { places }: ViewTable,
  needed: Iterable<ColumnSchema>,
  { areSeen }: { readonly areSeen: boolean },
): Sql {
  const cells = [...physically(needed)].map(([name, column]) => {
    const cell = areSeen ? viewCell(column, places) : bareViewCell(column, places);
    return sql`${cell} as ${ident(name)}`;
  });
  const [first, ...joined] = places;
  const tail = joined.map((place, i) => joinClause(place, i + 1, places));
  return sql`(select ${cells.length === 0 ? sql`1 as one` : join(cells, comma)} from ${placeName(must(first, 'a view has a source'), 0)}${join(tail, empty)} where ${alive(places, 0)})`;
}

/** A column occurs under several keys, and is one all the same. */
const physically = (columns: Iterable<ColumnSchema>): ReadonlyMap<string, ViewColumn> =>
  new Map([...columns].filter(isViewColumn).map((column) => [column.physical, column]));

/** What a cell of the view is where its tables stand side by side. */
function viewCell({ of }: ViewColumn, places: readonly ViewPlace[]): Sql {
  switch (of.kind) {
    case 'key':
      return ident(aliasOf(of.place), must(places[of.place], 'a place').source.kind === 'table' ? '_id' : STAGED_KEY);
    case 'cell': {
      const { source } = must(places[of.place], 'a place');
      const alias = aliasOf(of.place);
      if (source.kind === 'table') return cellOf(of.column, alias);
      return ident(alias, stagedColumn(source.object.columns.findIndex(({ key }) => key === of.column.key)));
    }
    case 'formula':
      return formulaSql(of.expression, (column) => bareViewCell(column as ViewColumn, places));
  }
}

function bareViewCell(column: ViewColumn, places: readonly ViewPlace[]): Sql {
  const { of } = column;
  if (of.kind === 'formula' && !kindOf(column).list)
    return bareFormulaSql(of.expression, (each) => bareViewCell(each as ViewColumn, places));
  if (of.kind === 'cell' && places[of.place]?.source.kind === 'table') return bareCellOf(of.column, aliasOf(of.place));
  return viewCell(column, places);
}

/** A table of ours under its alias, or the copy of an object. */
function placeName({ source }: ViewPlace, place: number): Sql {
  const name = source.kind === 'table' ? tableName(source.table) : stagedTable(place);
  return sql`${name} ${ident(aliasOf(place))}`;
}

/** Rows in the trash are not there, nor those that are not seen; copies have neither. */
function alive(places: readonly ViewPlace[], place: number): Sql {
  const source = places[place]?.source;
  if (source?.kind !== 'table') return sql`true`;
  const alias = aliasOf(place);
  return sql`${ident(alias, '_deleted_at')} is null${onlySeen(source.table, alias)}`;
}

function joinClause(place: ViewPlace, index: number, places: readonly ViewPlace[]): Sql {
  const { type, on } = must(place.join, 'a place behind the first is joined');
  const ties = on.map((tie) => equal(tie, places));
  return sql` ${type === 'left' ? sql`left join` : sql`join`} ${placeName(place, index)} on ${join([alive(places, index), ...ties], sql` and `)}`;
}

/** Never of two nulls. Ids and texts are compared as texts; a list holds the value. */
function equal({ left, right }: ViewJoin['on'][number], places: readonly ViewPlace[]): Sql {
  const cells = [viewCell(left, places), viewCell(right, places)] as const;
  const [a, b] = [left, right].map((column) => columnType(kindOf(column).type).family);
  const as = a === b ? empty : sql`::text`;
  if (!kindOf(left).list) return sql`${cells[0]}${as} = ${cells[1]}${as}`;
  // Behind \`any\` PostgreSQL takes a subselect for rows, however many parentheses are around it; this makes a value of it.
  const list = as === empty ? sql`coalesce(${cells[0]}, null)` : sql`${cells[0]}::text[]`;
  return sql`${cells[1]}${as} = any(${list})`;
}

/** All columns that the needed ones are made of, with those that the places are joined by. */
function behind({ places }: ViewTable, needed: Iterable<ColumnSchema>): ReadonlySet<ColumnSchema> {
  const found = new Set<ColumnSchema>();
  const add = (column: ColumnSchema): void => {
    if (found.has(column)) return;
    found.add(column);
    if (isViewColumn(column) && column.of.kind === 'formula')
      for (const each of columnsOf(column.of.expression)) add(each);
  };
  for (const column of needed) add(column);
  for (const { join: tied } of places) for (const { left, right } of tied?.on ?? []) [left, right].forEach(add);
  return found;
}

/** The tables of ours that the rows are put together of, with those behind cells of links and those that the view's filter reads there. */
export function tablesOfView(table: ViewTable, needed: Iterable<ColumnSchema>): ReadonlySet<TableSchema> {
  const places = tablesIn(table).flatMap((each) => [each, ...(each.seen?.rows?.tables ?? [])]);
  const linked = [...behind(table, needed)].flatMap((column) =>
    isViewColumn(column) && column.of.kind === 'cell' ? tablesBehind(column.of.column) : [],
  );
  // A table may be among them as a whole and as it is seen.
  return new Set(new Map([...linked, ...places].map((each) => [each.id, each])).values());
}

/** The columns of an external object that have to be copied. */
export function stagedColumns(
  table: ViewTable,
  needed: Iterable<ColumnSchema>,
  place: number,
): ReadonlySet<ColumnSchema> {
  return new Set(
    [...behind(table, needed)].flatMap((column) =>
      isViewColumn(column) && column.of.kind === 'cell' && column.of.place === place ? column.of.column : [],
    ),
  );
}

/**
 * Whether every table has the structure that the plan was made for, in the snapshot of the statement: true, or false where the plan has
 * to be made anew. Bases keep their tables' versions each for themselves.
 */
export function fresh(tables: Iterable<TableSchema>): Sql {
  const all = [...tables];
  const bases = new Set(all.map(({ physical }) => physical.schema));
  const parts = [...bases].map((schema) => {
    const own = all.filter(({ physical }) => physical.schema === schema);
    const known = own.map(({ id, schemaVersion }) => sql`(${value(id, 'uuid')}, ${value(schemaVersion, 'integer')})`);
    return sql`(select count(*) from ${ident(schema, '_stream')} s where (s.table_id, s.schema_version) in (${join(known, comma)})) = ${integer(own.length)}`;
  });
  return parts.length === 0 ? sql`true` : join(parts, sql` and `);
}
