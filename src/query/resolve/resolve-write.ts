import { pointer, type Id, type ProblemItem } from '../../common/index.js';
import { isDynamicDefault, isWritable, kindOf } from '../kind.js';
import {
  columnByKey,
  type CellValue,
  type ColumnSchema,
  type ColumnTypeName,
  type Scalar,
  type TableSchema,
} from '../schema.js';
import { accepted, columnType, refused, type Parsed } from '../types/index.js';

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
    if (!isWritable(column)) {
      errors.push({ pointer: here(), code: 'read_only', detail: `${column.key} (${column.type}) cannot be written.` });
      continue;
    }
    if (cell === null) {
      if (column.required) errors.push(required(column, here()));
      values.set(column, null);
      continue;
    }
    const parsed = parseCell(cell, column);
    if (!parsed.ok) errors.push({ pointer: here(), code: parsed.code, detail: parsed.detail });
    else if (parsed.value === null && column.required) errors.push(required(column, here()));
    // Also when it was refused: a value that is there but wrong is not missing as well.
    values.set(column, parsed.ok ? parsed.value : null);
  }
  return values;
}

/** An entry of a PostgreSQL B-tree has to fit into a third of a page (2,704 bytes), or the row is refused there. */
export const MAX_UNIQUE_BYTES = 2_600;

/** Elements that one cell may be given. */
const MAX_ELEMENTS = 10_000;

type CellColumn = Pick<ColumnSchema, 'type' | 'options' | 'unique' | 'derived'>;

/** A cell of the column that is not null; also for the column's default. An empty list is no value. */
export function parseCell(input: unknown, column: CellColumn): Parsed<CellValue> {
  const kind = columnType(column.type).cells?.(column.options) ?? { type: column.type, list: false };
  if (!kind.list) return parseValue(input, kind.type, column);
  // One linked row is meant as a list of one, as it is with an only file.
  const list = Array.isArray(input) ? (input as readonly unknown[]) : [input];
  if (list.length > MAX_ELEMENTS) return refused('too_long', `A cell has at most ${MAX_ELEMENTS} elements.`);
  const values = new Set<Scalar>();
  for (const [i, element] of list.entries()) {
    if (element === null) return refused('null_not_allowed', `Element ${i} is null.`);
    const parsed = parseValue(element, kind.type, column);
    if (!parsed.ok) return refused(parsed.code, `Element ${i}: ${parsed.detail}`);
    values.add(parsed.value);
  }
  if (column.type === 'link' && column.options.multiple === false && values.size > 1)
    return refused('one_row_expected', 'At most one row can be linked here.');
  return accepted(values.size === 0 ? null : [...values]);
}

function parseValue(input: unknown, type: ColumnTypeName, column: CellColumn): Parsed {
  const parsed = columnType(type).parse(input, column);
  if (!parsed.ok || !column.unique || Buffer.byteLength(String(parsed.value)) <= MAX_UNIQUE_BYTES) return parsed;
  return refused('too_long', `In a unique column a value has at most ${MAX_UNIQUE_BYTES} bytes.`);
}

/** What defaults may depend on: `now` and `me`. */
export interface DefaultContext {
  readonly now: Date;
  readonly me: Id | null;
}

/** Completes the values of a new row: defaults where nothing was given, and a finding for each required column that stays without a value. */
export function completeNewRow(
  values: Map<ColumnSchema, CellValue>,
  table: TableSchema,
  at: string,
  errors: ProblemItem[],
  context: DefaultContext,
): FieldValues {
  for (const column of table.columns) {
    if (values.has(column)) continue;
    const initial = defaultOf(column, context);
    if (initial !== null) values.set(column, initial);
    else if (column.required) errors.push(required(column, at + pointer(column.key)));
  }
  return values;
}

function defaultOf(column: ColumnSchema, { now, me }: DefaultContext): CellValue {
  if (!isDynamicDefault(column)) return column.default;
  if (column.default === 'me') return me !== null && kindOf(column).list ? [me] : me;
  return kindOf(column).type === 'date' ? now.toISOString().slice(0, 10) : now.toISOString();
}

const required = (column: ColumnSchema, at: string): ProblemItem => ({
  pointer: at,
  code: 'required',
  detail: `${column.key} needs a value.`,
});
