import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';
import { parseWellFormed, takingTextsLike, TEXT_VALUE } from './text.js';

/** Digits with what people write between them, and an extension. */
const PHONE = /^\+?[\d ()./-]{3,40}(?: ?(?:x|ext\.?) ?\d{1,10})?$/i;

function parse(input: unknown): Parsed {
  const text = parseWellFormed(input);
  if (!text.ok) return text;
  const number = text.value.trim();
  if (!PHONE.test(number) || number.replace(/\D/g, '').length < 3)
    return refused('not_a_phone_number', 'A phone number such as +49 30 123456 is expected.');
  return accepted(number);
}

export const phone: ColumnType = {
  ...TEXT_VALUE,
  name: 'phone',
  summary: 'A phone number, kept as it was written.',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse,
  parseText: parse,
  fromText: takingTextsLike('^(?=(\\D*\\d){3})\\+?[\\d ()./-]{3,40}$', 64),
  // Four bytes are the most that a character takes in UTF-8.
  indexBytes: () => 4 * 64,
};
