import type { CellValue, ColumnSchema } from '../schema.js';
import type { Operand, OrderTerm } from '../plan.js';
import { kindOf, valueType } from '../kind.js';
import type { Place } from '../types/index.js';
import { comma, empty, ident, join, sql, value, type Sql } from '../sql.js';
import { cellJson, cellOf, valueJson } from './cell.js';
import { ROW } from './condition.js';

const ID = ident(ROW, '_id');

interface OrderKey {
  readonly sql: Sql;
  /** The same of a value that a cursor brought back. */
  readonly bind: (cell: CellValue) => Sql;
  readonly nullable: boolean;
  readonly dir: 'asc' | 'desc';
}

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

/**
 * The rows behind a position, as branches that exclude each other, each of which one index range can answer; the caller
 * unites them. One `OR` over the same conditions makes PostgreSQL scan the table. An empty list: nothing is behind.
 *
 * With `inclusive` the row at the position is among them. Where all keys from some point on have one direction and no null in the position, a row comparison covers them at once.
 */
export function compileAfter(
  orderBy: readonly OrderTerm[],
  position: readonly CellValue[],
  inclusive = false,
): readonly Sql[] {
  const all = keys(orderBy).map((key, i) => ({ ...key, at: position[i] ?? null }));
  const branches: Sql[] = [];
  const tied: Sql[] = [];
  for (const [i, key] of all.entries()) {
    const rest = all.slice(i);
    if (rest.every(({ dir, at }) => dir === key.dir && at !== null)) {
      branches.push(conjunction([...tied, rowComparison(rest, inclusive)]));
      if (key.dir === 'desc') branches.push(...nullTails(rest, tied));
      return branches;
    }
    branches.push(...behind(key).map((condition) => conjunction([...tied, condition])));
    tied.push(key.at === null ? sql`${key.sql} is null` : sql`${key.sql} = ${key.bind(key.at)}`);
  }
  return branches;
}

interface PositionedKey extends OrderKey {
  readonly at: CellValue;
}

const conjunction = (conditions: readonly Sql[]): Sql => join(conditions, sql` and `);

function rowComparison(rest: readonly PositionedKey[], inclusive: boolean): Sql {
  const left = join(
    rest.map((key) => key.sql),
    comma,
  );
  const right = join(
    rest.map((key) => key.bind(key.at)),
    comma,
  );
  const op = rest[0]?.dir === 'desc' ? sql`<` : sql`>`;
  return sql`(${left}) ${op}${inclusive ? sql`=` : empty} (${right})`;
}

/** Descending, nulls come last: behind any value, but a row comparison with a null is not true, so they need branches of their own. */
function nullTails(rest: readonly PositionedKey[], tied: readonly Sql[]): Sql[] {
  const equal = [...tied];
  return rest.flatMap((key) => {
    const branch = key.nullable ? [conjunction([...equal, sql`${key.sql} is null`])] : [];
    equal.push(sql`${key.sql} = ${key.bind(key.at)}`);
    return branch;
  });
}

function behind(key: PositionedKey): Sql[] {
  if (key.at === null) return key.dir === 'asc' ? [sql`${key.sql} is not null`] : [];
  if (key.dir === 'asc') return [sql`${key.sql} > ${key.bind(key.at)}`];
  const smaller = sql`${key.sql} < ${key.bind(key.at)}`;
  return key.nullable ? [smaller, sql`${key.sql} is null`] : [smaller];
}
