import { isId } from '../../common/index.js';
import type { Scalar } from '../schema.js';
import { sql } from '../sql.js';
import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';

const parse = (input: unknown): Parsed =>
  isId(input) ? accepted(input) : refused('not_an_id', 'An id, as it was handed out, is expected.');

/** What all ids have in common, whatever they lead to. */
export const ID_VALUE = {
  bind: 'uuid',
  family: 'id',
  parse,
  parseText: parse,
  physical: () => sql`uuid`,
  // Ids of other databases are none of ours, and texts where they are copied.
  wire: 'text',
  toJson: (cell) => sql`'"' || ${cell} || '"'`,
  said: (value: Scalar) => `"${String(value)}"`,
  toText: (cell) => sql`${cell}::text`,
  indexBytes: () => 16,
  compare: (a, b) => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0),
  jsonSchema: { type: 'string', format: 'uuid' },
} as const satisfies Partial<ColumnType>;
