import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cleanName, deriveKey, foldName } from './names.js';

describe('deriveKey', () => {
  it.each([
    ['Unit price', 'unit_price'],
    ['  Größe (cm) ', 'grosse_cm'],
    ['Цена', 'tsena'],
    ['価格', 'sige'],
    ['السعر', 'ls_r'],
    ['Τιμή', 'timi'],
    ['ﬁle ①', 'file_1'],
    ['2026', 'n_2026'],
    ['_version', 'version'],
    ['a"; DROP TABLE x; --', 'a_drop_table_x'],
    ['select', 'select_2'],
    ['User', 'user_2'],
    ['users', 'users'],
    ['constructor', 'constructor_2'],
    ['__proto__', 'proto'],
    ['ctid', 'ctid_2'],
    ['XMIN', 'xmin_2'],
    ['tableoid', 'tableoid_2'],
    ['\u{1F600}', 'grinning'],
    ['\u0301', 'unnamed'],
    ['---', 'unnamed'],
  ])('of %j is %s', (name, key) => expect(deriveKey(name)).toBe(key));

  it('cuts long names, and does not end them with an underscore', () => {
    expect(deriveKey('x'.repeat(70))).toBe('x'.repeat(48));
    expect(deriveKey(`${'x'.repeat(47)} y`)).toBe('x'.repeat(47));
  });

  it('gives the next one a number when the key is taken, also when it is long', () => {
    expect(deriveKey('Price', new Set(['price']))).toBe('price_2');
    expect(deriveKey('Price', new Set(['price', 'price_2']))).toBe('price_3');
    expect(deriveKey('x'.repeat(60), new Set(['x'.repeat(48)]))).toBe(`${'x'.repeat(46)}_2`);
  });

  it('is always a key, and never one that is taken', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      fc.constantFrom('select', 'a', 'A', '1', '_', 'and', 'not', 'price', 'x'.repeat(49)),
    );
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 30 }), (names) => {
        const taken = new Set<string>();
        for (const each of names) {
          const key = deriveKey(each, taken);
          expect(key).toMatch(/^[a-z][a-z0-9_]{0,47}$/);
          expect(taken.has(key)).toBe(false);
          taken.add(key);
        }
      }),
    );
  });
});

describe('cleanName', () => {
  it('trims and composes', () => expect(cleanName(' e\u0301 ')).toBe('\u00e9'));

  it('keeps what stands between visible characters', () => {
    const family = '\u{1F468}\u200d\u{1F469}\u200d\u{1F467}';
    expect(cleanName(family)).toBe(family);
  });

  it('counts characters, not code units', () => {
    expect(cleanName('\u{1F600}'.repeat(255))).toBeDefined();
    expect(cleanName('\u{1F600}'.repeat(256))).toBeUndefined();
  });

  it.each([
    [''],
    [' \t '],
    ['\u200b'],
    ['\u2060 \ufe0f'],
    ['a\nb'],
    ['a\0b'],
    ['\ud800'],
    ['a'.repeat(256)],
    [7],
    [null],
    [undefined],
    [{}],
    [['a']],
  ])('refuses %j', (input) => expect(cleanName(input)).toBeUndefined());
});

describe('foldName', () => {
  it('takes names that differ in letter case or compatibility forms as the same', () => {
    expect(foldName('ﬁle ①')).toBe(foldName('FILE 1'));
    expect(foldName('Straße')).not.toBe(foldName('Strasse'));
  });
});
