import { sql } from '../sql.js';
import { accepted, refused, type ColumnType, type Operator, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';

const TIME_OPERATORS: readonly Operator[] = [
  'eq', 'neq', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'between', 'nbetween', 'isNull', 'isNotNull',
  'on', 'before', 'after', 'within',
]; // prettier-ignore

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATETIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

const order = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0);

/** A calendar date of the years 0001 to 9999 that exists (no 30 February). */
export function parseDate(input: unknown): Parsed<string> {
  const match = typeof input === 'string' ? DATE.exec(input) : null;
  if (!match) return refused('not_a_date', 'A date such as 2026-12-01 is expected.');
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year < 1 || date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    return refused('no_such_date', 'There is no such day.');
  }
  return accepted(match[0]);
}

/** An RFC 3339 instant with its offset, to the millisecond; canonical form is UTC. Finer fractions are refused rather than rounded. */
export function parseDatetime(input: unknown): Parsed<string> {
  const match = typeof input === 'string' && input.length <= 64 ? DATETIME.exec(input) : null;
  if (!match)
    return refused('not_a_datetime', 'A time such as 2026-12-01T09:00:00.000Z, with its offset, is expected.');
  const [, date = '', hour = '', minute = '', second = '', fraction = '', zone = 'Z'] = match;
  const day = parseDate(date);
  if (!day.ok) return day;
  const offset = /^[+-]/.test(zone) ? [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))] : [0, 0];
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || (offset[0] ?? 0) > 23 || (offset[1] ?? 0) > 59)
    return refused('no_such_time', 'There is no such time of day.');
  if (/[1-9]/.test(fraction.slice(3))) return refused('too_precise', 'Times are kept to the millisecond.');
  const time = new Date(
    `${date}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}${zone.toUpperCase()}`,
  );
  const year = time.getUTCFullYear();
  if (Number.isNaN(time.getTime()) || year < 1 || year > 9999)
    return refused('out_of_range', 'Times go from the year 1 to the year 9999.');
  return accepted(time.toISOString());
}

export const date: ColumnType = {
  name: 'date',
  summary: 'A calendar date, YYYY-MM-DD.',
  operators: TIME_OPERATORS,
  bind: 'date',
  family: 'date',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse: parseDate,
  parseText: parseDate,
  physical: () => sql`date`,
  toJson: (cell) => sql`'"' || ${cell}::text || '"'`,
  toText: (cell) => sql`${cell}::text`,
  dynamicDefault: 'now',
  indexBytes: () => 4,
  compare: order,
  jsonSchema: { type: 'string', format: 'date' },
};

export const datetime: ColumnType = {
  name: 'datetime',
  summary: 'A moment in time, RFC 3339, kept in UTC to the millisecond.',
  operators: TIME_OPERATORS,
  bind: 'timestamptz',
  family: 'datetime',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse: parseDatetime,
  parseText: parseDatetime,
  physical: () => sql`timestamptz`,
  // The pool sets the session's time zone to UTC.
  toJson: (cell) => sql`'"' || to_char(${cell}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'`,
  toText: (cell) => sql`to_char(${cell}, 'YYYY-MM-DD HH24:MI')`,
  dynamicDefault: 'now',
  indexBytes: () => 8,
  compare: order,
  jsonSchema: { type: 'string', format: 'date-time' },
};
