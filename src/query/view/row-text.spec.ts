import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { membersOf } from './row-text.js';

describe('the members of a JSON object', () => {
  it('are its values, digit by digit', () => {
    expect([...membersOf('{"a":12345678901234567890,"b":1.50,"c":{"d":[1,{"e":"},\\"{"}]},"f\\\\":"\\\\"}')]).toEqual([
      ['a', '12345678901234567890'],
      ['b', '1.50'],
      ['c', '{"d":[1,{"e":"},\\"{"}]}'],
      ['f\\', '"\\\\"'],
    ]);
    expect([...membersOf('{}')]).toEqual([]);
  });

  it('are found whatever the values hold', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (object) => {
        const expected = Object.entries(object).map(([key, value]) => [key, JSON.stringify(value)]);
        expect([...membersOf(JSON.stringify(object))]).toEqual(expected);
      }),
    );
  });
});
