import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arbitrary, CHOICES, column, everyType, fuzz } from '../../../test/query/index.js';
import type { ColumnOptions, ColumnTypeName, Scalar } from '../schema.js';
import { valueType } from '../kind.js';
import { columnType, type Parsed } from './index.js';
import { compareDecimals, plainDecimal } from './number.js';
import { compareCodePoints, foldCase } from './text.js';

const parse = (type: ColumnTypeName, input: unknown, options: ColumnOptions = {}): Parsed =>
  columnType(type).parse(input, { options });
/** The canonical value, or the code of the refusal. */
const read = (type: ColumnTypeName, input: unknown, options?: ColumnOptions): unknown => {
  const parsed = parse(type, input, options);
  return parsed.ok ? parsed.value : parsed.code;
};

describe('text', () => {
  it.each([
    ['', ''],
    ['e\u0301', '\u00e9'],
    ['\u{1F600}', '\u{1F600}'],
    ['\u0001\u007f\u2028', '\u0001\u007f\u2028'],
    ['a\0b', 'nul_character'],
    ['\ud83d', 'lone_surrogate'],
    ['\ude00a', 'lone_surrogate'],
    [7, 'not_text'],
    [true, 'not_text'],
    [['a'], 'not_text'],
    [{}, 'not_text'],
  ])('%j is %j', (input, expected) => expect(read('text', input)).toBe(expected));

  it('is counted in characters, after composition', () => {
    expect(read('text', '\u{1F600}'.repeat(3), { maxLength: 3 })).toBe('\u{1F600}'.repeat(3));
    expect(read('text', 'e\u0301'.repeat(3), { maxLength: 3 })).toBe('\u00e9'.repeat(3));
    expect(read('text', 'abcd', { maxLength: 3 })).toBe('too_long');
    expect(read('text', 'a'.repeat(100_000))).toHaveLength(100_000);
    expect(read('text', 'a'.repeat(100_001))).toBe('too_long');
    expect(read('long_text', 'a'.repeat(1_000_001))).toBe('too_long');
  });

  it('is ordered by code point, also beyond U+FFFF, where JavaScript is not', () => {
    const ordered = ['', 'A', 'a', 'aa', 'b', '\uD7FF', '\uE000', '\uFFFD', '\u{10000}', '\u{10000}a', '\u{10FFFF}'];
    fc.assert(
      fc.property(fc.shuffledSubarray(ordered, { minLength: ordered.length }), (shuffled) => {
        expect(shuffled.toSorted(compareCodePoints)).toEqual(ordered);
      }),
    );
    const points = (text: string) => Array.from(text, (char) => char.codePointAt(0) ?? 0);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const [x, y] = [points(a), points(b)];
        const at = x.findIndex((point, i) => point !== y[i]);
        const expected =
          at < 0 ? Math.sign(x.length - y.length) : at >= y.length ? 1 : Math.sign((x[at] ?? 0) - (y[at] ?? 0));
        expect(Math.sign(compareCodePoints(a, b))).toBe(expected);
      }),
      fuzz(1000),
    );
  });

  it('folds case without regard to neighbours', () => {
    expect(foldCase('ΟΔΟΣΑ')).toContain(foldCase('ΟΔΟΣ'));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(foldCase(a + b)).toBe(foldCase(a) + foldCase(b));
      }),
      fuzz(1000),
    );
  });
});

describe('integer', () => {
  it.each<[unknown, unknown]>([
    [0, 0],
    [-0, 0],
    [1e3, 1000],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [1 - 2 ** 53, 1 - 2 ** 53],
    [2 ** 53, 'out_of_range'],
    [-(2 ** 53), 'out_of_range'],
    [JSON.parse('9007199254740993'), 'out_of_range'],
    [JSON.parse('1e400'), 'not_an_integer'],
    [1.5, 'not_an_integer'],
    [NaN, 'not_an_integer'],
    ['1', 'not_an_integer'],
    [true, 'not_an_integer'],
  ])('%p is %p', (input, expected) => expect(read('integer', input)).toBe(expected));

  it.each([
    ['12', 12],
    ['-12', -12],
    ['+12', 12],
    ['-0', 0],
    ['9007199254740991', 2 ** 53 - 1],
    ['9007199254740992', 'out_of_range'],
    ['1e3', 'not_an_integer'],
    ['', 'not_an_integer'],
    [' 1', 'not_an_integer'],
    ['0x10', 'not_an_integer'],
    ['9'.repeat(40), 'not_an_integer'],
  ])('the text %j is %p', (input, expected) => {
    const parsed = columnType('integer').parseText(input, { options: {} });
    expect(parsed.ok ? parsed.value : parsed.code).toBe(expected);
  });
});

