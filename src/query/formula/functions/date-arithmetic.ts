import { integer, sql, type Sql } from '../../sql.js';
import { onceEach, wallOf as wallSql } from '../../compile/formula/fragments.js';
import { addMonths, DAY, LENGTHS, MONTHS, monthsBetween, SECOND, timeOf, wallOf, type Unit } from '../calendar.js';
import { rounded, toCount, whole, type Decimal } from '../decimal.js';
import { FAILED, takes, type Strict, type Value } from '../function.js';
import { wholeShape } from '../shape.js';
import { asString } from '../text-of.js';
import { ANY_UNIT, DAY_UNIT, unitOf, ZONE, zoneOf } from './zones.js';

/** A number that is whole, and small enough for dates; 10 million is more than any of them takes. */
export const small = (value: Value | undefined): number =>
  Math.max(-1e14, Math.min(1e14, toCount(rounded(value as Decimal, 0, 'down'))));

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

/** Months of a calendar that begins with the year 0. A double has all of them exactly, and is read faster than a decimal. */
const monthsOf = (time: Sql): Sql => sql`(date_part('year', ${time}) * 12 + date_part('month', ${time}))`;

/** For two dates. */
function daysSql(from: Sql, to: Sql, unit: Unit): Sql {
  const days = (LENGTHS[unit] ?? DAY) / DAY;
  if (MONTHS[unit] !== undefined) return monthsSql(from, to, unit, (day) => sql`date_part('day', ${day})`);
  // Division of whole numbers cuts off.
  return days === 1 ? sql`(${to} - ${from})` : sql`((${to} - ${from}) / ${integer(days)})`;
}

/** For two timestamps. Doubles have milliseconds of all the calendar, and what is divided is never rounded up to a whole. */
function timesSql(from: Sql, to: Sql, unit: Unit): Sql {
  if (MONTHS[unit] !== undefined) return monthsSql(from, to, unit, (time) => sql`(${time} - date_trunc('month', ${time}))`); // prettier-ignore
  return sql`trunc(date_part('epoch', ${to} - ${from}) / ${integer((LENGTHS[unit] ?? DAY) / SECOND)})`;
}

/** A month is whole when its day, and time of day, have come. */
function monthsSql(from: Sql, to: Sql, unit: Unit, within: (time: Sql) => Sql): Sql {
  const months = integer(MONTHS[unit] ?? 1);
  return onceEach([from, to], ([a = from, b = to]) => {
    const full = sql`${monthsOf(b)} - ${monthsOf(a)}`;
    return sql`trunc(case when ${b} >= ${a} then ${full} - case when ${within(b)} < ${within(a)} then 1 else 0 end
      else ${full} + case when ${within(a)} < ${within(b)} then 1 else 0 end end / ${months})`;
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
        return daysSql(from, to, unitOf(call, 2));
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
        return timesSql(isClock(unit) ? from : wallSql(from, zone), isClock(unit) ? to : wallSql(to, zone), unit);
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
