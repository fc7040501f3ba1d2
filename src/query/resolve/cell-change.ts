import { kindOf, valueType } from '../kind.js';
import type { CellValue, ColumnSchema, Scalar } from '../schema.js';
import { accepted, isRecord, refused, type Parsed } from '../types/index.js';
import { addDecimals, plainDecimal } from '../types/number.js';
import { parseCell } from './parse-cell.js';

/** What is to become of a cell, said by what it holds: a number that grows, a list that loses and gains elements. */
export type CellChange =
  | { readonly kind: 'increment'; readonly by: string }
  | { readonly kind: 'elements'; readonly add: readonly Scalar[]; readonly remove: readonly Scalar[] };

/** Whether a cell of a body is a change, `{"$inc":1}`, and no value. JSON columns may hold such objects, so there it is one. */
export const isChange = (input: unknown, column: ColumnSchema): input is Readonly<Record<string, unknown>> =>
  isRecord(input) && valueType(column).family !== 'json' && Object.keys(input).some((key) => key.startsWith('$'));

/** Reads `{"$inc":1}` of numbers, `{"$add":[…],"$remove":[…]}` of lists. */
export function parseChange(input: Readonly<Record<string, unknown>>, column: ColumnSchema): Parsed<CellChange> {
  if (kindOf(column).list) return parseElements(input, column);
  if (valueType(column).family !== 'number')
    return refused('no_changes', `${column.key} (${column.type}) takes values only, neither $inc nor $add.`);
  const { $inc, ...rest } = input;
  if (Object.keys(rest).length > 0) return refused('unknown_change', 'A number is changed by {"$inc": 1}.');
  const by = typeof $inc === 'number' || typeof $inc === 'string' ? plainDecimal(String($inc).trim()) : undefined;
  if (by === undefined) return refused('not_a_number', '$inc is a number.');
  if (typeof $inc === 'number' && Number.isInteger($inc) && !Number.isSafeInteger($inc))
    return refused('out_of_range', 'Send numbers beyond 2^53 as a string, so that no digit is lost.');
  return accepted({ kind: 'increment', by });
}

function parseElements(input: Readonly<Record<string, unknown>>, column: ColumnSchema): Parsed<CellChange> {
  const { $add = [], $remove = [], ...rest } = input;
  if (Object.keys(rest).length > 0)
    return refused('unknown_change', 'A list is changed by {"$add": […], "$remove": […]}.');
  const [add, remove] = [elementsOf($add, column), elementsOf($remove, column)];
  if (!add.ok) return add;
  if (!remove.ok) return remove;
  if (add.value.some((element) => remove.value.includes(element)))
    return refused('added_and_removed', 'An element is either added or removed.');
  return accepted({ kind: 'elements', add: add.value, remove: remove.value });
}

function elementsOf(input: unknown, column: ColumnSchema): Parsed<readonly Scalar[]> {
  if (!Array.isArray(input)) return refused('list_expected', '$add and $remove take lists.');
  // As any list, however few the column may hold: of an only link one is taken away and another one added.
  const parsed = parseCell(input, column.type === 'link' ? { ...column, options: {} } : column);
  return parsed.ok ? accepted((parsed.value ?? []) as readonly Scalar[]) : parsed;
}

/** The value that a cell has behind a change. `current` is canonical; an empty number counts as 0. */
export function applyChange(current: CellValue, change: CellChange, column: ColumnSchema): Parsed<CellValue> {
  if (change.kind === 'increment') return parseCell(asInput(sum(current, change.by), column), column);
  const held = (current ?? []) as readonly Scalar[];
  const kept = held.filter((element) => !change.remove.includes(element));
  return parseCell([...kept, ...change.add.filter((element) => !kept.includes(element))], column);
}

const sum = (current: CellValue, by: string): string => addDecimals(current === null ? '0' : String(current), by);

/** Whole numbers are JSON numbers in a body; one that is none any more is refused by the type, in its own words. */
const asInput = (plain: string, column: ColumnSchema): unknown =>
  valueType(column).bind === 'bigint' ? Number(plain) : plain;
