import { cut, instantAt as instantSql, intWithin, onceEach } from '../../compile/formula/fragments.js';
import { integer, sql, type Sql } from '../../sql.js';
import { dayOf, HOUR, instantAt, instantText, MINUTE, SECOND } from '../calendar.js';
import { constantOf, type CallPart } from '../expression.js';
import { FAILED, takes, type Outcome, type Strict, type Value } from '../function.js';
import { DATETIME, type Shape } from '../shape.js';
import { small } from './date-arithmetic.js';
import { ZONE, zoneOf } from './zones.js';

/* Days and moments made of numbers. */

const none = sql`null`;
export const failing = (shape: Shape): Shape => ({ ...shape, fails: true });

/** A moment as the text it is, or an error outside of the calendar. */
export const instant = (time: number | undefined): Outcome =>
  (time === undefined ? undefined : instantText(time)) ?? FAILED;
/** When the wall of the zone at this place among the arguments shows it. */
export const zoned = (wall: number | undefined, call: CallPart, index: number): Outcome =>
  wall === undefined ? FAILED : instant(instantAt(wall, zoneOf(call, index)));

/** The day of three numbers, null where there is no such day. */
export const daySql = (numbers: readonly Sql[], { args }: CallPart): Sql => {
  const [y = none, m = none, d = none] = numbers.map((n, i) => cut(n, args[i]?.shape));
  const written = Number(constantOf(args[2]) ?? NaN);
  if (Number.isInteger(written) && written >= 1 && written <= 28)
    return sql`make_date(${intWithin(y, 1, 9999)}, ${intWithin(m, 1, 12)}, ${integer(written)})`;
  return onceEach(
    [intWithin(y, 1, 9999), intWithin(m, 1, 12), intWithin(d, 1, 31)],
    ([year = y, month = m, day = d]) => {
      const first = sql`make_date(${year}, ${month}, 1)`;
      // All months have 28 days.
      return sql`case when ${day} <= 28 or ${day} <= extract(day from ${first} + interval '1 month' - interval '1 day') then ${first} + ${day} - 1 end`;
    },
  );
};

/** The time of day, as much of it as is said; null where there is no such time. */
const clockSql = (parts: readonly Sql[], shapes: readonly (Shape | undefined)[]): Sql =>
  onceEach(parts.map((n, i) => cut(n, shapes[i])), ([h = none, m = sql`0`, s = sql`0`]) =>
    sql`case when ${h} between 0 and 23 and ${m} between 0 and 59 and ${s} between 0 and 59
      then make_interval(secs => (${h} * 3600 + ${m} * 60 + ${s})::float8) end`); // prettier-ignore

function clockOf(parts: readonly Value[]): number | undefined {
  const [h = 0, m = 0, s = 0] = parts.map(small);
  const isTime = h >= 0 && h < 24 && m >= 0 && m < 60 && s >= 0 && s < 60;
  return isTime ? h * HOUR + m * MINUTE + s * SECOND : undefined;
}

/** A moment from six numbers or fewer, and where the wall is that shows it. */
export const moment = (clock: number): Strict => {
  const names = ['hour', 'minute', 'second'].slice(0, clock);
  return {
    params: [takes.number('year'), takes.number('month'), takes.number('day'), ...names.map((name) => takes.number(name)), ZONE], // prettier-ignore
    returns: () => failing(DATETIME),
    compute: (args, call) => {
      const [y = 0, m = 0, d = 0] = args.slice(0, 3).map(small);
      const [date, time] = [dayOf(y, m, d), clockOf(args.slice(3, 3 + clock))];
      return date === undefined || time === undefined ? FAILED : zoned(date + time, call, 3 + clock);
    },
    whole: true,
    postgres: (args, call) => {
      const shapes = call.args.slice(3).map(({ shape }) => shape);
      const time = clock === 0 ? sql`interval '0'` : clockSql(args.slice(3, 3 + clock), shapes);
      return instantSql(sql`(${daySql(args, call)} + ${time})`, zoneOf(call, 3 + clock));
    },
  };
};
