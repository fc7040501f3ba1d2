import { wallTime } from '../zoned-time.js';

/*
 * Days and instants in memory as PostgreSQL has them: the proleptic Gregorian calendar from the year 1 to 9999. A day, and what a wall
 * shows, is a number of milliseconds as if it were UTC.
 */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const FIRST = Date.parse('0001-01-01T00:00:00.000Z');
const END = Date.parse('9999-12-31T23:59:59.999Z') + 1;
export const isWithin = (time: number): boolean => time >= FIRST && time < END;

/** Undefined outside of the calendar. */
export const dayText = (time: number): string | undefined =>
  isWithin(time) ? new Date(time).toISOString().slice(0, 10) : undefined;
export const instantText = (time: number): string | undefined =>
  isWithin(time) ? new Date(time).toISOString() : undefined;
/** Of the canonical text of a date or datetime. */
export const timeOf = (text: string): number => Date.parse(text);

/** A day that exists, or undefined. */
export function dayOf(year: number, month: number, day: number): number | undefined {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month - 1)) return undefined;
  return dayAt(year, month - 1, day);
}

/** `month` counts from 0. */
function dayAt(year: number, month: number, day: number): number {
  const date = new Date(0);
  return date.setUTCFullYear(year, month, day);
}

const daysIn = (year: number, month: number): number => new Date(dayAt(year, month + 1, 0)).getUTCDate();

/** What the wall shows in the zone, undefined where that is outside of the calendar. */
export function wallOf(instant: number, zone: string): number | undefined {
  const wall = zone === 'UTC' ? instant : wallTime(new Date(instant), zone).getTime();
  return isWithin(wall) ? wall : undefined;
}

/**
 * When the wall shows it. As in PostgreSQL: a time that is skipped is taken by the clock before it was put forward, and of one that
 * there is twice the second is meant.
 */
export function instantAt(wall: number, zone: string): number | undefined {
  const at = zone === 'UTC' ? wall : zonedInstant(wall, zone);
  return isWithin(at) ? at : undefined;
}

function zonedInstant(wall: number, zone: string): number {
  const offsetAt = (instant: number): number => wallTime(new Date(instant), zone).getTime() - instant;
  const [before, after] = [offsetAt(wall - DAY), offsetAt(wall + DAY)];
  const [early, late] = [wall - before, wall - after];
  if (before === after) return early;
  const [isEarly, isLate] = [offsetAt(early) === before, offsetAt(late) === after];
  return isLate ? late : isEarly ? early : early;
}

export interface CalendarParts {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}

export function partsOf(time: number): CalendarParts {
  const date = new Date(time);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

export const timeOfDay = (time: number): number => ((time % DAY) + DAY) % DAY;
/** From 1, which is Monday. */
export const weekdayOf = (time: number): number => ((new Date(time).getUTCDay() + 6) % 7) + 1;

/** The number of the week by ISO 8601: that of its Thursday in its year. */
export function weekOf(time: number): number {
  const thursday = time - timeOfDay(time) + (4 - weekdayOf(time)) * DAY;
  return Math.floor((thursday - dayAt(new Date(thursday).getUTCFullYear(), 0, 1)) / (7 * DAY)) + 1;
}

/** So many months later, on the last day of the month where there is no such day; undefined outside of the calendar. */
export function addMonths(time: number, months: number): number | undefined {
  const { year, month, day } = partsOf(time);
  const count = year * 12 + month - 1 + months;
  const [toYear, toMonth] = [Math.floor(count / 12), ((count % 12) + 12) % 12];
  if (toYear < 1 || toYear > 9999) return undefined;
  return dayAt(toYear, toMonth, Math.min(day, daysIn(toYear, toMonth))) + timeOfDay(time);
}

/** Whole months from one to the other: one is whole when its day and time of day have come. */
export function monthsBetween(from: number, to: number): number {
  if (to < from) return -monthsBetween(to, from) + 0;
  const [a, b] = [partsOf(from), partsOf(to)];
  const months = (b.year - a.year) * 12 + b.month - a.month;
  const isShort = b.day < a.day || (b.day === a.day && timeOfDay(to) < timeOfDay(from));
  return isShort ? months - 1 : months;
}

export const CALENDAR_UNITS = ['day', 'week', 'month', 'quarter', 'year'] as const;
export const CLOCK_UNITS = ['hour', 'minute', 'second'] as const;
export type CalendarUnit = (typeof CALENDAR_UNITS)[number];
export type ClockUnit = (typeof CLOCK_UNITS)[number];
export type Unit = CalendarUnit | ClockUnit;

/** Units that are always as long; the others are so many months. */
export const LENGTHS: Readonly<Partial<Record<Unit, number>>> = {
  day: DAY,
  week: 7 * DAY,
  hour: HOUR,
  minute: MINUTE,
  second: SECOND,
};
export const MONTHS: Readonly<Partial<Record<Unit, number>>> = { month: 1, quarter: 3, year: 12 };

export function startOf(time: number, unit: Unit): number {
  const { year, month } = partsOf(time);
  switch (unit) {
    case 'year':
      return dayAt(year, 0, 1);
    case 'quarter':
      return dayAt(year, month - 1 - ((month - 1) % 3), 1);
    case 'month':
      return dayAt(year, month - 1, 1);
    case 'week':
      return time - timeOfDay(time) - (weekdayOf(time) - 1) * DAY;
    case 'day':
      return time - timeOfDay(time);
    case 'hour':
    case 'minute':
    case 'second': {
      const length = LENGTHS[unit] ?? 1;
      return time - (timeOfDay(time) % length);
    }
  }
}

export const endOfMonth = (time: number): number => {
  const { year, month } = partsOf(time);
  return dayAt(year, month - 1, daysIn(year, month - 1));
};
