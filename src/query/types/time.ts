import { literal, sql, type Sql } from '../sql.js';
import { accepted, refused, type ColumnType, type Operator, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';

const TIME_OPERATORS: readonly Operator[] = [
  'eq', 'neq', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'between', 'nbetween', 'isNull', 'isNotNull',
  'on', 'before', 'after', 'within',
]; // prettier-ignore

const DATETIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

const order = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0);

/** A calendar date of the years 0001 to 9999 that exists (no 30 February). */
export function parseDate(input: unknown): Parsed<string> {
  if (typeof input !== 'string' || input.length !== 10 || !isLikeDay(input))
    return refused('not_a_date', 'A date such as 2026-12-01 is expected.');
  return isDay(input) ? accepted(input) : refused('no_such_date', 'There is no such day.');
}

/*
 * Bulk calls and imports have thousands of times in them, so these look at single characters: a regular expression with its groups, and a Date that is
 * written back, cost five times as much.
 */

/** The number that these digits are; not a number where one of them is none. */
function digits(text: string, from: number, to: number): number {
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return NaN;
    n = n * 10 + digit;
  }
  return n;
}

/** Whether a text begins like `2026-12-01`. */
const isLikeDay = (text: string): boolean =>
  text[4] === '-' && text[7] === '-' && digits(text, 0, 4) + digits(text, 5, 7) + digits(text, 8, 10) >= 0;

/** Whether there is the day that a text which {@link isLikeDay} begins with. */
function isDay(text: string): boolean {
  const [year, day] = [digits(text, 0, 4), digits(text, 8, 10)];
  return year >= 1 && day >= 1 && day <= daysIn(year, digits(text, 5, 7));
}

/** None in a month that there is not. */
function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  if (month < 1 || month > 12) return 0;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** An RFC 3339 instant with its offset, to the millisecond; canonical form is UTC. Finer fractions are refused rather than rounded. */
export function parseDatetime(input: unknown): Parsed<string> {
  if (isCanonicalInstant(input)) return accepted(input);
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

/** `2026-12-01T09:00:00.000Z`, which is what programs mostly send: it needs no taking apart. */
function isCanonicalInstant(input: unknown): input is string {
  return (
    typeof input === 'string' &&
    input.length === 24 &&
    input[10] === 'T' && input[13] === ':' && input[16] === ':' && input[19] === '.' && input[23] === 'Z' &&
    digits(input, 11, 13) < 24 && digits(input, 14, 16) < 60 && digits(input, 17, 19) < 60 && digits(input, 20, 23) >= 0 &&
    isLikeDay(input) && isDay(input)
  ); // prettier-ignore
}

/** The same in PostgreSQL, a little wider: spaces around are let be. */
const DAY = '(\\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';
const TIME = 'T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?(Z|[+-](0\\d|1[0-5]):[0-5]\\d)';
const matches = (text: Sql, pattern: string): Sql => sql`${text} ~ ${literal(pattern)}`;

/** A day that exists: the pattern lets 30 February through, the length of the month does not. */
function dayFrom(text: Sql): Sql {
  const month = sql`make_date(substr(${text}, 1, 4)::int, substr(${text}, 6, 2)::int, 1)`;
  return sql`case when substr(${text}, 1, 4) <> '0000'
    and substr(${text}, 9, 2)::int <= extract(day from ${month} + interval '1 month' - interval '1 day') then ${month} + (substr(${text}, 9, 2)::int - 1) end`;
}

function instantFrom(text: Sql): Sql {
  const at = sql`${text}::timestamptz`;
  return sql`case when ${dayFrom(text)} is not null and ${at} >= '0001-01-01T00:00:00Z'::timestamptz and ${at} < '10000-01-01T00:00:00Z'::timestamptz then ${at} end`;
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
  wire: 'date',
  toJson: (cell) => sql`'"' || ${cell}::text || '"'`,
  said: (value) => `"${String(value)}"`,
  toText: (cell) => sql`${cell}::text`,
  fromText: (text) => sql`case when ${matches(sql`trim(${text})`, `^${DAY}$`)} then ${dayFrom(sql`trim(${text})`)} end`,
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
  wire: 'instant',
  // The pool sets the session's time zone to UTC.
  toJson: (cell) => sql`'"' || to_char(${cell}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'`,
  said: (value) => `"${String(value)}"`,
  toText: (cell) => sql`to_char(${cell}, 'YYYY-MM-DD HH24:MI')`,
  // Days become their first moment.
  fromText: (text) =>
    sql`case when ${matches(sql`trim(${text})`, `^${DAY}${TIME}$`)} then ${instantFrom(sql`trim(${text})`)}
    when ${matches(sql`trim(${text})`, `^${DAY}$`)} then ${dayFrom(sql`trim(${text})`)}::timestamp at time zone 'UTC' end`,
  dynamicDefault: 'now',
  indexBytes: () => 8,
  compare: order,
  jsonSchema: { type: 'string', format: 'date-time' },
};
