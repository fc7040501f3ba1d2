import { unreachable } from '../../common/index.js';
import { isStored, kindOf, valueType } from '../kind.js';
import type { ColumnSchema, Scalar } from '../schema.js';
import type { Comparison, Condition } from '../plan.js';
import { join, sql, value, type Sql } from '../sql.js';
import { COMPARISON } from './comparison.js';
import { jsonTest } from './json-path.js';
import { textMatch } from './text-match.js';
import { cellOf, elementsOf, linkedAlias, linkedRows } from './cell.js';

/** Alias of the table that a read speaks of. */
export const ROW = 't';

const bind = (column: ColumnSchema, v: Scalar): Sql => value(v, valueType(column).bind);
const bindList = (column: ColumnSchema, values: readonly Scalar[]): Sql =>
  value([...values], `${valueType(column).bind}[]`);

/**
 * A condition on the row under the alias as SQL. SQL's third truth value is allowed inside positive parts, where it means
 * false, and is stopped at every negation by `is not true`; so the whole is two-valued and negative operators include nulls.
 */
export function compileCondition(condition: Condition, alias = ROW): Sql {
  switch (condition.kind) {
    case 'true':
      return sql`true`;
    case 'and':
    case 'or': {
      const separator = condition.kind === 'and' ? sql` and ` : sql` or `;
      return sql`(${join(
        condition.items.map((item) => compileCondition(item, alias)),
        separator,
      )})`;
    }
    case 'not':
      return negate(condition.item, alias);
    case 'compare':
      return compare(cellOf(condition.column, alias), condition.op, bind(condition.column, condition.value));
    case 'compareColumns':
      return compareColumns(cellOf(condition.column, alias), condition.op, cellOf(condition.other, alias));
    case 'oneOf':
      return sql`${cellOf(condition.column, alias)} = any(${bindList(condition.column, condition.values)})`;
    case 'between': {
      const { column, low, high } = condition;
      return sql`${cellOf(column, alias)} between ${bind(column, low)} and ${bind(column, high)}`;
    }
    case 'match':
      return match(condition, alias);
    case 'isNull':
      return isNull(condition.column, alias);
    case 'isEmpty':
      return sql`coalesce(${cellOf(condition.column, alias)}, '') = ''`;
    case 'list':
      return list(condition, alias);
    case 'json':
      return jsonTest(cellOf(condition.column, alias), condition.path, condition.test);
    case 'linked':
      return linked(condition, alias);
    default:
      return unreachable(condition);
  }
}

function negate(item: Condition, alias: string): Sql {
  if (item.kind === 'isNull' && !kindOf(item.column).list) return sql`${cellOf(item.column, alias)} is not null`;
  return sql`(${compileCondition(item, alias)}) is not true`;
}

function compare(cell: Sql, op: Comparison, v: Sql): Sql {
  if (op === 'neq') return sql`${cell} is distinct from ${v}`;
  return sql`${cell} ${COMPARISON[op]} ${v}`;
}

/** A list that is made of other rows is empty as soon as there is none, which takes no list to find out. */
function isNull(column: ColumnSchema, alias: string): Sql {
  if (isStored(column) || !kindOf(column).list) return sql`${cellOf(column, alias)} is null`;
  return sql`not exists (select 1 ${elementsOf(column, alias).from})`;
}

function match({ column, mode, text }: Extract<Condition, { kind: 'match' }>, alias: string): Sql {
  // Of a lookup, a list or not, PostgreSQL may look for the rows at the other end first and for what leads to them then.
  if (!kindOf(column).list && column.derived?.kind !== 'lookup') return textMatch(cellOf(column, alias), mode, text);
  const { from, element } = elementsOf(column, alias);
  return sql`exists (select 1 from (select ${element} as e ${from}) x where ${textMatch(sql`x.e`, mode, text)})`;
}

/** By sets: neither order nor repetition counts. */
function list({ column, op, values }: Extract<Condition, { kind: 'list' }>, alias: string): Sql {
  const wanted = bindList(column, values);
  switch (op) {
    case 'any': {
      if (isStored(column)) return sql`${cellOf(column, alias)} && ${wanted}`;
      const { from, element } = elementsOf(column, alias);
      return sql`exists (select 1 from (select ${element} as e ${from}) x where x.e = any(${wanted}))`;
    }
    case 'all':
      return sql`${cellOf(column, alias)} @> ${wanted}`;
    case 'exactly':
      return sql`(${cellOf(column, alias)} @> ${wanted} and ${cellOf(column, alias)} <@ ${wanted})`;
  }
}

/** `every` holds for a row without links, `none` is the opposite of `some`. */
function linked({ link, owner, quantifier, where }: Extract<Condition, { kind: 'linked' }>, alias: string): Sql {
  const { from, tie } = linkedRows(link, alias, owner && cellOf(owner, alias));
  const condition = compileCondition(where, linkedAlias(alias));
  switch (quantifier) {
    case 'some':
      return sql`exists (select 1 ${from} where ${tie} and ${condition})`;
    case 'none':
      return sql`not exists (select 1 ${from} where ${tie} and ${condition})`;
    case 'every':
      return sql`not exists (select 1 ${from} where ${tie} and (${condition}) is not true)`;
  }
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
      return sql`${a} ${COMPARISON[op]} ${b}`;
    case 'gte':
    case 'lte':
      return sql`(${a} ${COMPARISON[op]} ${b} or (${a} is null and ${b} is null))`;
  }
}
