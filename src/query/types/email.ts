import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';
import { sql } from '../sql.js';
import { parseWellFormed, takingTextsLike, TEXT_VALUE } from './text.js';

/** As browsers judge it (HTML Living Standard 4.10.5.1.5), with letters of all scripts, and a dot in the domain. */
const EMAIL =
  /^[\p{L}\p{N}\p{M}.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?$/u;

const MAX_LENGTH = 254;
/** What a conversion takes for a character of either side, which is a little more. */
const NAME = '[^\\s@<>()\\[\\],;:"]';

function parse(input: unknown): Parsed {
  const text = parseWellFormed(input);
  if (!text.ok) return text;
  const address = text.value.trim();
  if (address.length > MAX_LENGTH || !EMAIL.test(address))
    return refused('not_an_email', 'A mail address such as ada@example.org is expected.');
  return accepted(address);
}

export const email: ColumnType = {
  ...TEXT_VALUE,
  name: 'email',
  summary:
    'A mail address, kept as it was written. In a unique column, addresses that differ in case only are the same.',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse,
  parseText: parse,
  fromText: takingTextsLike(`^${NAME}{1,64}@${NAME}+\\.${NAME}+$`, MAX_LENGTH),
  // By ASCII letters only, which is what lower() folds in the collation of our columns.
  uniqueKey: {
    of: (address) => String(address).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()),
    sql: (cell) => sql`lower(${cell})`,
  },
  // Four bytes are the most that a character takes in UTF-8.
  indexBytes: () => 4 * MAX_LENGTH,
  jsonSchema: { type: 'string', format: 'email' },
};
