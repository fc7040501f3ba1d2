import type { ColumnTypeName } from '../schema.js';
import { accepted, refused, type Parsed } from '../types/column-type.js';
import { instantOf, localDate, wallTime } from '../zoned-time.js';

/** When something is asked, and in which time zone (IANA) its days are meant. */
export interface Clock {
  readonly now: Date;
  readonly zone: string;
}

/** A moment as columns of dates and of datetimes are compared with it: the day in the time zone, and RFC 3339 UTC. */
export interface Moment {
  readonly date: string;
  readonly at: string;
}

/** A half-open span of time, `from <= t < until`; without `until` it lasts to the end of the year 9999. */
export interface TimeSpan {
  readonly from: Moment;
  readonly until?: Moment;
}

const UNITS = ['day', 'week', 'month', 'year', 'hour', 'minute'] as const;
type Unit = (typeof UNITS)[number];
const isUnit = (unit: unknown): unit is Unit => UNITS.includes(unit as Unit);
const SHORT_UNITS: Readonly<Record<string, Unit>> = {
  d: 'day',
  w: 'week',
  m: 'month',
  y: 'year',
  h: 'hour',
  min: 'minute',
};
const MAX_OFFSET = 100_000;
const DAY = 86_400_000;

/** Moves a moment by calendar units; a month that is too short ends at its last day. */
function shift(at: Date, amount: number, unit: Unit): Date {
  const ms = { minute: 60_000, hour: 3_600_000, day: DAY, week: 7 * DAY } as const;
  if (unit !== 'month' && unit !== 'year') return new Date(at.getTime() + amount * ms[unit]);
  const moved = new Date(at);
  moved.setUTCDate(1);
  moved.setUTCMonth(moved.getUTCMonth() + amount * (unit === 'year' ? 12 : 1));
  const lastDay = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(at.getUTCDate(), lastDay));
  return moved;
}

const startOfDay = (at: Date): Date => new Date(Math.floor(at.getTime() / DAY) * DAY);

const isInCalendar = (at: Date): boolean =>
  !Number.isNaN(at.getTime()) && at.getUTCFullYear() >= 1 && at.getUTCFullYear() <= 9999;

/** The moment of a wall time. */
const momentOfWall = (wall: Date, zone: string): Moment | undefined =>
  isInCalendar(wall) ? momentOf(wall.toISOString().slice(0, 10), instantOf(wall, zone)) : undefined;

const momentOfInstant = (at: Date, zone: string): Moment | undefined =>
  isInCalendar(at) ? momentOf(localDate(at, zone), at) : undefined;

/** East of Greenwich the first day begins before the calendar of UTC does, west of it the last one ends behind: no datetime lies there. */
function momentOf(date: string, at: Date): Moment | undefined {
  if (at.getUTCFullYear() > 9999) return undefined;
  return { date, at: at.getUTCFullYear() < 1 ? '0001-01-01T00:00:00.000Z' : at.toISOString() };
}

/** Moves by the calendar of the zone, or by the time that passes; `wall` is where calendar and clock stand at `instant`. */
function moved({ wall, instant }: Standing, amount: number, unit: Unit, zone: string): Moment | undefined {
  if (amount === 0) return momentOf(wall.toISOString().slice(0, 10), instant);
  return unit === 'hour' || unit === 'minute'
    ? momentOfInstant(shift(instant, amount, unit), zone)
    : momentOfWall(shift(wall, amount, unit), zone);
}

interface Standing {
  readonly wall: Date;
  readonly instant: Date;
}

function standing(anchor: 'now' | 'today', { now, zone }: Clock): Standing {
  const wall = wallTime(now, zone);
  if (anchor === 'now') return { wall, instant: now };
  const midnight = startOfDay(wall);
  return { wall: midnight, instant: instantOf(midnight, zone) };
}

/** The day of `YYYY-MM-DD`. */
export const spanOfDay = (date: string, zone: string): TimeSpan => {
  const from = new Date(`${date}T00:00:00.000Z`);
  return span(from, shift(from, 1, 'day'), zone);
};

/** From one wall time to another; the first one is within the calendar. */
function span(from: Date, until: Date, zone: string): TimeSpan {
  const [start, end] = [momentOfWall(from, zone), momentOfWall(until, zone)];
  const first = { date: from.toISOString().slice(0, 10), at: from.toISOString() };
  return { from: start ?? first, ...(end ? { until: end } : {}) };
}

/**
 * Reads `{"$now":true}`, `{"$today":true,"offset":-7,"unit":"day"}` and their text forms `@now`, `@today-7d`.
 * @returns undefined when the input is not a relative value, so that it is read as an ordinary one
 */
