import { describe, expect, it } from '@jest/globals';
import { jsonLines } from './json-lines.js';

describe('JSON values as lines', () => {
  it('are cut at the commas between them and at no others', () => {
    const rows = [{ a: [1, { b: 2 }], 'c,"}': '],{\\' }, {}, { text: '"\\",\n\u2028' }];
    expect(jsonLines(rows.map((row) => JSON.stringify(row)).join(','))).toBe(
      rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
    expect(jsonLines('')).toBe('');
  });

  it('keep every digit, and no break of their own', () => {
    expect(jsonLines('{"a":\n 12345678901234567890.10,\r\n"b":[1e400]}\n,{"a":0}')).toBe(
      '{"a":  12345678901234567890.10,  "b":[1e400]}\n{"a":0}\n',
    );
  });
});
