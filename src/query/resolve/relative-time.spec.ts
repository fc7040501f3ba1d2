import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fuzz } from '../../../test/query/index.js';
import { parseRange, relativeValue, spanOfDay } from './relative-time.js';

/** A Sunday. */
const NOW = new Date('2026-11-22T15:04:05.678Z');

const value = (input: unknown, type: 'date' | 'datetime' = 'datetime', now = NOW, zone = 'UTC'): unknown => {
  const parsed = relativeValue(input, type, { now, zone });
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
    expect(relativeValue('@today', 'text', { now: NOW, zone: 'UTC' })).toBeUndefined();
    expect(value('2026-01-01')).toBeUndefined();
    expect(value(5)).toBeUndefined();
  });
});

describe('within', () => {
  const range = (input: unknown, now = NOW): unknown => {
    const parsed = parseRange(input, { now, zone: 'UTC' });
    return parsed.ok ? [parsed.value.from.at, parsed.value.until?.at] : parsed.code;
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
  const midnight = (date: string) => ({ date, at: `${date}T00:00:00.000Z` });

  it('lasts until the next, and the last one has no end', () => {
    expect(spanOfDay('2026-12-31', 'UTC')).toEqual({ from: midnight('2026-12-31'), until: midnight('2027-01-01') });
    expect(spanOfDay('0001-01-01', 'UTC').from).toEqual(midnight('0001-01-01'));
    expect(spanOfDay('9999-12-31', 'UTC')).toEqual({ from: midnight('9999-12-31') });
  });

  it('at either end of the calendar is there in every time zone', () => {
    for (const zone of ['Pacific/Kiritimati', 'Europe/Berlin', 'America/New_York', 'Etc/GMT+12'])
      for (const date of ['0001-01-01', '9999-12-31']) {
        const { from, until } = spanOfDay(date, zone);
        expect([from.date, from.at.slice(0, 4)]).toEqual([date, date.slice(0, 4)]);
        expect([undefined, '0001']).toContain(until?.at.slice(0, 4));
      }
  });

  it('that was skipped is no time at all, and yet a date', () => {
    expect(spanOfDay('2011-12-30', 'Pacific/Apia')).toEqual({
      from: { date: '2011-12-30', at: '2011-12-30T10:00:00.000Z' },
      until: { date: '2011-12-31', at: '2011-12-30T10:00:00.000Z' },
    });
  });
});

describe('in a time zone', () => {
  const at = (input: unknown, now: string, zone: string) =>
    (['datetime', 'date'] as const).map((type) => value(input, type, new Date(now), zone));
  const within = (input: unknown, now: string, zone: string): unknown => {
    const parsed = parseRange(input, { now: new Date(now), zone });
    return parsed.ok ? parsed.value : parsed.code;
  };

  it.each([
    // Late in the evening of UTC it is the next day in the east, in its small hours the day before in the west.
    ['@today', '2026-11-22T23:30:00Z', 'Europe/Berlin', '2026-11-22T23:00:00.000Z', '2026-11-23'],
    ['@today', '2026-11-22T03:00:00Z', 'America/New_York', '2026-11-21T05:00:00.000Z', '2026-11-21'],
    ['@today', '2026-11-22T18:30:00Z', 'Asia/Kolkata', '2026-11-22T18:30:00.000Z', '2026-11-23'],
    ['@now', '2026-11-22T23:30:00.123Z', 'Europe/Berlin', '2026-11-22T23:30:00.123Z', '2026-11-23'],
    // A day is one of the calendar: over the ends of summer time it has 23 or 25 hours.
    ['@now-1d', '2026-03-29T10:00:00.123Z', 'Europe/Berlin', '2026-03-28T11:00:00.123Z', '2026-03-28'],
    ['@now-24h', '2026-03-29T10:00:00.123Z', 'Europe/Berlin', '2026-03-28T10:00:00.123Z', '2026-03-28'],
    ['@today+1d', '2026-10-25T10:00:00Z', 'Europe/Berlin', '2026-10-25T23:00:00.000Z', '2026-10-26'],
    ['@today+1m', '2026-10-20T10:00:00Z', 'Europe/Berlin', '2026-11-19T23:00:00.000Z', '2026-11-20'],
    ['@today+3h', '2026-03-29T10:00:00Z', 'Europe/Berlin', '2026-03-29T02:00:00.000Z', '2026-03-29'],
    ['@today', '2018-11-04T12:00:00Z', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z', '2018-11-04'],
    ['@today-1d', '2011-12-31T12:00:00+14:00', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', '2011-12-30'],
  ])('%s at %s in %s is %s, the day %s', (input, now, zone, instant, date) =>
    expect(at(input, now, zone)).toEqual([instant, date]),
  );

  it.each<[unknown, string, string, string[], string[]]>([
    [
      'today',
      '2026-03-29T10:00:00Z',
      'Europe/Berlin',
      ['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
      ['2026-03-29', '2026-03-30'],
    ],
    [
      'thisMonth',
      '2026-10-31T23:30:00Z',
      'Europe/Berlin',
      ['2026-10-31T23:00:00.000Z', '2026-11-30T23:00:00.000Z'],
      ['2026-11-01', '2026-12-01'],
    ],
    [
      'thisWeek',
      '2026-11-23T03:00:00Z',
      'America/New_York',
      ['2026-11-16T05:00:00.000Z', '2026-11-23T05:00:00.000Z'],
      ['2026-11-16', '2026-11-23'],
    ],
    [
      { last: 7, unit: 'day' },
      '2026-03-30T10:00:00Z',
      'Europe/Berlin',
      ['2026-03-23T11:00:00.000Z', '2026-03-30T10:00:00.000Z'],
      ['2026-03-23', '2026-03-30'],
    ],
    [
      { next: 2, unit: 'hour' },
      '2026-11-22T22:30:00Z',
      'Europe/Berlin',
      ['2026-11-22T22:30:00.000Z', '2026-11-23T00:30:00.000Z'],
      ['2026-11-22', '2026-11-23'],
    ],
  ])('within %j at %s in %s', (input, now, zone, [from, until], [first, last]) =>
    expect(within(input, now, zone)).toEqual({ from: { date: first, at: from }, until: { date: last, at: until } }),
  );
});