describe('decimal', () => {
  const D38 = '9'.repeat(38);

  it.each<[unknown, unknown]>([
    ['1200.50', '1200.50'],
    [1200.5, '1200.5'],
    [0.1, '0.1'],
    [1e-7, '0.0000001'],
    [-0, '0'],
    ['-0', '0'],
    ['-0.00', '0.00'],
    ['007', '7'],
    ['+1', '1'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1e3', '1000'],
    ['1.5E-3', '0.0015'],
    [' 1 ', '1'],
    [D38, D38],
    [`-0.${D38}`, `-0.${D38}`],
    [`1${D38}`, 'out_of_range'],
    [`0.1${D38}`, 'out_of_range'],
    ['1e38', 'out_of_range'],
    ['1e400', 'not_a_number'],
    [JSON.parse('1e400'), 'not_a_number'],
    ['1e-400', 'not_a_number'],
    [2 ** 53, 'out_of_range'],
    [String(2 ** 53), '9007199254740992'],
    ['NaN', 'not_a_number'],
    [NaN, 'not_a_number'],
    ['Infinity', 'not_a_number'],
    ['-Infinity', 'not_a_number'],
    ['1,5', 'not_a_number'],
    ['1 000', 'not_a_number'],
    ['0x10', 'not_a_number'],
    ['1_000', 'not_a_number'],
    ['.', 'not_a_number'],
    ['e5', 'not_a_number'],
    ['', 'not_a_number'],
    ['1'.repeat(500), 'not_a_number'],
    [true, 'not_a_number'],
    [[1], 'not_a_number'],
  ])('%p is %p', (input, expected) => expect(read('decimal', input)).toBe(expected));

  it.each<[unknown, unknown]>([
    ['1.50', '1.50'],
    ['1.500', '1.50'],
    ['1.505', 'too_many_digits'],
    [1.005, 'too_many_digits'],
    [0.1 + 0.2, 'too_many_digits'],
    ['9'.repeat(36), '9'.repeat(36)],
    ['9'.repeat(37), 'out_of_range'],
    ['1e-2', '0.01'],
  ])('with two digits after the point, %p is %p: never rounded', (input, expected) =>
    expect(read('decimal', input, { scale: 2 })).toBe(expected),
  );

  it('keeps the number whatever its notation', () => {
    const digits = fc.stringMatching(/^[0-9]{1,18}$/);
    fc.assert(
      fc.property(digits, digits, fc.integer({ min: -15, max: 15 }), (whole, fraction, exponent) => {
        const plain = plainDecimal(`${whole}.${fraction}e${exponent}`) ?? '';
        expect(plain).toMatch(/^\d+(\.\d+)?$/);
        const shifted = BigInt(whole + fraction) * 10n ** BigInt(exponent - fraction.length + 40);
        const [w = '', f = ''] = plain.split('.');
        expect(BigInt(w + f) * 10n ** BigInt(40 - f.length)).toBe(shifted);
      }),
      fuzz(500),
    );
  });

  it('compares exactly', () => {
    expect(compareDecimals('1.50', '1.5')).toBe(0);
    expect(compareDecimals('-0.5', '0.5')).toBe(-1);
    expect(compareDecimals('99999999999999999999.00000000000000001', '99999999999999999999')).toBe(1);
    expect(compareDecimals('10', '9')).toBe(1);
    expect(compareDecimals('-10', '-9')).toBe(-1);
  });
});

describe('boolean', () => {
  it.each<[unknown, unknown]>([
    [true, true],
    [false, false],
    ['true', 'not_a_boolean'],
    [1, 'not_a_boolean'],
  ])('%p is %p', (input, expected) => expect(read('boolean', input)).toBe(expected));
});

describe('date', () => {
  it.each<[unknown, unknown]>([
    ['2026-12-01', '2026-12-01'],
    ['2024-02-29', '2024-02-29'],
    ['0001-01-01', '0001-01-01'],
    ['9999-12-31', '9999-12-31'],
    ['2026-02-29', 'no_such_date'],
    ['2026-02-30', 'no_such_date'],
    ['2026-13-01', 'no_such_date'],
    ['2026-00-10', 'no_such_date'],
    ['2026-01-00', 'no_such_date'],
    ['0000-01-01', 'no_such_date'],
    ['1900-02-29', 'no_such_date'],
    ['10000-01-01', 'not_a_date'],
    ['-001-01-01', 'not_a_date'],
    ['2026-1-1', 'not_a_date'],
    ['2026-12-01T00:00:00Z', 'not_a_date'],
    ['01.12.2026', 'not_a_date'],
    ['infinity', 'not_a_date'],
    [20261201, 'not_a_date'],
  ])('%p is %p', (input, expected) => expect(read('date', input)).toBe(expected));

  it('is there exactly where the calendar has it', () => {
    const digits = (n: number, length: number) => String(n).padStart(length, '0');
    for (const year of [1, 4, 100, 400, 1900, 2000, 2023, 2024, 9999])
      for (let month = 0; month <= 13; month++)
        for (let day = 0; day <= 32; day++) {
          const text = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
          const date = new Date(0);
          date.setUTCFullYear(year, month - 1, day);
          const exists = date.toISOString().startsWith(text);
          expect(read('date', text)).toBe(exists ? text : 'no_such_date');
          const instant = `${text}T01:02:03.004Z`;
          expect(read('datetime', instant)).toBe(exists ? instant : 'no_such_date');
        }
  });
});

describe('datetime', () => {
  it.each<[unknown, unknown]>([
    ['2026-12-01T09:00:00Z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01t09:00:00z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01T09:00:00.1+01:00', '2026-12-01T08:00:00.100Z'],
    ['2026-12-01T09:00:00.123000000-05:30', '2026-12-01T14:30:00.123Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['2026-12-01T09:00:00.0001Z', 'too_precise'],
    ['9999-12-31T23:59:59-01:00', 'out_of_range'],
    ['0001-01-01T00:00:00+01:00', 'out_of_range'],
    ['2026-02-30T00:00:00Z', 'no_such_date'],
    ['2026-12-01T24:00:00Z', 'no_such_time'],
    ['2026-12-01T09:60:00Z', 'no_such_time'],
    ['2026-12-01T23:59:60Z', 'no_such_time'],
    ['2026-12-01T09:00:00+24:00', 'no_such_time'],
    ['2026-12-01T09:00:00', 'not_a_datetime'],
    ['2026-12-01 09:00:00Z', 'not_a_datetime'],
    ['2026-12-01', 'not_a_datetime'],
    ['now', 'not_a_datetime'],
    [1_764_579_600_000, 'not_a_datetime'],
  ])('%p is %p', (input, expected) => expect(read('datetime', input)).toBe(expected));
});

describe('single_select', () => {
  const options = { choices: CHOICES };

  it.each<[unknown, unknown]>([
    ['open', 'open'],
    ['Open', 'open'],
    ['Lost for good', 'lost'],
    ['LOST', 'not_a_choice'],
    ['', 'not_a_choice'],
    [0, 'not_a_choice'],
    [null, 'not_a_choice'],
    ['__proto__', 'not_a_choice'],
  ])('%p is %p', (input, expected) => expect(read('single_select', input, options)).toBe(expected));

  it('takes a key for what it is, when another choice is labelled like it', () => {
    const swapped = {
      choices: [
        { key: 'a', label: 'b' },
        { key: 'b', label: 'a' },
      ],
    };
    expect([read('single_select', 'a', swapped), read('single_select', 'b', swapped)]).toEqual(['a', 'b']);
  });

  it('means itself where its text is the key that another label would have', () => {
    const parsed = columnType('single_select').parseOptions({
      choices: [{ label: '_id' }, { label: 'id' }, { label: 'ID!' }],
    });
    expect(parsed).toMatchObject({ value: { choices: [{ key: 'id_2' }, { key: 'id' }, { key: 'id_3' }] } });
  });

  it('is ordered by its choices', () => {
    const select = columnType('single_select');
    expect(['lost', 'won', 'open'].toSorted((a, b) => select.compare(a, b, options))).toEqual(['open', 'won', 'lost']);
  });
});

describe('options', () => {
  const options = (type: ColumnTypeName, input: Readonly<Record<string, unknown>>): unknown => {
    const parsed = columnType(type).parseOptions(input);
    return parsed.ok ? parsed.value : parsed.code;
  };

  it.each<[ColumnTypeName, Readonly<Record<string, unknown>>, unknown]>([
    ['text', {}, {}],
    ['text', { maxLength: 10 }, { maxLength: 10 }],
    ['text', { maxLength: null }, {}],
    ['text', { maxLength: 0 }, 'invalid_option'],
    ['text', { maxLength: 1.5 }, 'invalid_option'],
    ['text', { maxLength: '10' }, 'invalid_option'],
    ['text', { scale: 2 }, 'unknown_option'],
    ['long_text', { maxLength: 10 }, 'unknown_option'],
    ['integer', { scale: 0 }, 'unknown_option'],
    ['decimal', { scale: 0 }, { scale: 0 }],
    ['decimal', { scale: 19 }, 'invalid_option'],
    ['decimal', { scale: -1 }, 'invalid_option'],
    ['date', { tz: 'x' }, 'unknown_option'],
    ['single_select', {}, 'invalid_option'],
    ['single_select', { choices: [] }, 'invalid_option'],
    ['single_select', { choices: ['a'] }, 'invalid_option'],
    ['single_select', { choices: [{}] }, 'invalid_option'],
    ['single_select', { choices: [{ label: ' ' }] }, 'invalid_option'],
    ['single_select', { choices: [{ label: 'a', size: 1 }] }, 'unknown_option'],
    ['single_select', { choices: [{ label: 'a' }, { label: 'A' }] }, 'duplicate_choice'],
    [
      'single_select',
      {
        choices: [
          { label: 'a', key: 'x' },
          { label: 'b', key: 'x' },
        ],
      },
      'duplicate_choice',
    ],
    ['single_select', { choices: [{ label: 'a', key: 'A b' }] }, 'invalid_option'],
    ['single_select', { choices: [{ label: 'a', color: '"><script>' }] }, 'invalid_option'],
    ['single_select', { choices: Array.from({ length: 501 }, (_, i) => ({ label: `c${i}` })) }, 'invalid_option'],
    [
      'single_select',
      { choices: [{ label: ' Größe! ' }, { label: 'Große' }, { label: '\u{1F600}', color: '#ff0000' }] },
      {
        choices: [
          { key: 'grosse', label: 'Größe!' },
          { key: 'grosse_2', label: 'Große' },
          { key: 'grinning', label: '\u{1F600}', color: '#ff0000' },
        ],
      },
    ],
  ])('of %s: %j', (type, input, expected) => expect(options(type, input)).toEqual(expected));
});

describe('every type', () => {
  const columns = everyType().columns;

  it.each(columns.map((each) => [each.key, each] as const))(
    '%s: a canonical value is its own canonical form, in JSON and in text',
    (_, each) => {
      const type = valueType(each);
      // Of JSON the canonical form is the text.
      const inJson = (value: Scalar): unknown => (type.name === 'json' ? JSON.parse(String(value)) : value);
      fc.assert(
        fc.property(arbitrary.element(each), (input) => {
          const first = type.parse(input, each);
          if (!first.ok) throw new Error(first.code);
          expect(type.parse(inJson(first.value), each)).toEqual(first);
          expect(type.parseText(String(first.value), each)).toEqual(first);
        }),
        fuzz(200),
      );
    },
  );

  it.each(columns.map((each) => [each.key, each] as const))('%s: its order is total', (_, each) => {
    const type = valueType(each);
    const value = arbitrary.element(each).map((input) => {
      const parsed = type.parse(input, each);
      return parsed.ok ? parsed.value : null;
    });
    const sign = (a: Scalar, b: Scalar) => Math.sign(type.compare(a, b, each.options));
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        expect(sign(a, b) + sign(b, a)).toBe(0);
        expect(sign(a, a)).toBe(0);
        if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
      }),
      fuzz(200),
    );
  });

  it('refuses junk with a code, and never throws', () => {
    const junk = fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withSparseArray: true });
    fc.assert(
      fc.property(junk, fc.constantFrom(...columns), (input, each) => {
        const parsed = columnType(each.type).parse(input, column('x', each.type, { options: each.options }));
        if (!parsed.ok)
          expect(parsed).toMatchObject({
            code: expect.stringMatching(/^[a-z_]+$/) as unknown,
            detail: expect.any(String) as unknown,
          });
      }),
      fuzz(1000),
    );
  });
});
