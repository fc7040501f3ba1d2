import { pointer, type Id, type ProblemItem } from '../../common/index.js';
import { isDynamicDefault, isWritable, kindOf } from '../kind.js';
import { columnByKey, columnOfWhole, wholeOf, type CellValue, type ColumnSchema, type TableSchema } from '../schema.js';
import { isChange, parseChange, type CellChange } from './cell-change.js';
import { parseCell } from './parse-cell.js';

/** Unknown fields of one row that are named; a thousand rows of hundreds would make an answer of tens of megabytes. */
const MAX_UNKNOWN = 10;

export type FieldValues = ReadonlyMap<ColumnSchema, CellValue>;

/** Changes of a row that depend on what it holds. */
export type FieldChanges = ReadonlyMap<ColumnSchema, CellChange>;

/**
 * Gives the fields of a row body their columns and canonical values; where changes such as `{"$inc":1}` are allowed they go to `changes`. Findings are added to `errors`, all of them (of unknown
 * fields the first {@link MAX_UNKNOWN}), each with a pointer below `at`; the values are of use only if none was added.
 * Of a table that is seen in part, fields are what is seen, and the values are given to the columns of the whole.
 */
export function resolveFieldValues(
  input: unknown,
  table: TableSchema,
  at: string,
  errors: ProblemItem[],
  changes?: Map<ColumnSchema, CellChange>,
): Map<ColumnSchema, CellValue> {
  const values = new Map<ColumnSchema, CellValue>();
  let unknown = 0;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    errors.push({ pointer: at, code: 'not_an_object', detail: 'fields is an object of values by column key.' });
    return values;
  }
  // Only a finding needs it: made for each cell, it would cost a bulk call more than all the rest of reading it.
  const here = (key: string): string => at + pointer(key.slice(0, 60));
  const fields = input as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(fields)) {
    const cell = fields[key];
    const seen = columnByKey(table, key);
    if (!seen) {
      if (++unknown > MAX_UNKNOWN) continue;
      errors.push({
        pointer: here(key),
        code: 'unknown_field',
        detail: `There is no field ${JSON.stringify(key.slice(0, 60))}.`,
      });
      continue;
    }
    if (!isWritable(seen)) {
      errors.push({
        pointer: here(key),
        code: 'read_only',
        detail: seen.locked
          ? `Rules of the table say that you must not write ${key}.`
          : `${key} (${seen.type}) cannot be written.`,
      });
      continue;
    }
    if (changes && isPartlySeen(seen) && !(cell !== null && isChange(cell, seen))) {
      errors.push({
        pointer: here(key),
        code: 'partly_seen',
        detail: `Rows may be linked here that you do not see, so the list cannot be replaced: use $add and $remove.`,
      });
      continue;
    }
    const column = columnOfWhole(table, seen);
    if (cell === null) {
      if (column.required) errors.push(required(column, here(key)));
      values.set(column, null);
      continue;
    }
    if (changes && isChange(cell, column)) {
      const change = parseChange(cell, column);
      if (change.ok) changes.set(column, change.value);
      else errors.push({ pointer: here(key), code: change.code, detail: change.detail });
      continue;
    }
    const parsed = parseCell(cell, column);
    if (!parsed.ok) errors.push({ pointer: here(key), code: parsed.code, detail: parsed.detail });
    else if (parsed.value === null && column.required) errors.push(required(column, here(key)));
    // Also when it was refused: a value that is there but wrong is not missing as well.
    values.set(column, parsed.ok ? parsed.value : null);
  }
  return values;
}

/** Whether the cell may hold more links than are shown, so that it cannot be replaced. */
export const isPartlySeen = ({ derived }: ColumnSchema): boolean =>
  derived?.kind === 'link' && !derived.link.single && derived.link.target.seen?.rows !== undefined;

/** What defaults may depend on: `now` and `me`. */
export interface DefaultContext {
  readonly now: Date;
  readonly me: Id | null;
}

/** `table` is what the caller sees; values are for the columns of the whole. Completes the values of a new row: defaults where nothing was given, and a finding for each required column that stays without a value. */
export function completeNewRow(
  values: Map<ColumnSchema, CellValue>,
  table: TableSchema,
  at: string,
  errors: ProblemItem[],
  context: DefaultContext,
): FieldValues {
  for (const column of wholeOf(table).columns) {
    if (values.has(column)) continue;
    const initial = defaultOf(column, context);
    if (initial !== null) values.set(column, initial);
    else if (column.required)
      errors.push(columnByKey(table, column.key) ? required(column, at + pointer(column.key)) : requiredUnseen(at));
  }
  return values;
}

/** What a column of a new row holds where nothing is given. */
export function defaultOf(column: ColumnSchema, { now, me }: DefaultContext): CellValue {
  if (!isDynamicDefault(column)) return column.default;
  if (column.default === 'me') return me !== null && kindOf(column).list ? [me] : me;
  return kindOf(column).type === 'date' ? now.toISOString().slice(0, 10) : now.toISOString();
}

const requiredUnseen = (at: string): ProblemItem => ({
  pointer: at,
  code: 'required',
  detail: 'Rows need a value that you cannot give. An admin of the workspace can change that.',
});

export const required = (column: ColumnSchema, at: string): ProblemItem => ({
  pointer: at,
  code: 'required',
  detail: `${column.key} needs a value.`,
});
