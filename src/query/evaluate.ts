import { unreachable, type Id } from '../common/index.js';
import {
  isBackward,
  type Comparison,
  type Condition,
  type Operand,
  type OrderTerm,
  type ReadPlan,
  type Way,
} from './plan.js';
import { kindOf, valueType } from './kind.js';
import type { CellValue, ColumnSchema, Scalar } from './schema.js';
import { matchesText, passes, valueAt } from './json-value.js';
import { foldCase } from './types/text.js';

/** A row in memory: canonical values by column key; an absent key is null, and so is an empty list. */
export interface EvaluatedRow {
  readonly id: Id;
  readonly fields: Readonly<Record<string, CellValue | undefined>>;
  /** The rows that a link leads to, by column key; needed where the plan asks for something of them. */
  readonly linked?: Readonly<Record<string, readonly EvaluatedRow[] | undefined>>;
}

/**
 * What a plan means, without a database: the rows of its page, in order. Every engine must give the same, and live views
 * decide by it which rows they hold.
 */
export function evaluate<R extends EvaluatedRow>(
  plan: Pick<ReadPlan, 'where' | 'orderBy' | 'after' | 'way' | 'limit'>,
  rows: readonly R[],
): R[] {
  const { where, orderBy, after, way = 'after', limit } = plan;
  const found = rows
    .filter((row) => matches(where, row) && (after === undefined || lies(row, way, orderBy, after)))
    .sort((a, b) =>
      compareBy(
        orderBy,
        (by) => cellOf(a, by),
        (by) => cellOf(b, by),
      ),
    );
  return isBackward(way) ? found.slice(-limit) : found.slice(0, limit);
}

/** Whether the row satisfies the condition. Never unknown: a null satisfies `neq`, `isNull` and negations, and nothing else. */
export function matches(condition: Condition, row: EvaluatedRow): boolean {
  switch (condition.kind) {
    case 'true':
      return true;
    case 'and':
      return condition.items.every((item) => matches(item, row));
    case 'or':
      return condition.items.some((item) => matches(item, row));
    case 'not':
      return !matches(condition.item, row);
    case 'compare':
      return holds(condition.op, order(condition.column, cell(row, condition.column), condition.value));
    case 'compareColumns':
      return holds(condition.op, order(condition.column, cell(row, condition.column), cell(row, condition.other)));
    case 'oneOf':
      return condition.values.some((value) => order(condition.column, cell(row, condition.column), value) === 0);
    case 'between': {
      const { column, low, high } = condition;
      return (
        holds('gte', order(column, cell(row, column), low)) && holds('lte', order(column, cell(row, column), high))
      );
    }
    case 'match':
      return elements(cell(row, condition.column)).some((one) => contains(one, condition.mode, condition.text));
    case 'isNull':
      return cell(row, condition.column) === null;
    case 'isEmpty':
      return (cell(row, condition.column) ?? '') === '';
    case 'list':
      return compareSets(condition, elements(cell(row, condition.column)));
    case 'json':
      return passes(condition.test, valueAt(cell(row, condition.column), condition.path));
    case 'linked':
      return linked(condition, row.linked?.[condition.column.key] ?? []);
    default:
      return unreachable(condition);
  }
}

/** `every` holds for a row without links. */
function linked({ quantifier, where }: Extract<Condition, { kind: 'linked' }>, rows: readonly EvaluatedRow[]): boolean {
  const fits = (row: EvaluatedRow): boolean => matches(where, row);
  switch (quantifier) {
    case 'some':
      return rows.some(fits);
    case 'every':
      return rows.every(fits);
    case 'none':
      return !rows.some(fits);
  }
}

function cell(row: EvaluatedRow, column: ColumnSchema): CellValue {
  const value = row.fields[column.key] ?? null;
  return isList(value) && value.length === 0 ? null : value;
}

const isList = (value: CellValue): value is readonly Scalar[] => Array.isArray(value);
const elements = (value: CellValue): readonly Scalar[] => (isList(value) ? value : value === null ? [] : [value]);

/** Both as sets. */
function compareSets({ column, op, values }: Extract<Condition, { kind: 'list' }>, held: readonly Scalar[]): boolean {
  const has = (list: readonly Scalar[], wanted: Scalar): boolean =>
    list.some((element) => compareValues(column, element, wanted) === 0);
  switch (op) {
    case 'any':
      return values.some((wanted) => has(held, wanted));
    case 'all':
      return held.length > 0 && values.every((wanted) => has(held, wanted));
    case 'exactly':
      return held.length > 0 && values.every((wanted) => has(held, wanted)) && held.every((one) => has(values, one));
  }
}

/** The order of two cells that are not null; lists go by their elements, one after the other, and then by length. */
function compareValues(column: ColumnSchema, a: CellValue, b: CellValue): number {
  const type = valueType(column);
  const { options } = kindOf(column);
  const [left, right] = [elements(a), elements(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const sign = type.compare(left[i] ?? null, right[i] ?? null, options);
    if (sign !== 0) return sign;
  }
  return left.length - right.length;
}
const cellOf = (row: EvaluatedRow, by: Operand): CellValue => (by.kind === 'id' ? row.id : cell(row, by.column));

/** How two values compare; undefined when exactly one of them is null, two nulls are equal. */
function order(column: ColumnSchema, a: CellValue, b: CellValue): number | undefined {
  if (a === null || b === null) return a === b ? 0 : undefined;
  return compareValues(column, a, b);
}

function holds(op: Comparison, order: number | undefined): boolean {
  if (order === undefined) return op === 'neq';
  switch (op) {
    case 'eq':
      return order === 0;
    case 'neq':
      return order !== 0;
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'lte':
      return order <= 0;
  }
}

function contains(value: CellValue, mode: 'contains' | 'startsWith' | 'endsWith', text: string): boolean {
  if (typeof value !== 'string') return false;
  return matchesText(foldCase(value), mode, foldCase(text));
}

function lies(row: EvaluatedRow, way: Way, orderBy: readonly OrderTerm[], at: readonly CellValue[]): boolean {
  const position = new Map(orderBy.map(({ by }, i) => [by, at[i] ?? null]));
  const side = compareBy(
    orderBy,
    (by) => cellOf(row, by),
    (by) => position.get(by) ?? null,
  );
  if (side === 0) return way === 'from' || way === 'upTo';
  return isBackward(way) === side < 0;
}

/** Null is the smallest value; ids compare as text, which for UUIDs is their byte order. */
function compareBy(
  orderBy: readonly OrderTerm[],
  left: (by: Operand) => CellValue,
  right: (by: Operand) => CellValue,
): number {
  for (const { by, dir } of orderBy) {
    const sign = compareKeys(by, left(by), right(by));
    if (sign !== 0) return dir === 'asc' ? sign : -sign;
  }
  return 0;
}

function compareKeys(by: Operand, a: CellValue, b: CellValue): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (by.kind === 'id') return a < b ? -1 : a > b ? 1 : 0;
  return compareValues(by.column, a, b);
}
