import type { ColumnTypeName } from '../schema.js';
import { accepted, refused, type Parsed } from '../types/column-type.js';

/** A half-open span of time, `from <= t < until`, both RFC 3339 UTC; without `until` it lasts to the end of the year 9999. */
export interface TimeSpan {
  readonly from: string;
  readonly until?: string;
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

/** The UTC day of `YYYY-MM-DD`. */
export function spanOfDay(date: string): TimeSpan {
  const from = new Date(`${date}T00:00:00.000Z`);
  const until = shift(from, 1, 'day');
  return { from: from.toISOString(), ...(until.getUTCFullYear() > 9999 ? {} : { until: until.toISOString() }) };
}

/**
 * Reads `{"$now":true}`, `{"$today":true,"offset":-7,"unit":"day"}` and their text forms `@now`, `@today-7d`.
 * @returns undefined when the input is not a relative value, so that it is read as an ordinary one
 */
export function relativeValue(input: unknown, type: ColumnTypeName, now: Date): Parsed | undefined {
  if (type !== 'date' && type !== 'datetime') return undefined;
  const relative = typeof input === 'string' ? fromText(input) : fromObject(input);
  if (relative === undefined || 'ok' in relative) return relative;
  const base = relative.anchor === 'now' ? now : startOfDay(now);
  const at = shift(base, relative.offset, relative.unit);
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9999)
    return refused('out_of_range', 'The moment lies outside the years 1 to 9999.');
  return accepted(type === 'date' ? at.toISOString().slice(0, 10) : at.toISOString());
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
export function parseRange(input: unknown, now: Date): Parsed<TimeSpan> {
  const bad = refused(
    'invalid_range',
    'within takes {"last":7,"unit":"day"}, {"next":2,"unit":"week"} or {"period":"thisMonth"}.',
  );
  if (typeof input === 'string') return period(input, now) ?? bad;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return bad;
  const { last, next, unit, period: name, ...rest } = input as Record<string, unknown>;
  if (Object.keys(rest).length > 0) return bad;
  if (typeof name === 'string' && last === undefined && next === undefined && unit === undefined)
    return period(name, now) ?? bad;
  const amount = last ?? next;
  if (name !== undefined || (last === undefined) === (next === undefined) || !isUnit(unit)) return bad;
  if (typeof amount !== 'number' || !Number.isInteger(amount) || amount < 1 || amount > MAX_OFFSET) return bad;
  const other = shift(now, last === undefined ? amount : -amount, unit);
  if (Number.isNaN(other.getTime()) || other.getUTCFullYear() < 1 || other.getUTCFullYear() > 9999) return bad;
  const [from, until] = last === undefined ? [now, other] : [other, now];
  return accepted({ from: from.toISOString(), until: until.toISOString() });
}

function period(name: string, now: Date): Parsed<TimeSpan> | undefined {
  const today = startOfDay(now);
  const dayOffset = DAYS.get(name);
  if (dayOffset !== undefined) return accepted(spanOfDay(shift(today, dayOffset, 'day').toISOString().slice(0, 10)));
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
  return accepted({ from: from.toISOString(), until: shift(from, length, unit).toISOString() });
}
