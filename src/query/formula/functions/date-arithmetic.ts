import { integer, sql, type Sql } from '../../sql.js';
import { FIRST_DAY, LAST_DAY, onceEach, wallOf as wallSql } from '../../compile/formula/fragments.js';
import { addMonths, DAY, LENGTHS, MONTHS, monthsBetween, SECOND, timeOf, wallOf, type Unit } from '../calendar.js';
import { rounded, toCount, whole, type Decimal } from '../decimal.js';
import { FAILED, takes, type Strict, type Value } from '../function.js';
import { wholeShape } from '../shape.js';
import { asString } from '../text-of.js';
import { ANY_UNIT, DAY_UNIT, unitOf, ZONE, zoneOf } from './zones.js';

/** A number that is whole, and small enough for dates; 10 million is more than any of them takes. */
export const small = (value: Value | undefined): number =>
  Math.max(-1e14, Math.min(1e14, toCount(rounded(value as Decimal, 0, 'down'))));

const timestamp = (date: Sql): Sql => sql`(${date})::timestamp`;

const within = (n: Sql, low: Sql, high: Sql, then: (n: Sql) => Sql): Sql =>
  sql`case when ${n} between ${low} and ${high} then ${then(sql`least(greatest(${n}, ${low}), ${high})`)} end`;

/** Months of a calendar that begins with the year 0. */
const monthsOf = (time: Sql): Sql => sql`(extract(year from ${time}) * 12 + extract(month from ${time}) - 1)`;

/** So many units later, for a `date` or `timestamp`: null where that is outside of the calendar. */
export function later(time: Sql, count: Sql, unit: Unit, isDate: boolean): Sql {
  const months = MONTHS[unit];
  return onceEach([time, sql`trunc(${count})`], ([at = time, n = count]) => {
    if (months !== undefined) {
      const moved = sql`(${n} * ${integer(months)})`;
      const sum = within(moved, sql`(12 - ${monthsOf(at)})`, sql`(119999 - ${monthsOf(at)})`, (k) => sql`${at} + make_interval(months => ${k}::int)`); // prettier-ignore
      return isDate ? sql`(${sum})::date` : sum;
    }
    const seconds = (LENGTHS[unit] ?? DAY) / SECOND;
    if (isDate) {
      const days = integer(seconds / 86_400);
      return within(sql`(${n} * ${days})`, sql`(${FIRST_DAY} - ${at})`, sql`(${LAST_DAY} - ${at})`, (k) => sql`${at} + ${k}::int`); // prettier-ignore
    }
    const [first, end] = [sql`timestamp '0001-01-01'`, sql`timestamp '9999-12-31 23:59:59.999'`];
    const epoch = (of: Sql): Sql => sql`extract(epoch from ${of} - ${at})`;
    return within(sql`(${n} * ${integer(seconds)})`, epoch(first), epoch(end), (k) => sql`${at} + make_interval(secs => ${k}::float8)`); // prettier-ignore
  });
}

export function added(time: number, count: Value | undefined, unit: Unit): number | undefined {
  const n = small(count);
  const months = MONTHS[unit];
  return months === undefined ? time + n * (LENGTHS[unit] ?? DAY) : addMonths(time, n * months);
}

/** Whole units from one to the other, of days or of what walls show. */
function between(from: number, to: number, unit: Unit): number {
  const months = MONTHS[unit];
  const units = months === undefined ? (to - from) / (LENGTHS[unit] ?? DAY) : monthsBetween(from, to) / months;
  return Math.trunc(units) + 0;
}

/** For two timestamps. */
function betweenSql(from: Sql, to: Sql, unit: Unit): Sql {
  const months = MONTHS[unit];
  return onceEach([from, to], ([a = from, b = to]) => {
    if (months === undefined) {
      return sql`trunc(extract(epoch from ${b} - ${a}) / ${integer((LENGTHS[unit] ?? DAY) / SECOND)})`;
    }
    const rest = (of: Sql): Sql => sql`(extract(day from ${of}) * 86400 + extract(epoch from ${of}::time))`;
    const full = sql`(${monthsOf(b)} - ${monthsOf(a)})`;
    return sql`trunc(case when ${b} >= ${a} then ${full} - case when ${rest(b)} < ${rest(a)} then 1 else 0 end
      else ${full} + case when ${rest(a)} < ${rest(b)} then 1 else 0 end end / ${integer(months)})`;
  });
}

