import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '../common/index.js';
import { arbitrary, canonical, everyType, fuzz, NOW } from '../../test/query/index.js';
import { evaluate, matches, type EvaluatedRow } from './evaluate.js';
import { parseTextFilter } from './filter/text-filter.js';
import type { Condition, OrderTerm } from './plan.js';
import { parseJsonFilter } from './filter/json-filter.js';
import { resolveFilter } from './resolve/resolve-filter.js';
import type { CellValue } from './schema.js';

const DEALS = everyType();
const condition = (text: string): Condition => resolveFilter(parseTextFilter(text), DEALS, { now: NOW });
const row = (fields: Readonly<Record<string, unknown>>): EvaluatedRow => ({
  id: newId(),
  fields: Object.fromEntries(
    DEALS.columns
      .filter(({ key }) => key in fields)
      .map((column) => [column.key, canonical(column, fields[column.key])]),
  ),
});

describe('matches', () => {
  it.each([
    // Null satisfies the negative operators and nothing else; equality of columns takes two nulls as equal.
    ['name.eq.a', {}, false],
    ['name.neq.a', {}, true],
    ['not(name.eq.a)', {}, true],
    ['name.in.(a,b)', {}, false],
    ['name.nin.(a,b)', {}, true],
    ['name.contains.a', {}, false],
    ['name.ncontains.a', {}, true],
    ['qty.lt.5', {}, false],
    ['not(qty.lt.5)', {}, true],
    ['qty.between.(1,5)', {}, false],
    ['qty.nbetween.(1,5)', {}, true],
    ['name.isNull', {}, true],
    ['name.isNotNull', {}, false],
    ['name.isEmpty', {}, true],
    ['name.isEmpty', { name: '' }, true],
    ['name.isEmpty', { name: ' ' }, false],
    ['name.isNull', { name: '' }, false],
    ['name.eq.{notes}', {}, true],
    ['name.neq.{notes}', {}, false],
    ['name.neq.{notes}', { name: 'a' }, true],
    ['amount.gte.{unit_price}', {}, true],
    ['amount.gt.{unit_price}', {}, false],
    ['amount.lte.{unit_price}', { amount: '1' }, false],
    // Case counts in equality and not in search; wildcards are ordinary.
    ['name.eq.ab', { name: 'AB' }, false],
    ['name.contains.B', { name: 'abc' }, true],
    ['name.startsWith.ÄB', { name: 'äbc' }, true],
    ['name.endsWith.bc', { name: 'aBC' }, true],
    ['name.contains.%', { name: 'abc' }, false],
    ['name.contains._', { name: 'abc' }, false],
    ['name.contains.ΟΔΟΣ', { name: 'οδοσα' }, true],
    // Numbers by value, not by notation; beyond what a double can hold.
    ['amount.eq.1.50', { amount: '1.5' }, true],
    ['amount.gt.9', { amount: '10' }, true],
    ['amount.eq.9007199254740993', { amount: '9007199254740992' }, false],
    ['qty.eq.{amount}', { qty: 3, amount: '3.00' }, true],
    // Time.
    ['seen.on.2026-11-22', { seen: '2026-11-22T23:59:59.999Z' }, true],
    ['seen.on.2026-11-22', { seen: '2026-11-23T00:00:00Z' }, false],
    ['seen.before.2026-11-22', { seen: '2026-11-21T23:59:59.999Z' }, true],
    ['seen.after.2026-11-22', { seen: '2026-11-22T23:00:00Z' }, false],
    ['seen.after.2026-11-22', { seen: '2026-11-23T00:00:00Z' }, true],
    ['due.after.2026-11-22', { due: '2026-11-23' }, true],
    ['due.on.@today', { due: '2026-11-22' }, true],
    ['due.within.thisMonth', { due: '2026-11-30' }, true],
    ['due.within.thisMonth', { due: '2026-12-01' }, false],
    ['seen.on.9999-12-31', { seen: '9999-12-31T23:59:59.999Z' }, true],
    ['seen.after.9999-12-31', { seen: '9999-12-31T23:59:59.999Z' }, false],
    // Inside of JSON: by its own types, and null where nothing is.
    ['extra["a"].eq.5', { extra: { a: 5 } }, true],
    ['extra["a"].eq.5', { extra: { a: '5' } }, false],
    ['extra["a"].neq.5', { extra: { a: '5' } }, true],
    ['extra["a"].neq.5', {}, true],
    ['extra["a"].gt.5', { extra: { a: true } }, false],
    ['extra["a"].nbetween.(1,9)', { extra: { a: 'x' } }, true],
    ['extra["a"].in.(5,"5",true)', { extra: { a: '5' } }, true],
    ['extra["a"].contains.X', { extra: { a: 'axb' } }, true],
    ['extra["a"].contains.5', { extra: { a: 'x5' } }, true],
    ['extra["a"].contains.5', { extra: { a: 5 } }, false],
    ['extra["a"].ncontains.x', { extra: { a: 5 } }, true],
    ['extra["a"].isNull', { extra: { a: null } }, true],
    ['extra["a"]["b"].isNull', { extra: { a: [1] } }, true],
    ['extra["a"].isNotNull', { extra: { a: {} } }, true],
    ['extra["a"][0].eq.true', { extra: { a: [true] } }, true],
    ['extra["toString"].isNull', { extra: {} }, true],
    ['status.neq.open', { status: 'won' }, true],
    ['active.eq.false', {}, false],
  ])('%s of %j is %j', (text, fields, expected) => expect(matches(condition(text), row(fields))).toBe(expected));

  it('takes a negation for the opposite, of any row', () => {
    fc.assert(
      fc.property(arbitrary.filter(DEALS), arbitrary.fields(DEALS), (json, fields) => {
        const [plain, negated] = [json, { not: json }].map((each) =>
          resolveFilter(parseJsonFilter(each, '/filter'), DEALS, { now: NOW }),
        ) as [Condition, Condition];
        const given = row(fields);
        expect(matches(negated, given)).toBe(!matches(plain, given));
      }),
      fuzz(500),
    );
  });
});

