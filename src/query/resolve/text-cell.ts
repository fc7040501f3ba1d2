import { kindOf, valueType } from '../kind.js';
import type { CellValue, ColumnSchema } from '../schema.js';
import { accepted, refused, type Parsed } from '../types/index.js';
import { MAX_UNIQUE_BYTES, parseCell } from './parse-cell.js';

/**
 * A cell of the column from the text that a file has for it; {@link csvCell} writes such texts. Only texts keep the blanks around them, and
 * only they can be empty: of every other type an empty text is no value.
 *
 * A list is a JSON list, or its elements with commas between. `true` and `false` are taken in any letter case.
 */
export function parseTextCell(text: string, column: ColumnSchema): Parsed<CellValue> {
  const kind = kindOf(column);
  const type = valueType(column);
  if (!kind.list && type.family === 'text') return withinIndex(parseText(text, column), column);
  const trimmed = text.trim();
  if (trimmed === '') return accepted(null);
  if (kind.list) return list(trimmed, column);
  return withinIndex(type.parseText(type.family === 'boolean' ? trimmed.toLowerCase() : trimmed, column), column);
}

function parseText(text: string, column: ColumnSchema): Parsed {
  const parsed = valueType(column).parseText(text, column);
  // Addresses and numbers of telephones are texts that are never empty.
  return !parsed.ok && text.trim() === '' ? accepted(null) : parsed;
}

function list(text: string, column: ColumnSchema): Parsed<CellValue> {
  if (!text.startsWith('['))
    return parseCell(
      text.split(',').map((each) => each.trim()),
      column,
    );
  try {
    return parseCell(JSON.parse(text), column);
  } catch {
    return refused('not_a_list', 'A JSON list is expected, such as ["a","b"], or its elements with commas between.');
  }
}

function withinIndex(parsed: Parsed, { unique }: ColumnSchema): Parsed {
  if (!parsed.ok || !unique || Buffer.byteLength(String(parsed.value)) <= MAX_UNIQUE_BYTES) return parsed;
  return refused('too_long', `In a unique column a value has at most ${MAX_UNIQUE_BYTES} bytes.`);
}
