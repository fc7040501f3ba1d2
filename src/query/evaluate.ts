import { unreachable, type Id } from '../common/index.js';
import type { Comparison, Condition, Operand, OrderTerm, ReadPlan } from './plan.js';
import type { CellValue, ColumnSchema } from './schema.js';
import { columnType } from './types/index.js';
import { foldCase } from './types/text.js';

/** A row in memory: canonical values by column key; an absent key is null. */
export interface EvaluatedRow {
  readonly id: Id;
  readonly fields: Readonly<Record<string, CellValue | undefined>>;
}

/**
 * What a plan means, without a database: the rows of its page, in order. Every engine must give the same, and live views
 * decide by it which rows they hold.
 */
export function evaluate<R extends EvaluatedRow>(
  plan: Pick<ReadPlan, 'where' | 'orderBy' | 'after' | 'limit'>,
  rows: readonly R[],
): R[] {
  const { where, orderBy, after, limit } = plan;
  return rows
    .filter((row) => matches(where, row) && (after === undefined || isBehind(row, orderBy, after)))
    .sort((a, b) =>
      compareBy(
        orderBy,
        (by) => cellOf(a, by),
        (by) => cellOf(b, by),
      ),
    )
    .slice(0, limit);
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
      return contains(cell(row, condition.column), condition.mode, condition.text);
    case 'isNull':
      return cell(row, condition.column) === null;
    case 'isEmpty':
      return (cell(row, condition.column) ?? '') === '';
    default:
      return unreachable(condition);
  }
}

const cell = (row: EvaluatedRow, column: ColumnSchema): CellValue => row.fields[column.key] ?? null;
const cellOf = (row: EvaluatedRow, by: Operand): CellValue => (by.kind === 'id' ? row.id : cell(row, by.column));

/** How two values compare; undefined when exactly one of them is null, two nulls are equal. */
function order(column: ColumnSchema, a: CellValue, b: CellValue): number | undefined {
  if (a === null || b === null) return a === b ? 0 : undefined;
  return columnType(column.type).compare(a, b, column.options);
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
  const [whole, part] = [foldCase(value), foldCase(text)];
  switch (mode) {
    case 'contains':
      return whole.includes(part);
    case 'startsWith':
      return whole.startsWith(part);
    case 'endsWith':
      return whole.endsWith(part);
  }
}

const isBehind = (row: EvaluatedRow, orderBy: readonly OrderTerm[], after: readonly CellValue[]): boolean => {
  const position = new Map(orderBy.map(({ by }, i) => [by, after[i] ?? null]));
  return (
    compareBy(
      orderBy,
      (by) => cellOf(row, by),
      (by) => position.get(by) ?? null,
    ) > 0
  );
};

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
  return columnType(by.column.type).compare(a, b, by.column.options);
}
