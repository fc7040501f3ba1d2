import { pointer, type ProblemItem } from '../../common/index.js';
import { columnByKey, type CellValue, type ColumnSchema, type TableSchema } from '../schema.js';
import { columnType, refused, type Parsed } from '../types/index.js';

/** Unknown fields of one row that are named; a thousand rows of hundreds would make an answer of tens of megabytes. */
const MAX_UNKNOWN = 10;

export type FieldValues = ReadonlyMap<ColumnSchema, CellValue>;

/**
 * Gives the fields of a row body their columns and canonical values. Findings are added to `errors`, all of them (of unknown
 * fields the first {@link MAX_UNKNOWN}), each with a pointer below `at`; the values are of use only if none was added.
 */
export function resolveFieldValues(
  input: unknown,
  table: TableSchema,
  at: string,
  errors: ProblemItem[],
): Map<ColumnSchema, CellValue> {
  const values = new Map<ColumnSchema, CellValue>();
  let unknown = 0;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    errors.push({ pointer: at, code: 'not_an_object', detail: 'fields is an object of values by column key.' });
    return values;
  }
  for (const [key, cell] of Object.entries(input)) {
    const column = columnByKey(table, key);
    // Only a finding needs it: made for each cell, it would cost a bulk call more than all the rest of reading it.
    const here = (): string => at + pointer(key.slice(0, 60));
    if (!column) {
      if (++unknown > MAX_UNKNOWN) continue;
      errors.push({
        pointer: here(),
        code: 'unknown_field',
        detail: `There is no field ${JSON.stringify(key.slice(0, 60))}.`,
      });
      continue;
    }
    if (cell === null) {
      if (column.required) errors.push(required(column, here()));
      values.set(column, null);
      continue;
    }
    const parsed = parseCell(cell, column);
    if (!parsed.ok) errors.push({ pointer: here(), code: parsed.code, detail: parsed.detail });
    // Also when it was refused: a value that is there but wrong is not missing as well.
    values.set(column, parsed.ok ? parsed.value : null);
  }
  return values;
}

/** An entry of a PostgreSQL B-tree has to fit into a third of a page (2,704 bytes), or the row is refused there. */
export const MAX_UNIQUE_BYTES = 2_600;

/** A cell of the column that is not null; also for the column's default. */
export function parseCell(input: unknown, column: Pick<ColumnSchema, 'type' | 'options' | 'unique'>): Parsed {
  const parsed = columnType(column.type).parse(input, column);
  if (!parsed.ok || !column.unique || Buffer.byteLength(String(parsed.value)) <= MAX_UNIQUE_BYTES) return parsed;
  return refused('too_long', `In a unique column a value has at most ${MAX_UNIQUE_BYTES} bytes.`);
}

/** Completes the values of a new row: defaults where nothing was given, and a finding for each required column that stays without a value. */
export function completeNewRow(
  values: Map<ColumnSchema, CellValue>,
  table: TableSchema,
  at: string,
  errors: ProblemItem[],
): FieldValues {
  for (const column of table.columns) {
    if (values.has(column)) continue;
    if (column.default !== null) values.set(column, column.default);
    else if (column.required) errors.push(required(column, at + pointer(column.key)));
  }
  return values;
}

const required = (column: ColumnSchema, at: string): ProblemItem => ({
  pointer: at,
  code: 'required',
  detail: `${column.key} needs a value.`,
});
