import { describe, expect, it } from '@jest/globals';
import { flat, membersOf } from './row-members.js';

describe('rows of JSON text', () => {
  it('are flat, whatever stands in their texts', () => {
    const text = JSON.stringify('},"values":{"x":1');
    expect(flat('{"fields":{"a":1,"b":{"c":[]}}}')).toBe('{"a":1,"b":{"c":[]}}');
    expect(flat(`{"group":{"a":${text}},"values":{"n":2}}`)).toBe(`{"a":${text},"n":2}`);
    expect(flat('{"group":{},"values":{"n":2}}')).toBe('{"n":2}');
    expect(flat('{"group":{"a":null},"values":{}}')).toBe('{"a":null}');
  });

  it('are taken apart without a digit lost', () => {
    const cells = {
      a: '12345678901234567890.123456789',
      'b"\\': '"say \\"x\\", {y}"',
      c: '{"d":[1,{"e":"]}"}]}',
      f: '[]',
      g: '-1e-9',
      h: 'null',
      i: '"\\\\"',
    };
    const members = Object.entries(cells).map(([name, value]) => [JSON.stringify(name), value]);
    for (const [colon, comma] of [
      [':', ','],
      [' : ', ' ,\n '],
    ] as const)
      expect([...membersOf(`{${members.map((each) => each.join(colon)).join(comma)}}`)]).toEqual(Object.entries(cells));
    expect([...membersOf('{}')]).toEqual([]);
  });
});
