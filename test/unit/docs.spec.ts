import { describe, expect, it } from '@jest/globals';
import { brokenLinks } from '../../scripts/lib/doc-links.mjs';

describe('the documents', () => {
  it('link only to what is there (npm run docs:check)', () => {
    expect(brokenLinks()).toEqual([]);
  });
});
