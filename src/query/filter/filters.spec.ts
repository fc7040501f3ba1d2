import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../common/index.js';
import { arbitrary, column, everyType, fuzz, NOW, printFilter, table } from '../../../test/query/index.js';
import type { Condition } from '../plan.js';
import { resolveFilter } from '../resolve/resolve-filter.js';
import type { FilterInput } from './filter-input.js';
import { parseJsonFilter } from './json-filter.js';
import { parseTextFilter } from './text-filter.js';

const DEALS = everyType();

const fromJson = (json: unknown, of = DEALS): Condition =>
  resolveFilter(parseJsonFilter(json, '/filter'), of, { now: NOW });
const fromText = (text: string, of = DEALS): Condition => resolveFilter(parseTextFilter(text), of, { now: NOW });

/** The problem that the work throws. */
function refusal(work: () => unknown): {
  status: number;
  code: string;
  first: string | undefined;
  pointer: string | undefined;
} {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const [item] = error.errors ?? [];
    return { status: error.status, code: error.code, first: item?.code, pointer: item?.pointer };
  }
  throw new Error('nothing was refused');
}

const leaf = (field: string, op: string, value: unknown) => ({ field, op, value });

describe('the two syntaxes', () => {
  it.each<[string, unknown]>([
    [
      'and(unit_price.gte.100,status.in.(open,won),not(name.contains."a, b"))',
      {
        and: [
          leaf('unit_price', 'gte', 100),
          leaf('status', 'in', ['open', 'won']),
          { not: leaf('name', 'contains', 'a, b') },
        ],
      },
    ],
    ['status.in.(open)', leaf('status', 'in', ['open'])],
    ['or(name.eq.a,name.eq.b)', { or: [leaf('name', 'eq', 'a'), leaf('name', 'eq', 'b')] }],
    ['name.isNull', { field: 'name', op: 'isNull' }],
    ['amount.gt.{unit_price}', { field: 'amount', op: 'gt', valueField: 'unit_price' }],
    ['due.gte.@today-7d', leaf('due', 'gte', { $today: true, offset: -7, unit: 'day' })],
    ['seen.lt.@now', leaf('seen', 'lt', { $now: true })],
    ['seen.lt.@now+90min', leaf('seen', 'lt', { $now: true, offset: 90, unit: 'minute' })],
    ['due.within.thisMonth', leaf('due', 'within', { period: 'thisMonth' })],
    ['name.eq.a.b.c', leaf('name', 'eq', 'a.b.c')],
    ['name.eq."say \\"hi\\" \\\\o/"', leaf('name', 'eq', 'say "hi" \\o/')],
    ['name.eq."{price}"', leaf('name', 'eq', '{price}')],
    ['name.eq."@today"', leaf('name', 'eq', '@today')],
    ['name.eq.""', leaf('name', 'eq', '')],
    ["name.eq.it's 100% ok?", leaf('name', 'eq', "it's 100% ok?")],
    ['active.eq.true', leaf('active', 'eq', true)],
    ['qty.between.(-1,+2)', leaf('qty', 'between', [-1, 2])],
    ['status.eq.Lost for good', leaf('status', 'eq', 'lost')],
    ['seen.on.2026-12-01', leaf('seen', 'on', '2026-12-01')],
    ['extra["a"]["b"].eq.5', { ...leaf('extra', 'eq', 5), path: ['a', 'b'] }],
    ['extra["a"]["b"].eq."5"', { ...leaf('extra', 'eq', '5'), path: ['a', 'b'] }],
    ['extra["list"][0].neq.true', { ...leaf('extra', 'neq', true), path: ['list', '0'] }],
    ['extra["a].b"]["\\"\\\\"].contains.x', { ...leaf('extra', 'contains', 'x'), path: ['a].b', '"\\'] }],
    ['extra["a"].in.(1.50,-2e3,yes,"false")', { ...leaf('extra', 'in', [1.5, -2000, 'yes', 'false']), path: ['a'] }],
    ['extra["a"].isNull', { field: 'extra', path: ['a'], op: 'isNull' }],
  ])('%s', (text, json) => expect(fromText(text)).toEqual(fromJson(json)));

  it('mean the same, whatever the filter', () => {
    fc.assert(
      fc.property(arbitrary.filter(DEALS), fc.boolean(), (json, bare) => {
        expect(fromText(printFilter(json, bare))).toEqual(fromJson(json));
      }),
      fuzz(500),
    );
  });

  it('survive any input with a filter or a refusal', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('and', 'or', 'not', '(', ')', ',', '.', '"', '\\', '{', '}', 'name', 'eq', 'in', 'x'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(noise, (text) => {
        try {
          fromText(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
          expect([400, 422]).toContain((error as Problem).status);
        }
      }),
      fuzz(1000),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(refusal(() => fromJson(json)).status).toBe(422);
      }),
      fuzz(500),
    );
  });
});

