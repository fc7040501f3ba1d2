import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { column } from '../../../test/query/schema.js';
import { checkFormula, type FormulaScope } from './check.js';
import { completeFormula } from './complete.js';
import { formulasDocument } from './document.js';
import { columnsOf, isVolatile } from './expression.js';
import { FLAW_CODES } from './flaw.js';
import { FORMULA_FUNCTIONS, FORMULA_OPERATORS } from './functions/index.js';
import { mapReferences } from './references.js';
import { sampleScope } from './sample.js';

const price = column('price', 'decimal', { options: { scale: 2 } });
const known = new Map<string, ReturnType<typeof column> | 'ambiguous'>([
  ['price', price],
  ['a}b\\c', column('odd', 'text')],
  ['when', column('when', 'datetime')],
  ['day', column('day', 'date')],
  ['files', column('files', 'attachment')],
  ['name', column('name', 'text')],
  ['both', 'ambiguous'],
]);
const scope: FormulaScope = {
  find: (name) => known.get(name),
  names: () => [...known].flatMap(([name, found]) => (found === 'ambiguous' ? [] : [{ name, column: found }])),
};

function flawsOf(text: string): readonly unknown[] {
  const checked = checkFormula(text, scope);
  return checked.ok ? [] : checked.flaws.map(({ code, position, length }) => [code, position, length]);
}

function kindOf(text: string): unknown {
  const checked = checkFormula(text, scope);
  return checked.ok ? checked.expression.kind : checked.flaws;
}

const many = (count: number, text: string): string => text.repeat(count);

/** Formulas with a flaw: what it is, and where. */
const FLAWED: readonly (readonly [string, string, number, number])[] = [
  ['', 'empty_formula', 0, 0],
  ['  ', 'empty_formula', 2, 0],
  ['1 +', 'unexpected_end', 3, 0],
  ['(1', 'unexpected_end', 2, 0],
  ['ABS(1', 'unexpected_end', 5, 0],
  ['1 2', 'unexpected_token', 2, 1],
  ['IF(TRUE,,1)', 'unexpected_token', 8, 1],
  ['IF(TRUE, 1,)', 'unexpected_token', 11, 1],
  ['1 ? 2', 'unexpected_character', 2, 1],
  ['1 == 2', 'unexpected_character', 2, 2],
  ['TRUE && FALSE', 'unexpected_character', 5, 2],
  ['IF(TRUE; 1)', 'unexpected_character', 7, 1],
  ['"a" & 😀', 'unexpected_character', 6, 2],
  ['"abc', 'unterminated_text', 0, 4],
  ["1 & 'abc", 'unterminated_text', 4, 4],
  ['"a\\q"', 'invalid_escape', 2, 2],
  ['"\\u{110000}"', 'invalid_escape', 1, 2],
  ['"\\ud800"', 'invalid_text', 0, 8],
  ['"\\u0000"', 'invalid_text', 0, 8],
  ['1x', 'invalid_number', 0, 2],
  ['1e99', 'invalid_number', 0, 4],
  ['{price', 'unterminated_reference', 0, 6],
  ['{}', 'empty_reference', 0, 2],
  ['price * 2', 'bare_name', 0, 5],
  ['1 < 2 < 3', 'chained_comparison', 6, 1],
  ['1 + {nothing}', 'unknown_column', 4, 9],
  ['{both}', 'ambiguous_column', 0, 6],
  ['pg_read_file("/etc/passwd")', 'unknown_function', 0, 12],
  ['NEGATE(1)', 'unknown_function', 0, 6],
  ['ABS()', 'wrong_argument_count', 0, 5],
  ['1 + ABS(1, 2)', 'wrong_argument_count', 4, 9],
  ['1 + "a"', 'wrong_type', 4, 3],
  ['{files} & "x"', 'wrong_type', 0, 7],
  ['IF({price}, 1, 2)', 'wrong_type', 3, 7],
  ['{day} = {when}', 'mixed_types', 8, 6],
  ['IF(TRUE, 1, "a")', 'mixed_types', 12, 3],
  ['ROUND(1, {price})', 'constant_expected', 9, 7],
  ['DATEADD({day}, 1, "hour")', 'unknown_unit', 18, 6],
  ['HOUR({when}, "Mars/Olympus")', 'unknown_time_zone', 13, 14],
  ['TEXT({day}, "yyyy")', 'invalid_pattern', 12, 6],
  ['{files}', 'unusable_result', 0, 7],
  [many(8193, '1'), 'too_long', 8192, 1],
  [many(4096, '('), 'too_deep', 64, 1],
  [many(8192, '-'), 'too_deep', 64, 1],
  [`1${many(500, '+1')}+1`, 'too_many_nodes', 998, 3],
];

