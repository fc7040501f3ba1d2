import { describe, expect, it } from '@jest/globals';
import { isId } from '../ids.js';
import { requestId } from './request-id.js';

const of = (given: string | undefined) => requestId({ headers: given === undefined ? {} : { 'x-request-id': given } });

describe('the request id', () => {
  it.each(['a', 'trace-42/7', 'with a space', 'x'.repeat(128)])("is the caller's when valid: %s", (given) => {
    expect(of(given)).toBe(given);
  });

  it.each([undefined, '', 'x'.repeat(129), 'tab\there', 'ünïcode', 'nul\u0000'])('is ours instead of %j', (given) => {
    expect(isId(of(given))).toBe(true);
  });
});
