import { unreachable } from '../../../common/index.js';
import type { Comparison, Condition } from '../../plan.js';
import type { ColumnSchema } from '../../schema.js';
import { join, sql, type Sql } from '../../sql.js';
import { COMPARISON } from '../comparison.js';
import type { FormedCell, SqlDialect } from './dialect.js';

/** Where a statement finds the cells of a column. */
export type Cells = (column: ColumnSchema) => FormedCell;

/**
 * A condition as SQL of the dialect. As in the mini-DB, SQL's third truth value is allowed inside positive parts, where it means false,
 * and is stopped at every negation.
 */
export function sourceCondition(condition: Condition, dialect: SqlDialect, cells: Cells): Sql {
  const inner = (item: Condition): Sql => sourceCondition(item, dialect, cells);
  switch (condition.kind) {
    case 'true':
      return sql`true`;
    case 'and':
    case 'or':
      return sql`(${join(condition.items.map(inner), condition.kind === 'and' ? sql` and ` : sql` or `)})`;
    case 'not':
      return condition.item.kind === 'isNull'
        ? dialect.isNotNull(cells(condition.item.column))
        : sql`(${inner(condition.item)}) is not true`;
    case 'compare':
      return dialect.compare(cells(condition.column), condition.op, condition.value);
    case 'compareColumns':
      return compareColumns(condition, dialect, cells);
    case 'oneOf':
      return dialect.oneOf(cells(condition.column), condition.values);
    case 'between':
      return dialect.between(cells(condition.column), condition.low, condition.high);
    case 'match':
      return dialect.match(cells(condition.column), condition.mode, condition.text);
    case 'isNull':
      return dialect.isNull(cells(condition.column));
    case 'isEmpty':
      return dialect.isEmpty(cells(condition.column));
    case 'json':
      if (!dialect.json) throw new Error('paths are refused where they cannot be compiled');
      return dialect.json(cells(condition.column), condition.path, condition.test);
    case 'list':
    case 'linked':
      throw new Error('external databases have no lists and links');
    default:
      return unreachable(condition);
  }
}

/** Two nulls are equal, so `lte` and `gte` hold for them too. */
function compareColumns(
  { column, op, other }: Extract<Condition, { kind: 'compareColumns' }>,
  dialect: SqlDialect,
  cells: Cells,
): Sql {
  const [a, b] = [dialect.canonical(cells(column)), dialect.canonical(cells(other))];
  return comparison(op, a, b, dialect.same(a, b));
}

function comparison(op: Comparison, a: Sql, b: Sql, same: Sql): Sql {
  switch (op) {
    case 'eq':
      return same;
    case 'neq':
      return sql`not (${same})`;
    case 'gt':
    case 'lt':
      return sql`${a} ${COMPARISON[op]} ${b}`;
    case 'gte':
    case 'lte':
      return sql`(${a} ${COMPARISON[op]} ${b} or (${a} is null and ${b} is null))`;
  }
}