describe('evaluate', () => {
  const rows = ['b', null, 'a', '\u{1F600}', '\uFFFD'].map((name) => row({ name }));
  const order = (dir: 'asc' | 'desc'): OrderTerm[] => [
    { by: { kind: 'column', column: DEALS.columns[0] as never }, dir },
    { by: { kind: 'id' }, dir },
  ];
  const names = (found: readonly EvaluatedRow[]): (CellValue | undefined)[] => found.map(({ fields }) => fields.name);
  const plan = { where: { kind: 'true' }, limit: 100 } as const;

  it('orders by code point, null first, and turns the whole around', () => {
    expect(names(evaluate({ ...plan, orderBy: order('asc') }, rows))).toEqual([null, 'a', 'b', '\uFFFD', '\u{1F600}']);
    expect(names(evaluate({ ...plan, orderBy: order('desc') }, rows))).toEqual(['\u{1F600}', '\uFFFD', 'b', 'a', null]);
  });

  it('breaks ties by the id, in the direction of the last key', () => {
    const twins = [row({ name: 'x' }), row({ name: 'x' }), row({ name: 'x' })];
    const ids = twins.map(({ id }) => id).toSorted();
    expect(evaluate({ ...plan, orderBy: order('asc') }, twins).map(({ id }) => id)).toEqual(ids);
    expect(evaluate({ ...plan, orderBy: order('desc') }, twins).map(({ id }) => id)).toEqual(ids.toReversed());
  });

  it('begins behind the position, also one whose row is gone, and ends at the limit', () => {
    expect(names(evaluate({ ...plan, orderBy: order('asc'), after: ['aa', newId()], limit: 2 }, rows))).toEqual([
      'b',
      '\uFFFD',
    ]);
    expect(names(evaluate({ ...plan, orderBy: order('desc'), after: ['a', '0'] }, rows))).toEqual([null]);
  });
});
