import { pointer, type ProblemItem } from '../../../common/index.js';
import {
  applyChange,
  identityOf,
  isLink,
  parseCell,
  required,
  type CellValue,
  type ColumnSchema,
  type FieldChanges,
} from '../../../query/index.js';

/** The canonical value of a cell, as it is in the JSON of its row. */
export const canonical = (json: unknown, column: ColumnSchema): CellValue => {
  if (json === null || json === undefined) return null;
  // What it holds may be more than the column takes today: a choice that is gone, a limit that was lowered.
  const parsed = parseCell(json, column);
  return parsed.ok ? parsed.value : (json as CellValue);
};

/** The values that changes make of what there is. Findings go to `errors`, with pointers below `at`. */
export function settle(
  changes: FieldChanges,
  current: (column: ColumnSchema) => CellValue,
  at: string,
  errors: ProblemItem[],
): Map<ColumnSchema, CellValue> {
  const values = new Map<ColumnSchema, CellValue>();
  for (const [column, change] of changes) {
    const here = at + pointer(column.key);
    const next = applyChange(current(column), change, column);
    if (!next.ok) errors.push({ pointer: here, code: next.code, detail: next.detail });
    else if (next.value === null && column.required) errors.push(required(column, here));
    else values.set(column, next.value);
  }
  return values;
}

/** Whether a cell holds the value already. */
export const holds = (json: unknown, value: CellValue, column: ColumnSchema): boolean =>
  identityOfCell(canonical(json, column), column) === identityOfCell(value, column);

const identityOfCell = (cell: CellValue, column: ColumnSchema): string =>
  cell === null || typeof cell === 'object' ? JSON.stringify(cell) : identityOf(column, cell);

/** What changes name that has to be there, as values: what they bring from outside, and rows that they unlink; of other lists, what is taken away leads nowhere. */
export const broughtBy = (changes: FieldChanges): Map<ColumnSchema, CellValue> =>
  new Map(
    [...changes].flatMap(([column, change]) => {
      if (change.kind !== 'elements') return [];
      return [[column, isLink(column) ? [...change.add, ...change.remove] : change.add] as const];
    }),
  );
