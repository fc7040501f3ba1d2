import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { slugCandidates, slugOf } from './slug.js';

describe('slugs', () => {
  it.each([
    ['Sales', 'sales'],
    ['  Ünïts & Söhne  ', 'units-sohne'],
    ['Отдел продаж', 'otdel-prodazh'],
    ['---', 'workspace'],
    ['\u200b', 'workspace'],
    ['"; DROP TABLE x; --', 'drop-table-x'],
    ['x'.repeat(255), 'x'.repeat(48)],
  ])('turns %j into %s', (name, slug) => expect(slugOf(name)).toBe(slug));

  it('are well-formed, whatever the name', () => {
    const wellFormed = (name: string) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slugOf(name)) && slugOf(name).length <= 48;
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), wellFormed));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), wellFormed));
  });

  it('never run out', () => {
    const candidates = slugCandidates('Acme');
    const tried = Array.from({ length: 20 }, () => candidates.next().value);
    expect(tried[0]).toBe('acme');
    expect(new Set(tried).size).toBe(20);
  });
});
