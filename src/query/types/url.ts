import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';
import { parseWellFormed, takingTextsLike, TEXT_VALUE } from './text.js';

const MAX_LENGTH = 8_000;

/** Addresses that a browser may be sent to: `javascript:` and its kind would run in the page that shows the cell. */
function parse(input: unknown): Parsed {
  const text = parseWellFormed(input);
  if (!text.ok) return text;
  const address = text.value.trim();
  if (address.length > MAX_LENGTH) return refused('too_long', `At most ${MAX_LENGTH} characters are allowed.`);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // The parser drops tabs and line feeds inside; then what is kept would not be what was judged.
  if (!url || !['http:', 'https:'].includes(url.protocol) || /[\s\p{Cc}]/u.test(address))
    return refused('not_a_url', 'A web address such as https://example.org/page is expected.');
  return accepted(address);
}

export const url: ColumnType = {
  ...TEXT_VALUE,
  name: 'url',
  summary: 'A web address, http or https, kept as it was written.',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse,
  parseText: parse,
  fromText: takingTextsLike('^[hH][tT][tT][pP][sS]?://[^\\s/?#@:]+(:\\d{1,5})?([/?#]\\S*)?$', MAX_LENGTH),
  // Four bytes are the most that a character takes in UTF-8.
  indexBytes: () => 4 * MAX_LENGTH,
  jsonSchema: { type: 'string', format: 'uri' },
};
