import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../errors/index.js';
import { MAX_DEPTH, parseJson } from './json-body.js';

const parse = (text: string) => parseJson(Buffer.from(text));
const refusal = (bytes: Buffer): string => {
  try {
    parseJson(bytes);
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
};

describe('a JSON body', () => {
  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        expect(parse(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('of no bytes is no body', () => {
    expect(parseJson(Buffer.alloc(0))).toBeUndefined();
  });

  it.each(['{', '{"a":}', 'nul', '{"a":1}}', "{'a':1}", '[1,]', '\u0000', '{"a":"\n"}'])('%j is refused', (text) => {
    expect(refusal(Buffer.from(text))).toMatch(/^malformed_json: The body is not valid JSON/);
  });

  it('never quotes the body in the refusal, for it may hold a password', () => {
    expect(refusal(Buffer.from('{"password":"hunter2" oops}'))).not.toContain('hunter2');
    expect(refusal(Buffer.from('hunter2'))).not.toContain('hunter2');
  });

  it('with broken UTF-8 is refused instead of changed', () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22]))).toBe('malformed_json: The body is not valid UTF-8.');
  });

  it.each(['{"__proto__":{}}', '{"a":[{"__proto__":1}]}', '{"\\u005f_proto__":1}'])('%s is refused', (text) => {
    expect(refusal(Buffer.from(text))).toContain('__proto__');
  });

  it('may nest to the limit and no deeper, however deep', () => {
    const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    expect(refusal(nested(MAX_DEPTH))).toBe('accepted');
    expect(refusal(nested(MAX_DEPTH + 1))).toContain('deeper');
    expect(refusal(nested(1_000_000))).toContain('deeper');
  });

  it.each([
    ['{"a":0.1234567890123456789}', '/a'],
    ['{"fields":{"x":"9.99999999999999999999","y":[1,12345678901234.5678901]}}', '/fields/y/1'],
    ['{"a":9007199254740991.4}', '/a'],
    ['{"a":1.00000000000000001e3}', '/a'],
    ['{"a":1e-400}', '/a'],
    ['{"a/b":{"~":0.10000000000000001}}', '/a~1b/~0'],
    ['{"a":"\\\\","b":0.1234567890123456789}', '/b'],
    ['{"a":"\\"1","b":0.1234567890123456789}', '/b'],
  ])('with a number that would be rounded is refused: %s', (text, at) => {
    const refused = () => parse(text);
    expect(refused).toThrow(Problem);
    expect(refused).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        errors: [expect.objectContaining({ pointer: at, code: 'number_not_exact' })],
      }),
    );
  });

  it.each([
    '{"a":0.30000000000000004}',
    '{"a":1.7976931348623157e308}',
    '{"a":5e-324}',
    '{"a":-0.0,"b":0.00000000000000000000}',
    '{"a":100000000000000000000.0}',
    '{"a":1.0000000000000000000000}',
    '{"a":"0.1234567890123456789","b\\"0.1234567890123456789":1}',
    '{"a":9007199254740993,"b":1e999}',
  ])('with numbers as long as they like, if they mean a double, is taken: %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it('keeps every double that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string(), (number, text) => {
        fc.pre(text !== '__proto__');
        expect(() => parse(JSON.stringify({ [text]: [text, number] }))).not.toThrow();
      }),
    );
  });
});