export function relativeValue(input: unknown, type: ColumnTypeName, clock: Clock): Parsed | undefined {
  if (type !== 'date' && type !== 'datetime') return undefined;
  const relative = typeof input === 'string' ? fromText(input) : fromObject(input);
  if (relative === undefined || 'ok' in relative) return relative;
  const moment = moved(standing(relative.anchor, clock), relative.offset, relative.unit, clock.zone);
  if (!moment) return refused('out_of_range', 'The moment lies outside the years 1 to 9999.');
  return accepted(type === 'date' ? moment.date : moment.at);
}

interface Relative {
  readonly anchor: 'now' | 'today';
  readonly offset: number;
  readonly unit: Unit;
}

function fromText(input: string): Relative | Parsed<never> | undefined {
  if (!input.startsWith('@')) return undefined;
  const match = /^@(now|today)(?:([+-]\d{1,6})(min|[dwmyh]))?$/.exec(input);
  if (!match)
    return refused(
      'invalid_relative_time',
      'A relative time is @now or @today, with an offset such as -7d, +1m, -2y, +3h.',
    );
  return {
    anchor: match[1] === 'now' ? 'now' : 'today',
    offset: Number(match[2] ?? 0),
    unit: SHORT_UNITS[match[3] ?? 'd'] ?? 'day',
  };
}

function fromObject(input: unknown): Relative | Parsed<never> | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const { $now, $today, offset = 0, unit = 'day', ...rest } = input as Record<string, unknown>;
  const anchored = ($now === true) !== ($today === true);
  if (
    !anchored ||
    Object.keys(rest).length > 0 ||
    typeof offset !== 'number' ||
    !Number.isInteger(offset) ||
    Math.abs(offset) > MAX_OFFSET ||
    !isUnit(unit)
  ) {
    return refused(
      'invalid_relative_time',
      `A relative time is {"$now":true} or {"$today":true}, with whole "offset" and "unit" (${UNITS.join(', ')}).`,
    );
  }
  return { anchor: $now === true ? 'now' : 'today', offset, unit };
}

// A map and not an object, on which "constructor" would be a day too.
const DAYS: ReadonlyMap<string, number> = new Map([
  ['yesterday', -1],
  ['today', 0],
  ['tomorrow', 1],
]);
const PERIOD = /^(last|this|next)(Week|Month|Quarter|Year)$/;

/** Reads the operand of `within`: `{"last|next":7,"unit":"day"}` or `{"period":"thisMonth"}`, in text the period's name. Weeks begin on Monday. */
export function parseRange(input: unknown, clock: Clock): Parsed<TimeSpan> {
  const bad = refused(
    'invalid_range',
    'within takes {"last":7,"unit":"day"}, {"next":2,"unit":"week"} or {"period":"thisMonth"}.',
  );
  if (typeof input === 'string') return period(input, clock) ?? bad;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return bad;
  const { last, next, unit, period: name, ...rest } = input as Record<string, unknown>;
  if (Object.keys(rest).length > 0) return bad;
  if (typeof name === 'string' && last === undefined && next === undefined && unit === undefined)
    return period(name, clock) ?? bad;
  const amount = last ?? next;
  if (name !== undefined || (last === undefined) === (next === undefined) || !isUnit(unit)) return bad;
  if (typeof amount !== 'number' || !Number.isInteger(amount) || amount < 1 || amount > MAX_OFFSET) return bad;
  const at = standing('now', clock);
  const now = moved(at, 0, 'day', clock.zone);
  const other = moved(at, last === undefined ? amount : -amount, unit, clock.zone);
  if (!now || !other) return bad;
  return accepted(last === undefined ? { from: now, until: other } : { from: other, until: now });
}

function period(name: string, { now, zone }: Clock): Parsed<TimeSpan> | undefined {
  const today = startOfDay(wallTime(now, zone));
  const dayOffset = DAYS.get(name);
  if (dayOffset !== undefined)
    return accepted(spanOfDay(shift(today, dayOffset, 'day').toISOString().slice(0, 10), zone));
  const match = PERIOD.exec(name);
  if (!match) return undefined;
  const step = { last: -1, this: 0, next: 1 }[match[1] as 'last' | 'this' | 'next'];
  const [year, month] = [today.getUTCFullYear(), today.getUTCMonth()];
  const [start, length, unit] = ((): [Date, number, Unit] => {
    switch (match[2]) {
      case 'Week':
        return [shift(today, -((today.getUTCDay() + 6) % 7), 'day'), 1, 'week'];
      case 'Month':
        return [new Date(Date.UTC(year, month, 1)), 1, 'month'];
      case 'Quarter':
        return [new Date(Date.UTC(year, month - (month % 3), 1)), 3, 'month'];
      default:
        return [new Date(Date.UTC(year, 0, 1)), 1, 'year'];
    }
  })();
  const from = shift(start, step * length, unit);
  return accepted(span(from, shift(from, length, unit), zone));
}
