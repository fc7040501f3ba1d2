import type { CellValue, ColumnSchema, ColumnTypeName, Scalar } from '../schema.js';
import { accepted, columnType, refused, type Parsed } from '../types/index.js';

/** An entry of a PostgreSQL B-tree has to fit into a third of a page (2,704 bytes), or the row is refused there. */
export const MAX_UNIQUE_BYTES = 2_600;

/** Elements that one cell may be given. */
const MAX_ELEMENTS = 10_000;

type CellColumn = Pick<ColumnSchema, 'type' | 'options' | 'unique' | 'derived'>;

/** A cell of the column that is not null; also for the column's default. An empty list is no value. */
export function parseCell(input: unknown, column: CellColumn): Parsed<CellValue> {
  const kind = columnType(column.type).cells?.(column.options);
  if (!kind?.list) return parseValue(input, kind?.type ?? column.type, column);
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
