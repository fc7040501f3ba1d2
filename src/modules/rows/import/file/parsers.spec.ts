import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fuzz } from '../../../../../test/query/index.js';
import { CsvParser } from './csv-parser.js';
import { NdjsonParser } from './ndjson-parser.js';

/** Cuts a text at these places, which are taken modulo its length. */
const cut = (text: string, places: readonly number[]): string[] => {
  const at = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
  return at.slice(1).map((end, i) => text.slice(at[i], end));
};
const places = fc.array(fc.nat(), { maxLength: 12 });
/** Short and long cells, with all that means something to a parser. */
const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'ä', '😀'), maxLength: 8 }),
  fc.nat({ max: 5_000 }).map((length) => 'x'.repeat(length)),
);

interface Parser {
  push(piece: string): readonly object[];
  end(): readonly object[];
}
const all = (parser: Parser, pieces: readonly string[]): object[] => [
  ...pieces.flatMap((piece) => parser.push(piece)),
  ...parser.end(),
];

describe('a file that arrives in pieces', () => {
  it('has the lines of JSON that it has in one', () => {
    const line = fc.oneof(fc.record({ a: cell, b: cell }).map((row) => JSON.stringify(row)), fc.constantFrom('', '{', '[]'));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.boolean(), places, (lines, ends, at) => {
        const text = lines.join('\n') + (ends ? '\n' : '');
        const read = all(new NdjsonParser(), cut(text, at));
        expect(read).toEqual(all(new NdjsonParser(), [text]));
        expect(read).toHaveLength(lines.filter((each) => each !== '').length);
      }),
      fuzz(300),
    );
  }); // prettier-ignore

  it('has the records of CSV that it has in one', () => {
    const record = fc.array(cell, { minLength: 2, maxLength: 4 });
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), fc.constantFrom('\n', '\r\n'), places, (records, end, at) => {
        const text = records.map((cells) => cells.map(quoted).join(',') + end).join('');
        const read = all(new CsvParser(','), cut(text, at));
        expect(read).toEqual(all(new CsvParser(','), [text]));
        expect(read).toMatchObject(records.map((cells) => ({ cells })));
      }),
      fuzz(300),
    );
  });
});
