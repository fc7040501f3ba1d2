import { must } from '../../../common/index.js';
import type { OrderTerm } from '../../plan.js';
import type { CellValue } from '../../schema.js';
import { all, any, literal, type MongoDocument, type MongoExpression } from './document.js';
import { boundPosition, orderValue, type CellOf, type MongoCell, type MongoForm } from './forms.js';

/** What rows are ordered by, one after the other. MongoDB's own order of values has null as the smallest, and texts by code point. */
export interface OrderKey {
  readonly value: MongoExpression;
  readonly form: MongoForm;
  readonly dir: 'asc' | 'desc';
}

export const orderKeys = (orderBy: readonly OrderTerm[], cellOf: CellOf): readonly OrderKey[] =>
  orderBy.map(({ by, dir }) => {
    const column = must(by.kind === 'column' ? by.column : undefined, 'external rows have no id of ours');
    const cell: MongoCell = cellOf(column);
    // Ids tell rows apart whatever they are, so they are never taken for null.
    const value = column.physical === '_id' ? { $ifNull: [cell.raw, null] } : orderValue(cell);
    return { value, form: cell.form, dir };
  });

/** Whether a document lies behind a position. */
export function behind(keys: readonly OrderKey[], position: readonly CellValue[]): MongoExpression {
  const at = keys.map(({ form }, i) => literal(boundPosition(form, position[i] ?? null)));
  return any(
    keys.map(({ value, dir }, i) =>
      all([
        ...keys.slice(0, i).map((tied, j) => ({ $eq: [tied.value, at[j]] })),
        { [dir === 'asc' ? '$gt' : '$lt']: [value, at[i]] },
      ]),
    ),
  );
}

/** Keys that one sort of MongoDB can have. */
const MAX_KEYS = 32;

export interface SortedBy {
  /** The keys as fields of a projection. */
  readonly fields: MongoDocument;
  readonly sort: MongoDocument;
}

/** Keys under the names `k0`, `k1` …; where they are too many, the last ones are compared as one document, which only tells rows apart. */
export function sortedBy(keys: readonly OrderKey[]): SortedBy {
  const own = keys.length > MAX_KEYS ? keys.slice(0, MAX_KEYS - 1) : keys;
  const rest = keys.slice(own.length);
  const direction = (dir: 'asc' | 'desc'): 1 | -1 => (dir === 'asc' ? 1 : -1);
  const fields = Object.fromEntries(keys.map(({ value }, i) => [keyName(i), value]));
  const sort = Object.fromEntries(own.map(({ dir }, i) => [keyName(i), direction(dir)]));
  if (rest.length === 0) return { fields, sort };
  const together = Object.fromEntries(rest.map(({ value }, i) => [`t${i}`, value]));
  return { fields: { ...fields, rest: together }, sort: { ...sort, rest: 1 } };
}

/** Under which name a key of the order comes back. */
export const keyName = (i: number): string => `k${i}`;
