import type { Condition } from '../../plan.js';
import type { ColumnSchema, Scalar } from '../../schema.js';
import { wantedValues, numberTest } from './condition.js';
import { fieldPath, type MongoDocument } from './document.js';
import { bound, documentCell, type MongoCell } from './forms.js';

/**
 * Filters in MongoDB's query language, which alone is served by indexes, that let through all that the condition lets
 * through, and perhaps more: it takes elements of lists for the list, and values of other types for those of the column.
 */
export function prefilters(condition: Condition, isOwn: (column: ColumnSchema) => boolean): readonly MongoDocument[] {
  if (condition.kind === 'and') return condition.items.flatMap((item) => prefilters(item, isOwn));
  if (condition.kind !== 'compare' && condition.kind !== 'oneOf' && condition.kind !== 'between') return [];
  if (!isOwn(condition.column)) return [];
  const path = fieldPath(condition.column.physical);
  const cell = documentCell(condition.column);
  switch (condition.kind) {
    case 'oneOf':
      return cell.form === 'number' ? [] : [{ [path]: { $in: wantedValues(cell, condition.values) } }];
    case 'between':
      return [...range(path, cell, 'gte', condition.low), ...range(path, cell, 'lte', condition.high)];
    case 'compare':
      return condition.op === 'neq' ? [] : range(path, cell, condition.op, condition.value);
  }
}

function range(
  path: string,
  cell: MongoCell,
  op: 'eq' | 'gt' | 'gte' | 'lt' | 'lte',
  value: Scalar,
): readonly MongoDocument[] {
  // Doubles beside others are compared by what is shown of them, which no index is ordered by.
  if (cell.form === 'number') return [];
  const test = numberTest(cell, op, value);
  if (test !== undefined) {
    if (typeof test === 'boolean') return [];
    const within = { [path]: { [`$${test.op}`]: test.value } };
    const isBelow = test.op === 'lt' || test.op === 'lte';
    // What is not a number is less than all numbers to expressions, and nothing to ranges.
    return [isBelow ? { $or: [within, { [path]: { $eq: NaN } }] } : within];
  }
  const wanted = bound(cell.form, value);
  return wanted === undefined ? [] : [{ [path]: { [`$${op}`]: wanted } }];
}
