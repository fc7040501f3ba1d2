import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fuzz } from '../../test/query/index.js';
import { instantOf, localDate, wallTime } from './zoned-time.js';

const ZONES = [
  'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', 'America/Sao_Paulo',
  'America/St_Johns', 'Pacific/Kiritimati', 'Africa/Monrovia', 'Antarctica/Troll',
]; // prettier-ignore

const at = (wall: string, zone: string): string => instantOf(new Date(`${wall}Z`), zone).toISOString();
const day = (date: string, zone: string): string => at(`${date}T00:00:00.000`, zone);

describe('the first instant of a day', () => {
  it.each([
    ['2026-11-22', 'UTC', '2026-11-22T00:00:00.000Z'],
    ['2026-01-15', 'Europe/Berlin', '2026-01-14T23:00:00.000Z'],
    ['2026-07-15', 'Europe/Berlin', '2026-07-14T22:00:00.000Z'],
    // The day on which summer time begins or ends has the midnight of the time before.
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00.000Z'],
    ['2026-03-09', 'America/New_York', '2026-03-09T04:00:00.000Z'],
    ['2026-11-22', 'Asia/Kolkata', '2026-11-21T18:30:00.000Z'],
    // Half an hour of summer time.
    ['2026-01-15', 'Australia/Lord_Howe', '2026-01-14T13:00:00.000Z'],
    ['2026-07-15', 'Australia/Lord_Howe', '2026-07-14T13:30:00.000Z'],
    // Samoa went over the date line and had no 30 December.
    ['2011-12-29', 'Pacific/Apia', '2011-12-29T10:00:00.000Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
    ['2011-12-31', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
    ['2012-01-01', 'Pacific/Apia', '2011-12-31T10:00:00.000Z'],
    // Summer time began at midnight, so there was none; it ended at midnight, so there were two evenings.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    ['2018-02-18', 'America/Sao_Paulo', '2018-02-18T03:00:00.000Z'],
    ['2018-02-17', 'America/Sao_Paulo', '2018-02-17T02:00:00.000Z'],
    // One minute after midnight the clock went back: the day begins with the first of its two midnights.
    ['2008-11-02', 'America/St_Johns', '2008-11-02T02:30:00.000Z'],
  ])('%s in %s is %s', (date, zone, expected) => expect(day(date, zone)).toBe(expected));
});

describe('a wall time', () => {
  it('that comes twice is the first of both, one that is skipped ends where the clock goes on', () => {
    expect(at('2026-10-25T02:30:00.000', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
    expect(at('2026-03-29T02:30:00.123', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.000Z');
    expect(at('2026-03-29T03:00:00.123', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.123Z');
  });

  const zones = fc.constantFrom(...ZONES);
  const instants = fc.date({
    min: new Date('1850-01-01T00:00:00Z'),
    max: new Date('2100-01-01T00:00:00Z'),
    noInvalidDate: true,
  });

  it('is that of its instant, or of the later one of two', () => {
    fc.assert(
      fc.property(zones, instants, (zone, instant) => {
        const wall = wallTime(instant, zone);
        const back = instantOf(wall, zone);
        expect(wallTime(back, zone)).toEqual(wall);
        expect(back.getTime()).toBeLessThanOrEqual(instant.getTime());
      }),
      fuzz(2000),
    );
  });

  it('of a day lies between its midnight and the next', () => {
    fc.assert(
      fc.property(zones, instants, (zone, instant) => {
        const date = localDate(instant, zone);
        const next = new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);
        expect(Date.parse(day(date, zone))).toBeLessThanOrEqual(instant.getTime());
        // But where the clock goes back over midnight, and the evening comes again behind it.
        if (zone !== 'America/St_Johns' && zone !== 'America/Sao_Paulo')
          expect(instant.getTime()).toBeLessThan(Date.parse(day(next, zone)));
      }),
      fuzz(2000),
    );
  });
});
