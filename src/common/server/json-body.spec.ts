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
});
