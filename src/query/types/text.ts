import type { ColumnOptions, Scalar } from '../schema.js';
import { integer, literal, sql } from '../sql.js';
import { accepted, refused, type ColumnType, type Operator, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';

export const TEXT_OPERATORS: readonly Operator[] = [
  'eq', 'neq', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'between', 'nbetween',
  'contains', 'ncontains', 'startsWith', 'endsWith', 'isNull', 'isNotNull', 'isEmpty', 'isNotEmpty',
]; // prettier-ignore

/** Well-formed text in NFC, without NUL (PostgreSQL cannot keep it) and without lone surrogates (not Unicode text). */
export function parseWellFormed(input: unknown): Parsed<string> {
  if (typeof input !== 'string') return refused('not_text', 'A text is expected.');
  if (input.includes('\0')) return refused('nul_character', 'NUL characters cannot be stored.');
  if (!input.isWellFormed()) return refused('lone_surrogate', 'The text holds half of a surrogate pair.');
  return accepted(input.normalize('NFC'));
}

/** Order by Unicode code point, the order of PostgreSQL's collation "C" on UTF-8. JavaScript's `<` compares UTF-16 units and differs above U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const [xSurrogate, ySurrogate] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff];
    return xSurrogate === ySurrogate ? x - y : xSurrogate ? 1 : -1;
  }
  return a.length - b.length;
}

/**
 * The form under which texts match whatever their letter case: Unicode lower case, with both forms of the small sigma
 * taken as one, because which of them a capital becomes depends on its neighbours.
 */
export const foldCase = (text: string): string => text.toLowerCase().replaceAll('ς', 'σ');

/** What all texts have in common, whatever form they must have. */
export const TEXT_VALUE = {
  operators: TEXT_OPERATORS,
  bind: 'text',
  family: 'text',
  physical: () => sql`text`,
  collation: sql`collate "C"`,
  wire: 'text',
  toJson: (cell) => sql`to_json(${cell})::text`,
  // Both escape the same characters in the same way, and no others: those below the blank, the quote and the backslash.
  said: (value: Scalar) => JSON.stringify(value),
  toText: (cell) => cell,
  compare: (a: Scalar, b: Scalar) => compareCodePoints(String(a), String(b)),
  jsonSchema: { type: 'string' },
} as const satisfies Partial<ColumnType>;

/** How a text of a certain form is read from any other, `pattern` being PostgreSQL's (manual 9.7.3). */
export const takingTextsLike =
  (pattern: string, most: number): NonNullable<ColumnType['fromText']> =>
  (text) =>
    sql`case when length(trim(${text})) <= ${integer(most)} and trim(${text}) ~ ${literal(pattern)} then trim(${text}) end`;

function textType(name: 'text' | 'long_text', summary: string, hardLimit: number): ColumnType {
  const parse = (input: unknown, { options }: { readonly options: ColumnOptions }): Parsed => {
    const text = parseWellFormed(input);
    if (!text.ok) return text;
    const limit = options.maxLength ?? hardLimit;
    // Code points, as a person counts and as PostgreSQL's length() does.
    if (text.value.length > limit && [...text.value].length > limit)
      return refused('too_long', `At most ${limit} characters are allowed.`);
    return text;
  };
  return {
    name,
    summary,
    parseOptions(input) {
      const unknown = knownOptions(input, name === 'text' ? ['maxLength'] : []);
      if (unknown) return unknown;
      const { maxLength } = input;
      if (maxLength === undefined || maxLength === null) return accepted({});
      if (typeof maxLength !== 'number' || !Number.isInteger(maxLength) || maxLength < 1 || maxLength > hardLimit) {
        return refused('invalid_option', `maxLength is a whole number from 1 to ${hardLimit}.`);
      }
      return accepted({ maxLength });
    },
    parse,
    parseText: parse,
    fromText: (given, { maxLength = hardLimit }) =>
      sql`case when length(${given}) <= ${integer(maxLength)} then ${given} end`,
    ...TEXT_VALUE,
    ...(name === 'long_text' ? { uniquable: false as const } : {}),
    // Four bytes are the most that a character takes in UTF-8.
    ...(name === 'text' ? { indexBytes: ({ maxLength }: ColumnOptions) => 4 * (maxLength ?? hardLimit) } : {}),
  };
}

export const text = textType(
  'text',
  'Text that is shown in one line, up to 100,000 characters; ends of lines in it are kept as they are written.',
  100_000,
);
export const longText = textType('long_text', 'Text of any number of lines, up to 1,000,000 characters.', 1_000_000);