/** Whole units from the first to the second, or the other way round. */
export const differences = (swapped: boolean): readonly Strict[] => {
  const order = <T>([a, b]: readonly T[]): readonly [T, T] => (swapped ? [b as T, a as T] : [a as T, b as T]);
  const names = swapped ? (['later', 'earlier'] as const) : (['from', 'to'] as const);
  return [
    {
      params: [takes.date(names[0]), takes.date(names[1]), DAY_UNIT],
      returns: () => wholeShape(4_000_000),
      compute: (args, call) => {
        const [from, to] = order(args);
        return whole(between(timeOf(asString(from)), timeOf(asString(to)), unitOf(call, 2)));
      },
      postgres: (args, call) => {
        const [from, to] = order(args);
        return betweenSql(timestamp(from), timestamp(to), unitOf(call, 2));
      },
      mysql: (args, call) => {
        const length = LENGTHS[unitOf(call, 2)];
        const [from, to] = order(args);
        return length === undefined ? undefined : sql`truncate(datediff(${to}, ${from}) / ${integer(length / DAY)}, 0)`;
      },
    },
    {
      params: [takes.datetime(names[0]), takes.datetime(names[1]), ANY_UNIT, ZONE],
      returns: (args) => ({ ...wholeShape(400_000_000_000), fails: args.length > 3 }),
      compute: (args, call) => {
        const unit = unitOf(call, 2);
        const zone = isClock(unit) ? 'UTC' : zoneOf(call, 3);
        const [from, to] = order(args).map((time) => wallOf(timeOf(asString(time)), zone));
        return from === undefined || to === undefined ? FAILED : whole(between(from, to, unit));
      },
      postgres: (args, call) => {
        const unit = unitOf(call, 2);
        const zone = isClock(unit) ? 'UTC' : zoneOf(call, 3);
        const [from, to] = order(args);
        return betweenSql(wallSql(from, zone), wallSql(to, zone), unit);
      },
    },
  ];
};

export const isClock = (unit: Unit): boolean => unit === 'hour' || unit === 'minute' || unit === 'second';

/** For a date in MySQL: null where that is outside of the calendar. */
export function laterInMysql(day: Sql, count: Sql, unit: Unit): Sql {
  const months = MONTHS[unit];
  const n = sql`truncate(${count}, 0) * ${integer(months ?? (LENGTHS[unit] ?? DAY) / DAY)}`;
  const monthOf = sql`(year(${day}) * 12 + month(${day}) - 1)`;
  const isWithin =
    months === undefined
      ? sql`${n} between datediff('0001-01-01', ${day}) and datediff('9999-12-31', ${day})`
      : sql`${n} + ${monthOf} between 12 and 119999`;
  const moved = sql`date_add(${day}, interval cast(${n} as signed) ${months === undefined ? sql`day` : sql`month`})`;
  return sql`cast(case when ${isWithin} then ${moved} end as date)`;
}

/** The first day of what the date is in, in MySQL. */
export function startInMysql(day: Sql, unit: Unit): Sql {
  switch (unit) {
    case 'year':
      return sql`cast(concat(date_format(${day}, '%Y'), '-01-01') as date)`;
    case 'quarter':
      return sql`cast(concat(date_format(${day}, '%Y-'), lpad(3 * quarter(${day}) - 2, 2, '0'), '-01') as date)`;
    case 'month':
      return sql`cast(date_format(${day}, '%Y-%m-01') as date)`;
    case 'week':
      return sql`date_sub(${day}, interval weekday(${day}) day)`;
    default:
      return day;
  }
}
