import type { CellValue } from '../schema.js';
import type { Operand, OrderTerm } from '../plan.js';
import { columnType } from '../types/index.js';
import { comma, ident, join, sql, value, type Sql, type SqlType } from '../sql.js';
import { columnRef, ROW } from './condition.js';

interface OrderKey {
  readonly sql: Sql;
  readonly type: SqlType;
  readonly nullable: boolean;
  readonly dir: 'asc' | 'desc';
}

function keyOf(by: Operand): Omit<OrderKey, 'dir'> {
  if (by.kind === 'id') return { sql: ident(ROW, '_id'), type: 'uuid', nullable: false };
  const type = columnType(by.column.type);
  const key = type.orderKey?.(columnRef(by.column), by.column.options) ?? {
    sql: columnRef(by.column),
    type: type.bind,
  };
  return { ...key, nullable: !by.column.required };
}

const keys = (orderBy: readonly OrderTerm[]): readonly OrderKey[] =>
  orderBy.map(({ by, dir }) => ({ ...keyOf(by), dir }));

/** The sort keys of a row as text, one expression each: what a cursor keeps. */
export const compilePosition = (orderBy: readonly OrderTerm[]): readonly Sql[] =>
  keys(orderBy).map((key) => sql`${key.sql}::text`);

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
 * Where all keys from some point on have one direction and no null in the position, a row comparison covers them at once.
 */
export function compileAfter(orderBy: readonly OrderTerm[], position: readonly CellValue[]): readonly Sql[] {
  const all = keys(orderBy).map((key, i) => ({ ...key, at: position[i] ?? null }));
  const branches: Sql[] = [];
  const tied: Sql[] = [];
  for (const [i, key] of all.entries()) {
    const rest = all.slice(i);
    if (rest.every(({ dir, at }) => dir === key.dir && at !== null)) {
      branches.push(conjunction([...tied, rowComparison(rest)]));
      if (key.dir === 'desc') branches.push(...nullTails(rest, tied));
      return branches;
    }
    branches.push(...behind(key).map((condition) => conjunction([...tied, condition])));
    tied.push(key.at === null ? sql`${key.sql} is null` : sql`${key.sql} = ${value(key.at, key.type)}`);
  }
  return branches;
}

interface PositionedKey extends OrderKey {
  readonly at: CellValue;
}

const conjunction = (conditions: readonly Sql[]): Sql => join(conditions, sql` and `);

function rowComparison(rest: readonly PositionedKey[]): Sql {
  const left = join(
    rest.map((key) => key.sql),
    comma,
  );
  const right = join(
    rest.map((key) => value(key.at, key.type)),
    comma,
  );
  return rest[0]?.dir === 'desc' ? sql`(${left}) < (${right})` : sql`(${left}) > (${right})`;
}

/** Descending, nulls come last: behind any value, but a row comparison with a null is not true, so they need branches of their own. */
function nullTails(rest: readonly PositionedKey[], tied: readonly Sql[]): Sql[] {
  const equal = [...tied];
  return rest.flatMap((key) => {
    const branch = key.nullable ? [conjunction([...equal, sql`${key.sql} is null`])] : [];
    equal.push(sql`${key.sql} = ${value(key.at, key.type)}`);
    return branch;
  });
}

function behind(key: PositionedKey): Sql[] {
  if (key.at === null) return key.dir === 'asc' ? [sql`${key.sql} is not null`] : [];
  if (key.dir === 'asc') return [sql`${key.sql} > ${value(key.at, key.type)}`];
  const smaller = sql`${key.sql} < ${value(key.at, key.type)}`;
  return key.nullable ? [smaller, sql`${key.sql} is null`] : [smaller];
}
