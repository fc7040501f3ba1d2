import { describe, expect, it } from '@jest/globals';
import { fieldsToKeep, withExactNumbers } from './told-row.js';

describe('a row that is told of', () => {
  it.each([
    ['{"a":12345678901234567890}', '{"a":"12345678901234567890"}'],
    ['{"a":[0.1234567890123456789,1e400,-5]}', '{"a":["0.1234567890123456789","1e400",-5]}'],
    ['{"a":1.50,"b":1e21,"c":-0,"d":9007199254740991}', '{"a":1.50,"b":1e21,"c":-0,"d":9007199254740991}'],
    [
      String.raw`{"12345678901234567890":"\"12345678901234567890\\"}`,
      String.raw`{"12345678901234567890":"\"12345678901234567890\\"}`,
    ],
  ])('has numbers that nobody has rounded: %s', (row, told) => {
    expect(withExactNumbers(row)).toBe(told);
  });

  it('can be kept whatever its texts are', () => {
    const row = String.raw`{"a":"x\u0000y","b":{"\u0000":"\ud800","p":"\ud83d\ude00","c":"\\u0000 😀 \u00e9"},"n":1e400}`;
    expect(fieldsToKeep(row)).toEqual({ a: 'x␀y', b: { '␀': '\ufffd', p: '😀', c: '\\u0000 😀 é' }, n: '1e400' });
  });

  it('may be as long as an answer, and is kept by its length then', () => {
    const row = JSON.stringify({ a: '"\\'.repeat(4_000_000) });
    expect(fieldsToKeep(row)).toEqual({ omitted: 'too_large', characters: row.length });
  });
});