describe('the text syntax refuses, with the position,', () => {
  it.each([
    ['', 0], ['   ', 0], ['name', 4], ['name.', 5], ['.eq.x', 0], ['and()', 0], ['or()', 0], ['not()', 4], ['and(name.isNull', 15],
    ['name.eq.', 8], ['name.eq."a', 10], ['name.eq."a\\n"', 11], ['name.eq."a"b', 11], ['name.isNull)', 11], ['name.in.()', 9], ['name.in.(a', 10],
    ['name.eq.{}', 9], ['name.eq.{a', 10], ['name.eq.{a}b', 11], ['name.eq.a,b', 9], ['and(name.isNull,)', 16], ['some(company)', 12], ['some(company,)', 13], ['some(,name.isNull)', 5], ['company.some(name.isNull)', 12],
    ['and (name.isNull)', 3], ['extra[a].isNull', 6], ['extra[].isNull', 6], ['extra["a].isNull', 16], ['extra["a"', 9], ['extra["a"]', 10], ['extra["a"]x.isNull', 10],
    [`extra${'["a"]'.repeat(11)}.isNull`, 55], [`extra["${'a'.repeat(256)}"].isNull`, 264], ['extra["a"].eq.0.12345678901234567890123', 39],
  ])('%j', (text, position) => {
    try {
      parseTextFilter(text);
      throw new Error('read');
    } catch (error) {
      expect(error).toMatchObject({ status: 400, code: 'invalid_syntax', errors: [{ pointer: '/filter', position }] });
    }
  }); // prettier-ignore
});