describe('checking a formula', () => {
  it.each(FLAWED)('refuses %.40s: %s at %i, %i long', (text, code, position, length) => {
    if (code === 'too_many_nodes')
      expect(flawsOf(text)).toMatchObject([[code, expect.any(Number), expect.any(Number)]]);
    else expect(flawsOf(text)).toEqual([[code, position, length]]);
  });

  it('refuses what would come to too much, for its depth of IFERROR', () => {
    let text = '1 / {price}';
    for (let i = 0; i < 14; i++) text = `IFERROR(1 / (${text}), ${text.length % 7})`;
    expect(flawsOf(text)).toEqual([['too_complex', 0, text.length]]);
  });

  it('has a formula here for each code', () => {
    const used = new Set(FLAWED.map(([, code]) => code));
    expect(FLAW_CODES.filter((code) => !used.has(code))).toEqual(['too_complex']);
  });

  it('names all flaws of names and types at once, and twenty of very many', () => {
    expect(flawsOf('{x} + ABS("a") & NOPE(1)')).toEqual([
      ['unknown_column', 0, 3],
      ['wrong_type', 10, 3],
      ['unknown_function', 17, 4],
    ]);
    expect(flawsOf(Array.from({ length: 30 }, () => '{x}').join(' + '))).toHaveLength(20);
  });

  it('says what is expected, and what was probably meant', () => {
    const first = (text: string) => {
      const checked = checkFormula(text, scope);
      return checked.ok ? undefined : checked.flaws[0];
    };
    expect(first('1 + "a"')).toMatchObject({
      expected: 'number',
      detail: 'The operator + takes number here, not a text.',
    });
    expect(first('RUOND(1)')).toMatchObject({ expected: 'ROUND' });
    expect(first('{prise}')).toMatchObject({ expected: '{price}' });
    expect(first('price')).toMatchObject({ expected: '{price}' });
    expect(first('YEAR("x")')).toMatchObject({ expected: 'date or date with time' });
  });

  it.each([
    ['1', { type: 'integer' }],
    ['{price} - 1', { type: 'decimal', options: { scale: 2 } }],
    ['{price} * {price}', { type: 'decimal', options: { scale: 4 } }],
    ['{price} / 2', { type: 'decimal', options: {} }],
    ['ROUND({price} / 3, 1)', { type: 'decimal', options: { scale: 1 } }],
    ['LEN({name})', { type: 'integer' }],
    ['{name} & 1', { type: 'long_text' }],
    ['{price} > 1', { type: 'boolean' }],
    ['DATE(2026, 1, 1)', { type: 'date' }],
    ['NOW()', { type: 'datetime' }],
  ])('knows that %s gives %j', (text, kind) => expect(kindOf(text)).toMatchObject(kind));

  it('knows the columns of a formula, each once, and whether it asks for the time', () => {
    const checked = checkFormula('{price} * {price} + LEN({a\\}b\\\\c})', scope);
    expect(
      checked.ok &&
        columnsOf(checked.expression)
          .map(({ key }) => key)
          .sort(),
    ).toEqual(['odd', 'price']);
    expect(checked.ok && isVolatile(checked.expression)).toBe(false);
    const clock = checkFormula('YEAR(TODAY())', scope);
    expect(clock.ok && isVolatile(clock.expression)).toBe(true);
  });

  it('reads or refuses any text, and every flaw lies in it', () => {
    const words = ['{price}', '{', '}', '"', "'", '\\', '(', ')', ',', '+', '-', '^', '<', '=', '1', '.5', 'e9', 'IF(', 'ABS(', 'TRUE', 'NULL', ' ', '😀', '\ud800']; // prettier-ignore
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((parts) => parts.join(''))); // prettier-ignore
    fc.assert(
      fc.property(text, (given) => {
        const checked = checkFormula(given, scope);
        if (checked.ok) return;
        expect(checked.flaws.length).toBeGreaterThan(0);
        for (const { position, length, detail } of checked.flaws) {
          expect(position).toBeGreaterThanOrEqual(0);
          expect(position + length).toBeLessThanOrEqual(given.length);
          expect(detail.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the references of a formula', () => {
  it('are rewritten, and nothing else is', () => {
    const renamed = (text: string) => mapReferences(text, (name) => `<${name}>`);
    expect(renamed('{a} + "{b}" & \'{c}\' & {d e}')).toBe('{<a>} + "{b}" & \'{c}\' & {<d e>}');
    expect(renamed('"\\"{a}" & {b}')).toBe('"\\"{a}" & {<b>}');
    expect(renamed('{a\\}b} & {open')).toBe('{<a\\}b>} & {open');
  });

  it('come back as they were, whatever they are called', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((given) => given.trim() !== '');
    fc.assert(
      fc.property(name, name, (from, to) => {
        const names = new Map([[from, to]]);
        const there = mapReferences(
          mapReferences('{x} & "{x}"', () => from),
          (given) => names.get(given) ?? 'lost',
        );
        expect(mapReferences(there, (given) => (given === to ? 'x' : 'lost'))).toBe('{x} & "{x}"');
      }),
    );
  });
});

describe('completing a formula', () => {
  const completed = (text: string) => {
    const position = text.indexOf('|');
    return completeFormula(text.replace('|', ''), position, scope).map(({ label, insert, from, to }) => [
      label,
      insert,
      from,
      to,
    ]);
  };

  it('offers functions that begin with what is typed before others, with how they are called', () => {
    expect(completed('1 + rou|').slice(0, 3)).toEqual([
      ['ROUND', 'ROUND(', 4, 7],
      ['ROUNDUP', 'ROUNDUP(', 4, 7],
      ['ROUNDDOWN', 'ROUNDDOWN(', 4, 7],
    ]);
    expect(completeFormula('ROUND', 5, scope)[0]).toMatchObject({
      signatures: ['ROUND(number, [digits])'],
      kind: 'function',
    });
  });

  it('replaces all of the word, and puts no second parenthesis', () => {
    expect(completed('A|BS(1)')[0]).toEqual(['AND', 'AND', 0, 3]);
  });

  it('offers columns behind a brace, whole references in all, escaped', () => {
    expect(completed('1 + {pr|')).toEqual([['price', '{price}', 4, 7]]);
    expect(completed('{a|} + 1')[0]).toEqual(['a}b\\c', '{a\\}b\\\\c}', 0, 3]);
  });

  it('offers nothing within a text', () => expect(completed('"ab|')).toEqual([]));

  it('takes any place of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.integer({ min: -5, max: 30 }), (text, position) => {
        for (const { from, to } of completeFormula(text, position, scope))
          expect([from >= 0, to <= text.length]).toEqual([true, true]);
      }),
    );
  });
});

describe('the documents of formulas', () => {
  it('docs/FORMULAS.md is what the functions say (npm run docs:formulas)', () => {
    expect(readFileSync('docs/FORMULAS.md', 'utf8')).toBe(formulasDocument());
  });

  it('have an example of every function and operator that gives the same twice', () => {
    const clocks = ['NOW', 'TODAY'];
    const without = [...FORMULA_FUNCTIONS, ...FORMULA_OPERATORS].filter(({ examples }) => examples.length === 0);
    expect(without.map(({ name }) => name).sort()).toEqual(clocks);
    expect(checkFormula('TODAY("Asia/Tokyo")', sampleScope).ok).toBe(true);
  });
});
