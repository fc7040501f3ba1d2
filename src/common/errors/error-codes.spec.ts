import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ERRORS } from './catalogue.js';
import { errorCodesDocument } from './error-codes.js';

describe('the catalogue of errors', () => {
  it('docs/ERROR_CODES.md is what the catalogue says (npm run docs:errors)', () => {
    expect(readFileSync('docs/ERROR_CODES.md', 'utf8')).toBe(errorCodesDocument());
  });

  it.each(Object.entries(ERRORS))(
    '%s has a snake_case code, an error status and a hint',
    (code, { status, title, hint }) => {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).not.toMatch(/\.$/);
      expect(hint).toMatch(/\.$/);
    },
  );
});