describe('the JSON syntax refuses, with a pointer,', () => {
  it.each<[unknown, string, string]>([
    [null, 'not_a_filter', '/filter'],
    [[], 'not_a_filter', '/filter'],
    ['name.isNull', 'not_a_filter', '/filter'],
    [{}, 'field_missing', '/filter'],
    [{ and: [] }, 'empty_group', '/filter/and'],
    [{ or: [] }, 'empty_group', '/filter/or'],
    [{ and: {} }, 'empty_group', '/filter/and'],
    [{ not: [] }, 'not_a_filter', '/filter/not'],
    [{ and: [{}] }, 'field_missing', '/filter/and/0'],
    [{ and: [{ field: 'name', op: 'isNull' }, 1] }, 'not_a_filter', '/filter/and/1'],
    [{ and: [{ field: 'name', op: 'isNull' }], or: [] }, 'unknown_property', '/filter/and'],
    [{ field: 'name' }, 'op_missing', '/filter'],
    [{ field: 7, op: 'eq' }, 'field_missing', '/filter'],
    [{ ...leaf('name', 'eq', 'x'), valueField: 'title' }, 'two_values', '/filter'],
    [{ field: 'name', op: 'eq', valueField: 3 }, 'field_missing', '/filter/valueField'],
    [{ ...leaf('name', 'eq', 'x'), 'a/b': 1 }, 'unknown_property', '/filter/a~1b'],
    [JSON.parse('{"__proto__":1,"field":"name","op":"isNull"}'), 'unknown_property', '/filter/__proto__'],
    [leaf('nam', 'eq', 'x'), 'unknown_field', '/filter/field'],
    [leaf('__proto__', 'eq', 'x'), 'unknown_field', '/filter/field'],
    [leaf('constructor', 'eq', 'x'), 'unknown_field', '/filter/field'],
    [{ or: [{ not: leaf('nam', 'eq', 'x') }] }, 'unknown_field', '/filter/or/0/not/field'],
    [leaf('name', 'like', 'x'), 'unknown_operator', '/filter/op'],
    [leaf('name', 'constructor', 'x'), 'unknown_operator', '/filter/op'],
    [leaf('qty', 'contains', 'x'), 'unknown_operator', '/filter/op'],
    [leaf('active', 'gt', true), 'unknown_operator', '/filter/op'],
    [leaf('status', 'contains', 'o'), 'unknown_operator', '/filter/op'],
    [leaf('name', 'on', '2026-01-01'), 'unknown_operator', '/filter/op'],
    [{ field: 'tags', op: 'isNull' }, 'unknown_operator', '/filter/op'],
    [{ field: 'team', op: 'isNotNull' }, 'unknown_operator', '/filter/op'],
    [{ field: 'name', op: 'eq', valueField: 'nam' }, 'unknown_field', '/filter/valueField'],
    [{ field: 'name', op: 'eq', valueField: 'qty' }, 'not_comparable', '/filter'],
    [{ field: 'status', op: 'eq', valueField: 'status' }, 'not_comparable', '/filter'],
    [{ field: 'name', op: 'in', valueField: 'title' }, 'operator_needs_value', '/filter'],
    [{ field: 'name', op: 'isNull', value: true }, 'value_not_expected', '/filter'],
    [{ field: 'name', op: 'isNull', valueField: 'title' }, 'operator_needs_value', '/filter'],
    [{ field: 'name', op: 'eq' }, 'value_missing', '/filter'],
    [leaf('name', 'eq', null), 'null_not_allowed', '/filter'],
    [leaf('name', 'in', ['a', null]), 'null_not_allowed', '/filter'],
    [leaf('name', 'in', []), 'list_size', '/filter'],
    [leaf('name', 'in', 'a'), 'list_expected', '/filter'],
    [leaf('name', 'nin', Array(1001).fill('a')), 'list_size', '/filter'],
    [leaf('qty', 'between', [1]), 'two_values_expected', '/filter'],
    [leaf('qty', 'between', [1, 2, 3]), 'two_values_expected', '/filter'],
    [leaf('name', 'eq', ['a']), 'not_text', '/filter/value'],
    [leaf('name', 'contains', { a: 1 }), 'not_text', '/filter/value'],
    [leaf('qty', 'eq', '1'), 'not_an_integer', '/filter/value'],
    [leaf('qty', 'eq', 2 ** 53), 'out_of_range', '/filter/value'],
    [leaf('amount', 'eq', 'NaN'), 'not_a_number', '/filter/value'],
    [leaf('status', 'eq', 'nope'), 'not_a_choice', '/filter/value'],
    [leaf('due', 'eq', '2026-02-30'), 'no_such_date', '/filter/value'],
    [leaf('due', 'gte', { $today: true, offset: 1e9 }), 'invalid_relative_time', '/filter/value'],
    [leaf('due', 'gte', { $today: true, $now: true }), 'invalid_relative_time', '/filter/value'],
    [leaf('due', 'within', { last: 0, unit: 'day' }), 'invalid_range', '/filter'],
    [leaf('due', 'within', 'someday'), 'invalid_range', '/filter'],
    ...[[], 'a', null, ['a', 1], Array(11).fill('a'), ['a'.repeat(256)]].map((path): [unknown, string, string] => [
      { ...leaf('extra', 'eq', 1), path },
      'invalid_path',
      '/filter/path',
    ]),
    [{ ...leaf('extra', 'eq', 1), path: ['\0'] }, 'nul_character', '/filter/path'],
    [{ ...leaf('extra', 'eq', 1), path: ['\ud800'] }, 'lone_surrogate', '/filter/path'],
    [{ ...leaf('extra', 'eq', '\0'), path: ['a'] }, 'nul_character', '/filter/value'],
    [{ ...leaf('extra', 'eq', null), path: ['a'] }, 'null_not_allowed', '/filter'],
    [{ ...leaf('extra', 'eq', { $now: true }), path: ['a'] }, 'not_a_scalar', '/filter/value'],
    [{ ...leaf('extra', 'eq', [1]), path: ['a'] }, 'one_value_expected', '/filter'],
    [{ ...leaf('extra', 'in', 1), path: ['a'] }, 'list_expected', '/filter'],
    [{ ...leaf('extra', 'in', []), path: ['a'] }, 'list_size', '/filter'],
    [{ ...leaf('extra', 'between', [1, 'b']), path: ['a'] }, 'two_values_expected', '/filter'],
    [{ ...leaf('extra', 'contains', 1), path: ['a'] }, 'not_text', '/filter/value'],
    [{ ...leaf('extra', 'isNull', 1), path: ['a'] }, 'value_not_expected', '/filter'],
    [{ ...leaf('extra', 'eq', 2 ** 53), path: ['a'] }, 'out_of_range', '/filter/value'],
    [{ field: 'extra', path: ['a'], op: 'eq' }, 'value_missing', '/filter'],
    [{ field: 'extra', path: ['a'], op: 'eq', valueField: 'name' }, 'operator_needs_value', '/filter'],
    [{ ...leaf('extra', 'isEmpty', 1), path: ['a'] }, 'unknown_operator', '/filter/op'],
    [{ ...leaf('name', 'eq', 'x'), path: ['a'] }, 'path_not_allowed', '/filter/path'],
    [leaf('extra', 'eq', 1), 'unknown_operator', '/filter/op'],
    [leaf('name', 'eq', 'a\0b'), 'nul_character', '/filter/value'],
    [leaf('name', 'eq', '\ud800'), 'lone_surrogate', '/filter/value'],
  ])('%j: %s at %s', (json, first, pointer) => {
    expect(refusal(() => fromJson(json))).toEqual({ status: 422, code: 'filter_invalid', first, pointer });
  });

  it('takes exactly 1000 values and exactly 100 conditions in 6 levels', () => {
    expect(fromJson(leaf('name', 'in', Array(1000).fill('a')))).toMatchObject({ kind: 'oneOf' });
    const conditions = (n: number) => ({ and: Array.from({ length: n }, () => ({ field: 'name', op: 'isNull' })) });
    expect(fromJson(conditions(100))).toMatchObject({ kind: 'and' });
    expect(refusal(() => fromJson(conditions(101)))).toMatchObject({ status: 422, first: 'too_many_conditions' });
    expect(refusal(() => fromText(printFilter(conditions(101) as never, true)))).toMatchObject({
      status: 422,
      first: 'too_many_conditions',
    });
    const nested = (levels: number): unknown =>
      levels === 0 ? { field: 'name', op: 'isNull' } : { not: nested(levels - 1) };
    expect(fromJson(nested(6))).toMatchObject({ kind: 'not' });
    expect(refusal(() => fromJson(nested(7)))).toMatchObject({ status: 422, first: 'too_deep' });
  });

  it('takes exactly 10,000 values in all its lists', () => {
    const lists = (n: number) => ({
      and: Array.from({ length: n }, () => leaf('name', 'in', Array(500).fill('a'))),
    });
    expect(fromJson(lists(20))).toMatchObject({ kind: 'and' });
    expect(refusal(() => fromJson(lists(21)))).toMatchObject({ status: 422, first: 'too_many_values' });
    expect(refusal(() => fromText(printFilter(lists(21) as never, true)))).toMatchObject({
      status: 422,
      first: 'too_many_values',
    });
    // Not looked at before they are counted.
    const startedAt = performance.now();
    const many = { and: Array.from({ length: 100 }, () => leaf('name', 'in', Array(1000).fill(7))) };
    expect(refusal(() => fromJson(many))).toMatchObject({ status: 422, first: 'too_many_values' });
    expect(performance.now() - startedAt).toBeLessThan(100);
  });

  it('refuses 10,000 conditions, nested or side by side, in both syntaxes, before they cost anything', () => {
    const n = 10_000;
    const texts = [
      'not('.repeat(n) + 'name.isNull' + ')'.repeat(n),
      'and('.repeat(n),
      `or(${'name.isNull,'.repeat(n)}name.isNull)`,
    ];
    const deep: unknown = Array.from({ length: n }).reduce<unknown>(
      (inner) => ({ and: [inner] }),
      leaf('name', 'eq', 'x'),
    );
    const wide = { or: Array.from({ length: n }, () => leaf('name', 'eq', 'x')) };
    const startedAt = performance.now();
    for (const text of texts) expect(refusal(() => parseTextFilter(text)).status).toBe(422);
    for (const json of [deep, wide]) expect(refusal(() => parseJsonFilter(json, '/filter')).status).toBe(422);
    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});

describe('a text filter that is understood but cannot be obeyed', () => {
  it.each([
    ['nam.eq.x', 'unknown_field'],
    ['name.like.x', 'unknown_operator'],
    ['qty.eq.x', 'not_an_integer'],
    ['qty.eq.9007199254740993', 'out_of_range'],
    ['due.eq.@today-7x', 'invalid_relative_time'],
    ['name.eq.(a,b)', 'one_value_expected'],
    ['name.eq', 'value_missing'],
    ['name.isNull.x', 'value_not_expected'],
    ['status.eq.nope', 'not_a_choice'],
  ])('%s is refused: %s', (text, first) => {
    expect(refusal(() => fromText(text))).toEqual({ status: 422, code: 'filter_invalid', first, pointer: '/filter' });
  });
});

describe('operators', () => {
  it('are per type: every other one is refused', () => {
    const offered = new Set(
      DEALS.columns.flatMap(({ key }) =>
        ['on', 'contains', 'gt', 'isEmpty', 'in', 'within']
          .filter((op) => {
            const input: FilterInput = {
              kind: 'leaf',
              field: key,
              op,
              operand: { kind: 'none' },
              pointer: '/filter',
              syntax: 'json',
            };
            try {
              resolveFilter(input, DEALS, { now: NOW });
              return true;
            } catch (error) {
              return (error as Problem).errors?.[0]?.code !== 'unknown_operator';
            }
          })
          .map((op) => `${key} ${op}`),
      ),
    );
    for (const text of ['name', 'title', 'notes'])
      for (const op of ['contains', 'gt', 'isEmpty', 'in']) expect(offered).toContain(`${text} ${op}`);
    for (const number of ['qty', 'amount'])
      expect([...offered].filter((each) => each.startsWith(`${number} `))).toEqual([`${number} gt`, `${number} in`]);
    expect([...offered].filter((each) => each.startsWith('active '))).toEqual([]);
    expect([...offered].filter((each) => each.startsWith('status '))).toEqual(['status in']);
    for (const time of ['due', 'seen'])
      expect([...offered].filter((each) => each.startsWith(`${time} `))).toEqual([
        `${time} on`,
        `${time} gt`,
        `${time} in`,
        `${time} within`,
      ]);
  });

  it('on and after the last day of the calendar stay within it', () => {
    // Regression: the day after was handed to the database, which knows no year 10000 in this form.
    const days = table([column('at', 'datetime'), column('on', 'date')]);
    for (const field of ['at', 'on'])
      for (const op of ['on', 'before', 'after'])
        expect(JSON.stringify(fromJson(leaf(field, op, '9999-12-31'), days))).not.toContain('10000');
    expect(fromJson(leaf('at', 'after', '9999-12-31'), days)).toEqual({ kind: 'not', item: { kind: 'true' } });
  });
});
