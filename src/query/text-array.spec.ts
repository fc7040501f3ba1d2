import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fuzz } from '../../test/query/index.js';
import { textArray } from './text-array.js';

/** As PostgreSQL reads it (array_recv). */
function read(bytes: Buffer): (string | null)[] {
  expect([0, 8, 16].map((at) => bytes.readInt32BE(at))).toEqual([1, 25, 1]);
  const elements: (string | null)[] = [];
  let at = 20;
  while (at < bytes.length) {
    const length = bytes.readInt32BE(at);
    at += 4;
    elements.push(length < 0 ? null : bytes.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  expect(bytes.readInt32BE(12)).toBe(elements.length);
  expect(bytes.readInt32BE(4)).toBe(elements.includes(null) ? 1 : 0);
  return elements;
}

describe('an array of texts in binary form', () => {
  it('holds every text as it is, short or long, whatever its letters, and no text where there is none', () => {
    const letters = fc.string({ unit: 'binary', maxLength: 90 });
    const element = fc.oneof(
      letters,
      fc.string({ maxLength: 50 }),
      fc.constantFrom(null, '', 'a'.repeat(70_000), 'é😀'),
    );
    fc.assert(
      fc.property(fc.array(element, { maxLength: 20 }), (elements) => {
        expect(read(textArray(elements))).toEqual(elements);
      }),
      fuzz(300),
    );
  });

  it('stays what it is when others are made', () => {
    const first = textArray(['first', null]);
    textArray(['another', 'x'.repeat(100_000)]);
    textArray(['other', 'y']);
    expect(read(first)).toEqual(['first', null]);
  });

  it('is made where all of it is large', () => {
    const large = Array.from({ length: 50 }, (_, i) => `${i}`.repeat(60_000));
    expect(read(textArray(large))).toEqual(large);
    expect(read(textArray(['a']))).toEqual(['a']);
  });
});
