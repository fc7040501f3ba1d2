import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { casePattern } from './case-pattern.js';
import { matchesText } from './json-value.js';
import { foldCase } from './types/text.js';

/** JavaScript has no anchors of its own for the ends of a text; without the flag `m` these mean the same. */
const inJavaScript = (pattern: string): RegExp =>
  new RegExp(pattern.replace(/^\\A/, '^').replace(/\\z$/, '$').replaceAll(/\\([ -/:-@[-`{-~])/g, (_, c: string) =>
    /[\^$\\.*+?()[\]{}|/-]/.test(c) ? `\\${c}` : c), 'v'); // prettier-ignore

describe('a pattern that ignores the letter case', () => {
  it('finds what folded texts have in common, and nothing else, for any text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((each) => each.isWellFormed());
    const tricky = fc.string({ unit: fc.constantFrom(...'iıİI\u0307sſKkKσςΣßẞÅåÅǅǆǄ.*a$^\\'), maxLength: 6 });
    const any = fc.oneof(text, tricky);
    fc.assert(
      fc.property(
        any,
        any.filter((part) => part !== ''),
        fc.constantFrom('contains' as const, 'startsWith' as const, 'endsWith' as const),
        (whole, part, mode) => {
          const found = inJavaScript(casePattern(part, mode)).test(whole);
          expect(found).toBe(matchesText(foldCase(whole), mode, foldCase(part)));
        },
      ),
      { numRuns: 3_000, endOnFailure: true },
    );
  });

  it('knows every form of every cased character', () => {
    for (let code = 0x20; code <= 0x2ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      const folded = foldCase(character);
      if (folded === character) continue;
      if (!inJavaScript(casePattern(folded, 'startsWith')).test(character)) throw new Error(code.toString(16));
    }
  });
});
