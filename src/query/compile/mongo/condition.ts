import { unreachable } from '../../../common/index.js';
import { valueType } from '../../kind.js';
import type { Comparison, Condition } from '../../plan.js';
import type { Scalar } from '../../schema.js';
import { all, any, literal, not, unsupported, type MongoExpression } from './document.js';
import { textMatch } from './text-match.js';
import { bound, comparable, exactCell, isNull, textCell, whenPresent, type CellOf, type MongoCell } from './forms.js';
import { jsonTest } from './json-path.js';
import { doubleTest, exactTest, type NumberTest } from './numbers.js';

type Ordered = Exclude<Comparison, 'neq'>;

/** A condition as an expression that is true or false for every document, never null. */
export function compileCondition(condition: Condition, cellOf: CellOf): MongoExpression {
  switch (condition.kind) {
    case 'true':
      return literal(true);
    case 'and':
      return all(condition.items.map((item) => compileCondition(item, cellOf)));
    case 'or':
      return any(condition.items.map((item) => compileCondition(item, cellOf)));
    case 'not':
      return not(compileCondition(condition.item, cellOf));
    case 'compare': {
      const { column, op, value } = condition;
      const cell = cellOf(column);
      return op === 'neq' ? not(compare(cell, 'eq', value)) : compare(cell, op, value);
    }
    case 'compareColumns':
      return compareColumns(comparable(cellOf(condition.column), cellOf(condition.other)), condition.op);
    case 'oneOf':
      return oneOf(cellOf(condition.column), condition.values);
    case 'between': {
      const cell = cellOf(condition.column);
      return all([compare(cell, 'gte', condition.low), compare(cell, 'lte', condition.high)]);
    }
    case 'match': {
      const cell = cellOf(condition.column);
      return condition.text === '' ? cell.present : textMatch(textCell(cell), condition.mode, condition.text);
    }
    case 'isNull':
      return isNull(cellOf(condition.column));
    case 'isEmpty': {
      const cell = cellOf(condition.column);
      return any([isNull(cell), { $eq: [cell.raw, literal('')] }]);
    }
    case 'json':
      return jsonTest(cellOf(condition.column), condition.path, condition.test);
    case 'list':
    case 'linked':
      throw unsupported(`This source has no ${valueType(condition.column).name} columns.`);
    default:
      return unreachable(condition);
  }
}

/** How the cells of a column of numbers compare with one; undefined for all other columns. */
export function numberTest({ form }: MongoCell, op: Ordered, value: Scalar): NumberTest | undefined {
  switch (form) {
    case 'int':
    case 'long':
    case 'decimal':
    case 'number':
      return exactTest(op, value);
    case 'double':
      return doubleTest(op, value);
    default:
      return undefined;
  }
}

function compare(cell: MongoCell, op: Ordered, value: Scalar): MongoExpression {
  const test = numberTest(cell, op, value);
  if (test === true) return cell.present;
  if (test === false) return literal(false);
  if (test) return whenPresent(cell, holds(cell.form === 'number' ? exactCell(cell) : cell.raw, test.op, test.value));
  const wanted = bound(cell.form, value);
  if (op === 'eq') return wanted === undefined ? literal(false) : holds(cell.raw, 'eq', wanted);
  if (wanted === undefined) return whenPresent(cell, holds(textCell(cell), op, value));
  if (cell.form === 'binData') throw unsupported('Binary values can only be compared for being equal.');
  return whenPresent(cell, holds(cell.raw, op, wanted));
}

const holds = (cell: MongoExpression, op: Ordered, value: unknown): MongoExpression => ({
  [`$${op}`]: [cell, literal(value)],
});

/** What cells must be one of, as they hold it; what none of them can be is left out. */
export function wantedValues(cell: MongoCell, values: readonly Scalar[]): readonly unknown[] {
  return values.flatMap((value): unknown[] => {
    const test = numberTest(cell, 'eq', value);
    if (test !== undefined) return typeof test === 'boolean' ? [] : [test.value];
    const wanted = bound(cell.form, value);
    return wanted === undefined ? [] : [wanted];
  });
}

function oneOf(cell: MongoCell, values: readonly Scalar[]): MongoExpression {
  const wanted = wantedValues(cell, values);
  if (wanted.length === 0) return literal(false);
  const within = { $in: [cell.form === 'number' ? exactCell(cell) : cell.raw, literal(wanted)] };
  return numberTest(cell, 'eq', 0) === undefined ? within : whenPresent(cell, within);
}

/** Two nulls are equal, so `lte` and `gte` hold for them too. */
function compareColumns([a, b]: readonly [MongoExpression, MongoExpression], op: Comparison): MongoExpression {
  const both = all([{ $ne: [a, null] }, { $ne: [b, null] }, { [`$${op}`]: [a, b] }]);
  switch (op) {
    case 'eq':
      return { $eq: [a, b] };
    case 'neq':
      return { $ne: [a, b] };
    case 'gt':
    case 'lt':
      return both;
    case 'gte':
    case 'lte':
      return any([{ $eq: [a, b] }, both]);
  }
}
