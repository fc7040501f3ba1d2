import { unreachable } from '../../common/index.js';
import type { CellValue, ColumnSchema } from '../schema.js';
import type { Comparison, Condition } from '../plan.js';
import { remembered } from '../remember.js';
import { columnType } from '../types/index.js';
import { ident, join, sql, value, type Sql } from '../sql.js';

/** Alias of the table that conditions speak of. */
export const ROW = 't';

export const columnRef = remembered((column: ColumnSchema): Sql => ident(ROW, column.physical));

const OPERATOR: Readonly<Record<Exclude<Comparison, 'neq'>, Sql>> = {
  eq: sql`=`,
  gt: sql`>`,
  gte: sql`>=`,
  lt: sql`<`,
  lte: sql`<=`,
};

const bind = (column: ColumnSchema, v: CellValue): Sql => value(v, columnType(column.type).bind);

/**
 * A condition as SQL. SQL's third truth value is allowed inside positive parts, where it means false, and is stopped at
 * every negation by `is not true`; so the whole is two-valued and negative operators include nulls.
 */
export function compileCondition(condition: Condition): Sql {
  switch (condition.kind) {
    case 'true':
      return sql`true`;
    case 'and':
      return sql`(${join(condition.items.map(compileCondition), sql` and `)})`;
    case 'or':
      return sql`(${join(condition.items.map(compileCondition), sql` or `)})`;
    case 'not':
      return negate(condition.item);
    case 'compare':
      return compare(condition.column, condition.op, condition.value);
    case 'compareColumns':
      return compareColumns(columnRef(condition.column), condition.op, columnRef(condition.other));
    case 'oneOf':
      return sql`${columnRef(condition.column)} = any(${value([...condition.values], `${columnType(condition.column.type).bind}[]`)})`;
    case 'between':
      return sql`${columnRef(condition.column)} between ${bind(condition.column, condition.low)} and ${bind(condition.column, condition.high)}`;
    case 'match':
      return match(columnRef(condition.column), condition.mode, condition.text);
    case 'isNull':
      return sql`${columnRef(condition.column)} is null`;
    case 'isEmpty':
      return sql`coalesce(${columnRef(condition.column)}, '') = ''`;
    default:
      return unreachable(condition);
  }
}

function negate(item: Condition): Sql {
  if (item.kind === 'isNull') return sql`${columnRef(item.column)} is not null`;
  return sql`(${compileCondition(item)}) is not true`;
}

function compare(column: ColumnSchema, op: Comparison, v: CellValue): Sql {
  if (op === 'neq') return sql`${columnRef(column)} is distinct from ${bind(column, v)}`;
  return sql`${columnRef(column)} ${OPERATOR[op]} ${bind(column, v)}`;
}

/** Two nulls are equal, so `lte` and `gte` hold for them too. */
function compareColumns(a: Sql, op: Comparison, b: Sql): Sql {
  switch (op) {
    case 'eq':
      return sql`${a} is not distinct from ${b}`;
    case 'neq':
      return sql`${a} is distinct from ${b}`;
    case 'gt':
    case 'lt':
      return sql`${a} ${OPERATOR[op]} ${b}`;
    case 'gte':
    case 'lte':
      return sql`(${a} ${OPERATOR[op]} ${b} or (${a} is null and ${b} is null))`;
  }
}

/** As {@link foldCase}. Case is ignored by Unicode's rules: the C collation of the columns would fold ASCII only. */
export const folded = (text: Sql): Sql => sql`translate(lower(${text} collate "und-x-icu"), 'ς', 'σ')`;

/** `%`, `_` and `\` are ordinary characters. */
function match(column: Sql, mode: 'contains' | 'startsWith' | 'endsWith', text: string): Sql {
  const escaped = text.replaceAll(/[\\%_]/g, '\\$&');
  const pattern = { contains: `%${escaped}%`, startsWith: `${escaped}%`, endsWith: `%${escaped}` }[mode];
  return sql`${folded(column)} like ${folded(value(pattern, 'text'))}`;
}
