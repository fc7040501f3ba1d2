import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fuzz } from '../../../test/query/index.js';
import { parseRange, relativeValue, spanOfDay } from './relative-time.js';

/** A Sunday. */
const NOW = new Date('2026-11-22T15:04:05.678Z');

const value = (input: unknown, type: 'date' | 'datetime' = 'datetime', now = NOW): unknown => {
  const parsed = relativeValue(input, type, now);
  return parsed === undefined ? undefined : parsed.ok ? parsed.value : parsed.code;
};

describe('a relative value', () => {
  it.each<[unknown, string]>([
    [{ $now: true }, '2026-11-22T15:04:05.678Z'],
    ['@now', '2026-11-22T15:04:05.678Z'],
    [{ $today: true }, '2026-11-22T00:00:00.000Z'],
    [{ $today: true, offset: -7, unit: 'day' }, '2026-11-15T00:00:00.000Z'],
    ['@today-7d', '2026-11-15T00:00:00.000Z'],
    ['@today+1w', '2026-11-29T00:00:00.000Z'],
    ['@now-3h', '2026-11-22T12:04:05.678Z'],
    ['@now+90min', '2026-11-22T16:34:05.678Z'],
    ['@today-1m', '2026-10-22T00:00:00.000Z'],
    ['@today+2y', '2028-11-22T00:00:00.000Z'],
  ])('%j is %s', (input, expected) => {
    expect(value(input)).toBe(expected);
    expect(value(input, 'date')).toBe(expected.slice(0, 10));
  });

  it('ends in the last day of a shorter month', () => {
    const at = (input: string, now: string) => value(input, 'date', new Date(now));
    expect(at('@today+1m', '2026-01-31T12:00:00Z')).toBe('2026-02-28');
    expect(at('@today+1m', '2028-01-31T12:00:00Z')).toBe('2028-02-29');
    expect(at('@today+1y', '2028-02-29T12:00:00Z')).toBe('2029-02-28');
    expect(at('@today-1m', '2026-03-31T12:00:00Z')).toBe('2026-02-28');
  });

  it.each([
    [{}], [{ $now: false }], [{ $now: true, $today: true }], [{ $today: true, offset: 1.5 }], [{ $today: true, offset: '1' }],
    [{ $today: true, unit: 'fortnight' }], [{ $today: true, offset: 100_001 }], [{ $today: true, x: 1 }], ['@'], ['@tomorrow'], ['@today-7'],
    ['@today7d'], ['@now-1234567d'], ['@today - 7d'],
  ])('%j is refused', (input) => expect(value(input)).toBe('invalid_relative_time')); // prettier-ignore

  it('outside the calendar is refused', () => {
    expect(value({ $today: true, offset: 100_000, unit: 'year' })).toBe('out_of_range');
    expect(value({ $today: true, offset: -3000, unit: 'year' })).toBe('out_of_range');
  });

  it('is an ordinary value where there is no time, or no relation', () => {
    expect(relativeValue('@today', 'text', NOW)).toBeUndefined();
    expect(value('2026-01-01')).toBeUndefined();
    expect(value(5)).toBeUndefined();
  });
});

describe('within', () => {
  const range = (input: unknown, now = NOW): unknown => {
    const parsed = parseRange(input, now);
    return parsed.ok ? [parsed.value.from, parsed.value.until] : parsed.code;
  };
  const days = (from: string, until: string) => [`${from}T00:00:00.000Z`, `${until}T00:00:00.000Z`];

  it.each<[string, string[]]>([
    ['yesterday', days('2026-11-21', '2026-11-22')],
    ['today', days('2026-11-22', '2026-11-23')],
    ['tomorrow', days('2026-11-23', '2026-11-24')],
    ['thisWeek', days('2026-11-16', '2026-11-23')],
    ['lastWeek', days('2026-11-09', '2026-11-16')],
    ['nextWeek', days('2026-11-23', '2026-11-30')],
    ['thisMonth', days('2026-11-01', '2026-12-01')],
    ['lastMonth', days('2026-10-01', '2026-11-01')],
    ['nextMonth', days('2026-12-01', '2027-01-01')],
    ['thisQuarter', days('2026-10-01', '2027-01-01')],
    ['lastQuarter', days('2026-07-01', '2026-10-01')],
    ['nextQuarter', days('2027-01-01', '2027-04-01')],
    ['thisYear', days('2026-01-01', '2027-01-01')],
    ['lastYear', days('2025-01-01', '2026-01-01')],
    ['nextYear', days('2027-01-01', '2028-01-01')],
  ])('%s', (period, expected) => {
    expect(range(period)).toEqual(expected);
    expect(range({ period })).toEqual(expected);
  });

  it('counts from now', () => {
    expect(range({ last: 7, unit: 'day' })).toEqual(['2026-11-15T15:04:05.678Z', '2026-11-22T15:04:05.678Z']);
    expect(range({ next: 2, unit: 'week' })).toEqual(['2026-11-22T15:04:05.678Z', '2026-12-06T15:04:05.678Z']);
  });

  it.each([
    [{}], [null], [[]], [7], [{ last: 7 }], [{ last: 0, unit: 'day' }], [{ last: 1.5, unit: 'day' }], [{ last: '7', unit: 'day' }],
    [{ last: 1, next: 1, unit: 'day' }], [{ period: 'thisMonth', unit: 'day' }], [{ period: 'thisDecade' }], ['constructor'], ['__proto__'],
    [{ period: 'thisMonth', x: 1 }], [{ next: 100_000, unit: 'year' }],
  ])('%j is refused', (input) => expect(range(input)).toBe('invalid_range')); // prettier-ignore

  it('covers all time without a gap: what comes next begins where this ends', () => {
    const now = fc.date({
      min: new Date('1000-01-01T00:00:00Z'),
      max: new Date('9990-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(now, fc.constantFrom('Week', 'Month', 'Quarter', 'Year'), (at, unit) => {
        const [last, current, next] = ['last', 'this', 'next'].map(
          (which) => range(`${which}${unit}`, at) as [string, string],
        );
        expect([last?.[1], current?.[1]]).toEqual([current?.[0], next?.[0]]);
        expect((current?.[0] ?? '') <= at.toISOString() && at.toISOString() < (current?.[1] ?? '')).toBe(true);
      }),
      fuzz(300),
    );
  });
});

describe('a day', () => {
  it('lasts until the next, and the last one has no end', () => {
    expect(spanOfDay('2026-12-31')).toEqual({ from: '2026-12-31T00:00:00.000Z', until: '2027-01-01T00:00:00.000Z' });
    expect(spanOfDay('0001-01-01').from).toBe('0001-01-01T00:00:00.000Z');
    expect(spanOfDay('9999-12-31')).toEqual({ from: '9999-12-31T00:00:00.000Z' });
  });
});
