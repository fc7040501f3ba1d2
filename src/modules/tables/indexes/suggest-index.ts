import type { Id } from '../../../common/index.js';
import {
  columnType,
  forwards,
  isIndexable,
  MAX_INDEX_COLUMNS,
  type ColumnSchema,
  type IndexKey,
  type IndexPlan,
  type TableSchema,
} from '../../../query/index.js';
import type { ReadShape } from './read-shape.js';

/** An index that would help reads of a shape. */
export interface Suggestion {
  readonly plan: IndexPlan;
  /** So many of its first columns are compared for equality: their order does not matter. */
  readonly equal: number;
  /** The rest is an order, not a bound. */
  readonly ordered: boolean;
}

/**
 * The one index that helps reads of this shape most: columns that have to be equal first, then the sort, which then needs no
 * sorting; without a sort, one column with bounds. A search for a text has an index of its own kind. Undefined when there is none.
 */
export function suggestIndex(shape: ReadShape, table: TableSchema): Suggestion | undefined {
  const find = (id: Id): ColumnSchema | undefined => table.columns.find((column) => column.id === id);
  const sort = shape.sort.map(({ columnId, dir }) => ({ column: find(columnId), dir }));
  // The column is gone: nobody reads like this any more.
  if (!sort.every((key): key is IndexKey => key.column !== undefined)) return undefined;
  const columns = (ids: readonly Id[]) => ids.flatMap((id) => find(id) ?? []);
  const match = columns(shape.match).find((column) => isIndexable(column, 'search'));
  if (match) return { plan: { kind: 'search', keys: [{ column: match, dir: 'asc' }] }, equal: 1, ordered: false };
  if (!sort.every(({ column }) => isIndexable(column, 'sort'))) return undefined;

  const orders = sort.some(({ column }) => isOrderedByElse(column));
  const sorted = new Set(sort.map(({ column }) => column));
  const equal = columns(shape.equal)
    .filter((column) => isIndexable(column, 'filter') && !sorted.has(column))
    // An index has the value or the place in the order; where the sort needs the latter, it cannot have the former.
    .filter((column) => !orders || !isOrderedByElse(column))
    .slice(0, MAX_INDEX_COLUMNS - sort.length);
  const bound = sort.length > 0 ? [] : columns(shape.range).filter((column) => isIndexable(column, 'filter'));
  const rest = sort.length > 0 ? sort : bound.slice(0, 1).map((column) => ({ column, dir: 'asc' as const }));
  const keys = [...equal.map((column) => ({ column, dir: rest[0]?.dir ?? ('asc' as const) })), ...rest];
  if (keys.length === 0 || keys.length > MAX_INDEX_COLUMNS) return undefined;
  const byValue = !orders && keys.some(({ column }) => isOrderedByElse(column));
  return {
    plan: forwards({ kind: byValue ? 'filter' : 'sort', keys }),
    equal: equal.length,
    ordered: sort.length > 0,
  };
}

/** Whether the index serves reads that the suggestion was made for as well as the suggested one would. */
export function serves(index: IndexPlan, { plan, equal, ordered }: Suggestion): boolean {
  if (plan.kind === 'search' || index.kind === 'search')
    return index.kind === plan.kind && index.keys[0]?.column === plan.keys[0]?.column;
  const sameKind =
    index.kind === plan.kind || [...plan.keys, ...index.keys].every(({ column }) => !isOrderedByElse(column));
  // A unique one does not end with the id, and so is no order.
  if (!sameKind || (index.unique === true && ordered)) return false;
  const first = new Set(index.keys.slice(0, equal).map(({ column }) => column));
  if (!plan.keys.slice(0, equal).every(({ column }) => first.has(column))) return false;
  const [wanted, there] = [plan.keys.slice(equal), index.keys.slice(equal)];
  if (!ordered) return wanted.every(({ column }, i) => there[i]?.column === column);
  // The id follows the last key of the order at once.
  return (
    wanted.length === there.length &&
    wanted.every(({ column }, i) => there[i]?.column === column) &&
    (wanted.every(({ dir }, i) => there[i]?.dir === dir) || wanted.every(({ dir }, i) => there[i]?.dir !== dir))
  );
}

/** Of choices, whose order is that of the list and not of their keys. */
const isOrderedByElse = ({ type }: ColumnSchema): boolean => columnType(type).orderKey !== undefined;
