import { sql } from '../sql.js';
import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { jsonOfText, MAX_BYTES, MAX_DEPTH } from './json-text.js';
import { knownOptions } from './options.js';
import { compareCodePoints } from './text.js';

/** Why PostgreSQL could not keep it as it is, if so. */
function flaw(value: unknown, depth: number): Parsed<never> | undefined {
  if (depth > MAX_DEPTH) return refused('too_deep', `JSON nests at most ${MAX_DEPTH} levels.`);
  if (typeof value === 'string') return flawOfText(value);
  if (typeof value === 'number') return flawOfNumber(value);
  if (typeof value === 'boolean' || value === null) return undefined;
  if (typeof value !== 'object') return refused('not_json', 'A JSON value is expected.');
  for (const [key, member] of Object.entries(value)) {
    const found = flawOfText(key) ?? flaw(member, depth + 1);
    if (found) return found;
  }
  return undefined;
}

function flawOfText(text: string): Parsed<never> | undefined {
  if (text.includes('\0')) return refused('nul_character', 'NUL characters cannot be stored.');
  return text.isWellFormed() ? undefined : refused('lone_surrogate', 'The text holds half of a surrogate pair.');
}

function flawOfNumber(value: number): Parsed<never> | undefined {
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return undefined;
  return refused('out_of_range', 'Send numbers beyond 2^53 as a string, so that no digit is lost.');
}

function parse(input: unknown): Parsed {
  const found = flaw(input, 0);
  if (found) return found;
  const text = JSON.stringify(input);
  if (Buffer.byteLength(text) > MAX_BYTES) return refused('too_long', `At most ${MAX_BYTES} bytes are allowed.`);
  return accepted(text);
}

export const json: ColumnType = {
  name: 'json',
  summary: 'Any JSON value, up to 1 MB. Members of objects may come back in another order.',
  operators: ['isNull', 'isNotNull'],
  bind: 'jsonb',
  family: 'json',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse,
  parseText(input) {
    try {
      return parse(JSON.parse(input));
    } catch {
      return refused('not_json', 'A JSON text is expected.');
    }
  },
  physical: () => sql`jsonb`,
  // As text: inside a JSON record it would have to be parsed and written once more.
  carried: { as: sql`text`, read: (cell) => sql`${cell}::jsonb` },
  toJson: (cell) => sql`${cell}::text`,
  toText: (cell) => sql`${cell}::text`,
  fromText: jsonOfText,
  sortable: false,
  uniquable: false,
  compare: (a, b) => compareCodePoints(String(a), String(b)),
  jsonSchema: {},
};
