import { must } from '../../../common/index.js';
import { cut, FIRST_DAY, intWithin, LAST_DAY, once, onceEach } from '../../compile/formula/fragments.js';
import { integer, literal, sql, type Sql } from '../../sql.js';
import { DAY, dayText, instantText, LENGTHS, MONTHS, SECOND, timeOf, type Unit } from '../calendar.js';
import { decimalOf, toCount } from '../decimal.js';
import { constantOf, type Expression } from '../expression.js';

/*
 * DATEADD in PostgreSQL: null where the result is outside of the calendar, which is known before anything is added. Most counts are written
 * out, and then it is known from when on, or until when, before there are rows.
 */

/** Months up to the end of the calendar, counted from the year 0, and its days. */
const ALL_MONTHS = 120_000;
const ALL_DAYS = 3_652_059;
const [FIRST, LAST] = [timeOf('0001-01-01T00:00:00.000Z'), timeOf('9999-12-31T23:59:59.999Z')];

/** A count that is written out, cut to a whole number; undefined where it is computed. NaN stands for one that is too large for anything. */
function writtenOut(part: Expression | undefined): number | undefined {
  const constant = constantOf(part);
  if (constant === undefined || constant === null) return undefined;
  const decimal = decimalOf(String(constant));
  const count = decimal === undefined ? NaN : toCount(decimal);
  return Math.abs(count) <= LAST - FIRST ? count : NaN;
}

const nothing = (type: Sql): Sql => sql`null::${type}`;
/** A day, or the first of its month, as text; months count from the year 0. */
const firstOf = (months: number): Sql =>
  literal(`${String(Math.floor(months / 12)).padStart(4, '0')}-${String((months % 12) + 1).padStart(2, '0')}-01`);
const day = (time: number): Sql => literal(must(dayText(time), 'a day of the calendar'));

/** `at` where it is not past the end of the calendar when something is added, or before its beginning when that is taken away. */
const where = (isWithin: Sql, then: Sql): Sql => sql`case when ${isWithin} then ${then} end`;

/** Months later: of `date` or `timestamp`, which `type` names. */
function monthsLater(at: Sql, count: number, type: Sql): Sql {
  if (Number.isNaN(count) || Math.abs(count) >= ALL_MONTHS - 12) return nothing(type);
  const bound = count >= 0 ? sql`< ${type} ${before(ALL_MONTHS - count)}` : sql`>= ${type} ${firstOf(12 - count)}`;
  return once(at, (time) => where(sql`${time} ${bound}`, sql`(${time} + interval ${literal(`${count} months`)})::${type}`)); // prettier-ignore
}

/** The first of the month as the end of what is before it. */
const before = (months: number): Sql => (months >= ALL_MONTHS ? literal('10000-01-01') : firstOf(months));

const monthsOf = (time: Sql): Sql => sql`(date_part('year', ${time}) * 12 + date_part('month', ${time}) - 1)::int`;

function computedMonthsLater(at: Sql, n: Sql, months: number, type: Sql): Sql {
  const count = intWithin(n, -ALL_MONTHS, ALL_MONTHS);
  return onceEach([at, sql`${count} * ${integer(months)}`], ([time = at, k = count]) =>
    where(sql`${k} + ${monthsOf(time)} between 12 and 119999`, sql`(${time} + make_interval(months => ${k}))::${type}`),
  );
}

/** So many units later, for a `date`. */
export function dayLater(at: Sql, n: Sql, part: Expression | undefined, unit: Unit): Sql {
  const count = writtenOut(part);
  const months = MONTHS[unit];
  if (months !== undefined) {
    return count === undefined
      ? computedMonthsLater(at, cut(n, part?.shape), months, sql`date`)
      : monthsLater(at, count * months, sql`date`);
  }
  const length = (LENGTHS[unit] ?? DAY) / DAY;
  if (count === undefined) {
    const days = sql`(${intWithin(cut(n, part?.shape), -ALL_DAYS, ALL_DAYS)} * ${integer(length)})`;
    return onceEach([at, days], ([time = at, k = days]) =>
      where(sql`${k} between ${FIRST_DAY} - ${time} and ${LAST_DAY} - ${time}`, sql`${time} + ${k}`),
    );
  }
  const added = count * length;
  if (Number.isNaN(added) || Math.abs(added) >= ALL_DAYS) return nothing(sql`date`);
  const bound = added >= 0 ? sql`<= date ${day(LAST - added * DAY)}` : sql`>= date ${day(FIRST - added * DAY)}`;
  return once(at, (time) => where(sql`${time} ${bound}`, sql`${time} + ${integer(added)}`));
}

/** With the offset, which a `timestamp` does not look at. */
const moment = (time: number): Sql => literal(must(instantText(time), 'a moment of the calendar').replace('Z', '+00'));

function lengthLater(at: Sql, length: number, type: Sql): Sql {
  if (Number.isNaN(length) || Math.abs(length) > LAST - FIRST) return nothing(type);
  const bound = length >= 0 ? sql`<= ${type} ${moment(LAST - length)}` : sql`>= ${type} ${moment(FIRST - length)}`;
  return once(at, (time) => where(sql`${time} ${bound}`, sql`${time} + interval ${literal(`${length / SECOND} seconds`)}`)); // prettier-ignore
}

/** So many months, days or weeks later, for what a wall shows: a `timestamp`. */
export function wallLater(at: Sql, n: Sql, part: Expression | undefined, unit: Unit): Sql {
  const count = writtenOut(part);
  const months = MONTHS[unit];
  if (months !== undefined) {
    return count === undefined
      ? computedMonthsLater(at, cut(n, part?.shape), months, sql`timestamp`)
      : monthsLater(at, count * months, sql`timestamp`);
  }
  const length = LENGTHS[unit] ?? DAY;
  if (count !== undefined) return lengthLater(at, count * length, sql`timestamp`);
  const days = sql`(${intWithin(cut(n, part?.shape), -ALL_DAYS, ALL_DAYS)} * ${integer(length / DAY)})`;
  return onceEach([at, days], ([time = at, k = days]) => {
    const isWithin = sql`${k} between ${FIRST_DAY} - (${time})::date and ${LAST_DAY} - (${time})::date`;
    return where(isWithin, sql`${time} + make_interval(days => ${k})`);
  });
}

/** So many hours, minutes or seconds later, for a `timestamptz`: they are as long in every zone. */
export function momentLater(at: Sql, n: Sql, part: Expression | undefined, unit: Unit): Sql {
  const count = writtenOut(part);
  const length = LENGTHS[unit] ?? SECOND;
  if (count !== undefined) return lengthLater(at, count * length, sql`timestamptz`);
  const most = integer(Math.ceil((LAST - FIRST) / length));
  const seconds = once(
    cut(n, part?.shape),
    (x) => sql`((case when ${x} between -${most} and ${most} then ${x} end)::float8 * ${integer(length / SECOND)})`,
  );
  const epoch = (time: number, from: Sql): Sql => sql`date_part('epoch', timestamptz ${moment(time)} - ${from})`; // prettier-ignore
  return onceEach([at, seconds], ([time = at, k = seconds]) =>
    where(sql`${k} between ${epoch(FIRST, time)} and ${epoch(LAST, time)}`, sql`${time} + make_interval(secs => ${k})`),
  );
}
