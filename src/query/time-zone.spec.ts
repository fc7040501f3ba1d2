import { describe, expect, it } from '@jest/globals';
import { isTimeZone, wallClock } from './time-zone.js';

describe('a time zone', () => {
  it.each(['UTC', 'Europe/Berlin', 'america/new_york', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata', 'Etc/GMT+5'])(
    'is %s',
    (name) => expect(isTimeZone(name)).toBe(true),
  );

  it.each(['', 'Mars/Olympus', '+02:00', '-05', 'UTC+2', 'CET', 'IST', 'EST5EDT', 'SystemV/AST4ADT', 'Europe/Berlin ', "UTC'", 'Z'])(
    'is not %j',
    (name) => expect(isTimeZone(name)).toBe(false),
  ); // prettier-ignore
});

describe('the clock on a wall', () => {
  const shown = (instant: string, zone: string) => new Date(wallClock(new Date(instant), zone)).toISOString();

  it('is put forward and back', () => {
    expect(shown('2026-03-29T00:59:59Z', 'Europe/Berlin')).toBe('2026-03-29T01:59:59.000Z');
    expect(shown('2026-03-29T01:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T03:00:00.000Z');
    expect(shown('2026-10-25T00:59:59Z', 'Europe/Berlin')).toBe('2026-10-25T02:59:59.000Z');
    expect(shown('2026-10-25T01:00:00Z', 'Europe/Berlin')).toBe('2026-10-25T02:00:00.000Z');
  });

  it('may show a year that no date has', () => {
    expect(shown('9999-12-31T23:00:00Z', 'Asia/Kolkata')).toBe('+010000-01-01T04:30:00.000Z');
    expect(shown('0001-01-01T00:00:00Z', 'America/New_York')).toMatch(/^0000-12-31T19:0/);
  });
});
