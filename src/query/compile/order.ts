import type { CellValue, ColumnSchema } from '../schema.js';
import type { Operand, OrderTerm } from '../plan.js';
import { kindOf, valueType } from '../kind.js';
import type { Place } from '../types/index.js';
import { comma, ident, join, sql, value, type Sql } from '../sql.js';
import { branchesBehind, type OrderKey } from './branches.js';
import { cellJson, cellOf, valueJson } from './cell.js';
import { ROW } from './condition.js';

const ID = ident(ROW, '_id');

function keyOf(by: Operand): Omit<OrderKey, 'dir'> {
  if (by.kind === 'id') {
    return { sql: ID, bind: (cell) => value(cell, 'uuid'), nullable: false };
  }
  const { column } = by;
  const { bind } = valueType(column);
  return {
    sql: orderKey(cellOf(column, ROW), column),
    bind: (cell) => orderKey(value(cell, kindOf(column).list ? `${bind}[]` : bind), column),
    nullable: !column.required,
  };
}

/** Lists go by their first elements, then by the next: the order of PostgreSQL's arrays. */
function orderKey(cell: Sql, column: ColumnSchema): Sql {
  const { list, options } = kindOf(column);
  const type = valueType(column);
  if (!type.orderKey) return cell;
  if (!list) return type.orderKey(cell, options);
  return sql`(select array_agg(${type.orderKey(sql`u.e`, options)} order by u.o) from unnest(${cell}) with ordinality u(e, o))`;
}

const keys = (orderBy: readonly OrderTerm[]): readonly OrderKey[] =>
  orderBy.map(({ by, dir }) => ({ ...keyOf(by), dir }));

/** A cell that rows are ordered by, and how to make JSON text of it under the name that it was given. */
export interface PositionCell {
  readonly cell: Sql;
  readonly json: (name: Sql) => Sql;
}

/** What a cursor keeps of the row where a page ends: the canonical values of the cells that it is ordered by. */
export const compilePosition = (orderBy: readonly OrderTerm[], place: Place): readonly PositionCell[] =>
  orderBy.map(({ by }) => {
    if (by.kind === 'id') return { cell: ident(ROW, '_id'), json: (name) => sql`'"' || ${name} || '"'` };
    const { column } = by;
    // As text from the start: an array of arrays would be another thing in PostgreSQL.
    if (kindOf(column).list) return { cell: cellJson(column, ROW, place), json: (name) => name };
    return { cell: cellOf(column, ROW), json: (name) => valueJson(name, column, place) };
  });

/** The same order read from its end. */
export const reversed = (orderBy: readonly OrderTerm[]): readonly OrderTerm[] =>
  orderBy.map(({ by, dir }) => ({ by, dir: dir === 'asc' ? 'desc' : 'asc' }));

/** Null is the smallest value; one index `(c asc nulls first, _id)` serves both directions. */
export function compileOrderBy(orderBy: readonly OrderTerm[]): Sql {
  const direction = (key: OrderKey): Sql => {
    if (!key.nullable) return key.dir === 'asc' ? sql`asc` : sql`desc`;
    return key.dir === 'asc' ? sql`asc nulls first` : sql`desc nulls last`;
  };
  return join(
    keys(orderBy).map((key) => sql`${key.sql} ${direction(key)}`),
    comma,
  );
}

/** The rows behind a position, as {@link branchesBehind} gives them: conditions that the caller unites. */
export const compileAfter = (
  orderBy: readonly OrderTerm[],
  position: readonly CellValue[],
  inclusive = false,
): readonly Sql[] => branchesBehind(keys(orderBy), position, { inclusive }).map(({ where }) => where);
