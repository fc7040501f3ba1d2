import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normalizeEmail } from './email.js';

describe('normalizeEmail', () => {
  it('makes one of all spellings', () => {
    expect(normalizeEmail('  Ada@Example.ORG\n')).toBe('ada@example.org');
    expect(normalizeEmail('Zoe\u0301@example.org')).toBe(normalizeEmail('ZO\u00c9@example.org'));
  });

  it('knows a domain by its one name', () => {
    expect(normalizeEmail('ada@Exämple.com')).toBe('ada@xn--exmple-cua.com');
    expect(normalizeEmail('ada@exam\u00adple.com')).toBe('ada@example.com');
    expect(normalizeEmail('ada@ｅｘａｍｐｌｅ.com')).toBe('ada@example.com');
    expect(normalizeEmail('no address')).toBe('no address');
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => normalizeEmail(normalizeEmail(text)) === normalizeEmail(text),
      ),
    );
  });
});
