import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonText } from './answer.js';

describe('JSON text in pieces', () => {
  it('goes out as the same bytes as the whole text, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (pieces) => {
        const whole = Buffer.from(pieces.join(''));
        const answer = new JsonText(pieces);
        expect(answer.toBytes()).toEqual(whole);
        expect(answer.size).toBe(whole.length);
        expect(new JsonText(answer.text).toBytes()).toEqual(whole);
      }),
    );
    // Half of a pair becomes a mark of three bytes; nothing of the memory before is left in its place.
    expect(new JsonText(['a\ud83d', '"b']).toBytes()).toEqual(Buffer.from('a\ufffd"b'));
  });
});
