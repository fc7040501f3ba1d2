import { asString } from '../text-of.js';
import { clock, literal, sql, type Sql } from '../../sql.js';
import { instantAt as instantSql, once, wallOf as wallSql } from '../../compile/formula/fragments.js'; // prettier-ignore
import { columnType } from '../../types/index.js';
import { parseDate, parseDatetime } from '../../types/time.js';
import { dayOf, dayText, endOfMonth, HOUR, MINUTE, partsOf, SECOND, startOf, timeOf, timeOfDay, wallOf, weekdayOf, weekOf } from '../calendar.js'; // prettier-ignore
import { whole } from '../decimal.js';
import { FAILED, takes, type FormulaFunction, type Outcome, type Strict, type Value } from '../function.js';
import { DATE, DATETIME, wholeShape, type Shape } from '../shape.js';
import { added, differences, isClock, laterInMysql, small, startInMysql } from './date-arithmetic.js';
import { dayLater, momentLater, wallLater } from './date-later.js';
import { daySql, failing, instant, moment, zoned } from './date-made.js';
import { ANY_UNIT, DAY_UNIT, unitOf, ZONE, zoneOf } from './zones.js';

const row = (name: string, summary: string, examples: FormulaFunction['examples'], ...overloads: Strict[]): FormulaFunction => ({ name, category: 'date', summary, examples, overloads }); // prettier-ignore
const none = sql`null`;
/** A day or instant as the text it is, or an error outside of the calendar. */
const day = (time: number | undefined): Outcome => (time === undefined ? undefined : dayText(time)) ?? FAILED;
const timestamp = (date: Sql): Sql => sql`(${date})::timestamp`;
/** A number that is read from a day, or from what the wall of a zone shows. */
function part(
  most: number,
  compute: (time: number) => number,
  postgres: (time: Sql) => Sql,
  mysql?: (time: Sql) => Sql,
  mongo?: string,
): readonly Strict[] {
  const returns = (fails: boolean): Shape => ({ ...wholeShape(most), fails });
  return [
    {
      params: [takes.date('date')],
      returns: () => returns(false),
      compute: ([a]) => whole(compute(timeOf(asString(a)))),
      postgres: ([a = none]) => postgres(a),
      ...(mysql ? { mysql: ([a = none]) => mysql(a) } : {}),
    },
    ...clockPart(most, compute, postgres, mysql, mongo),
  ];
}

const clockPart = (
  most: number,
  compute: (time: number) => number,
  postgres: (time: Sql) => Sql,
  mysql?: (time: Sql) => Sql,
  mongo?: string,
): readonly Strict[] => [
  {
    params: [takes.datetime('time'), ZONE],
    returns: (args) => ({ ...wholeShape(most), fails: args.length > 1 }),
    compute: ([a], call) => {
      const wall = wallOf(timeOf(asString(a)), zoneOf(call, 1));
      return wall === undefined ? FAILED : whole(compute(wall));
    },
    postgres: ([a = none], call) => postgres(wallSql(a, zoneOf(call, 1))),
    ...(mysql ? { mysql: ([a = none], call) => (zoneOf(call, 1) === 'UTC' ? mysql(a) : undefined) } : {}),
    ...(mongo !== undefined
      ? { mongo: ([a], call) => (zoneOf(call, 1) === 'UTC' ? { [mongo]: { date: a } } : undefined) }
      : {}),
  },
];

const field =
  (name: Sql) =>
  (time: Sql): Sql =>
    sql`extract(${name} from ${time})`;

const INSTANT = columnType('datetime');
const JUST_DAY = columnType('date');
const unblanked = (text: Value | undefined): string => asString(text).replace(/^ +| +$/g, '');

export const DATES: readonly FormulaFunction[] = [
  row('TODAY', 'The day it is, in UTC or in a time zone.', [], {
    params: [ZONE],
    volatile: true,
    returns: () => DATE,
    compute: (_, call, { now }) => day(wallOf(now.getTime(), zoneOf(call, 0))),
    postgres: (_, call) => sql`(${clock} at time zone ${literal(zoneOf(call, 0))})::date`,
    mysql: (_, call) => (zoneOf(call, 0) === 'UTC' ? sql`date(${clock})` : undefined),
  }),
  row('NOW', 'The moment it is, to the millisecond.', [], {
    params: [],
    volatile: true,
    returns: () => DATETIME,
    compute: (_, _call, { now }) => instant(now.getTime()),
    postgres: () => sql`date_trunc('milliseconds', ${clock})`,
    mysql: () => clock,
  }),
  row('DATE', 'A day from year, month and day, or the day of a moment. A day that there is not is an error.', [['DATE(2026, 12, 1)', '2026-12-01'], ['DATE(2026, 2, 30)', null]],
    {
      params: [takes.number('year'), takes.number('month'), takes.number('day')],
      returns: () => failing(DATE),
      compute: (args) => {
        const [y = 0, m = 0, d = 0] = args.map(small);
        return day(dayOf(y, m, d));
      },
      whole: true,
      postgres: daySql,
    },
    {
      params: [takes.datetime('time'), ZONE],
      returns: (args) => ({ ...DATE, fails: args.length > 1 }),
      compute: ([a], call) => day(wallOf(timeOf(asString(a)), zoneOf(call, 1))),
      postgres: ([a = none], call) => sql`(${wallSql(a, zoneOf(call, 1))})::date`,
      mysql: ([a = none], call) => (zoneOf(call, 1) === 'UTC' ? sql`date(${a})` : undefined),
    }), // prettier-ignore
  row('DATETIME', 'A moment from year, month, day, hour, minute and second on a wall in UTC or in a time zone, or the beginning of a day there.', [['DATETIME(2026, 12, 1, 9, 30, "Europe/Berlin")', '2026-12-01T08:30:00.000Z'], ['DATETIME({due})', '2026-12-01T00:00:00.000Z']],
    ...[0, 1, 2, 3].map(moment),
    {
      params: [takes.date('date'), ZONE],
      returns: (args) => ({ ...DATETIME, fails: args.length > 1 }),
      compute: ([a], call) => zoned(timeOf(asString(a)), call, 1),
      postgres: ([a = none], call) => instantSql(timestamp(a), zoneOf(call, 1)),
    }), // prettier-ignore
  row(
    'YEAR',
    'The year.',
    [['YEAR({due})', 2026]],
    ...part(
      9999,
      (t) => partsOf(t).year,
      field(sql`year`),
      (t) => sql`year(${t})`,
      '$year',
    ),
  ),
  row('QUARTER', 'The quarter, from 1 to 4.', [['QUARTER({due})', 4]], ...part(4, (t) => Math.ceil(partsOf(t).month / 3), field(sql`quarter`), (t) => sql`quarter(${t})`)), // prettier-ignore
  row('MONTH', 'The month, from 1 to 12.', [['MONTH({due})', 12]], ...part(12, (t) => partsOf(t).month, field(sql`month`), (t) => sql`month(${t})`, '$month')), // prettier-ignore
  row(
    'WEEKNUM',
    'The number of the week by ISO 8601.',
    [['WEEKNUM(DATE(2027, 1, 1))', 53]],
    ...part(53, weekOf, field(sql`week`), (t) => sql`week(${t}, 3)`),
  ),
  row('DAY', 'The day of the month.', [['DAY({due})', 1]], ...part(31, (t) => partsOf(t).day, field(sql`day`), (t) => sql`day(${t})`, '$dayOfMonth')), // prettier-ignore
  row('WEEKDAY', 'The day of the week: 1 is Monday, 7 is Sunday.', [['WEEKDAY({due})', 2]], ...part(7, weekdayOf, field(sql`isodow`), (t) => sql`(weekday(${t}) + 1)`)), // prettier-ignore
  row('HOUR', 'The hour, from 0 to 23.', [['HOUR({seen}, "America/New_York")', 10]], ...clockPart(23, (t) => Math.floor(timeOfDay(t) / HOUR), field(sql`hour`), (t) => sql`hour(${t})`, '$hour')), // prettier-ignore
  row('MINUTE', 'The minute.', [['MINUTE({seen})', 4]], ...clockPart(59, (t) => Math.floor((timeOfDay(t) % HOUR) / MINUTE), field(sql`minute`), (t) => sql`minute(${t})`, '$minute')), // prettier-ignore
  row('SECOND', 'The second, without what is behind the point.', [['SECOND({seen})', 5]], ...clockPart(59, (t) => Math.floor((timeOfDay(t) % MINUTE) / SECOND), (t) => sql`trunc(extract(second from ${t}))`, (t) => sql`second(${t})`, '$second')), // prettier-ignore
  row('DATEADD', 'So many units later. Of months that are too short it is the last day.', [['DATEADD(DATE(2026, 1, 31), 1, "month")', '2026-02-28'], ['DATEADD({seen}, -90, "minutes")', '2026-11-22T13:34:05.678Z']],
    {
      params: [takes.date('date'), takes.number('count'), DAY_UNIT],
      returns: () => failing(DATE),
      compute: ([a, n], call) => day(added(timeOf(asString(a)), n, unitOf(call, 2))),
      whole: true,
      postgres: ([a = none, n = none], call) => dayLater(a, n, call.args[1], unitOf(call, 2)),
      mysql: ([a = none, n = none], call) => laterInMysql(a, n, unitOf(call, 2)),
    },
    {
      params: [takes.datetime('time'), takes.number('count'), ANY_UNIT, ZONE],
      returns: () => failing(DATETIME),
      compute: ([a, n], call) => {
        const unit = unitOf(call, 2);
        const time = timeOf(asString(a));
        if (isClock(unit)) return instant(added(time, n, unit));
        const wall = wallOf(time, zoneOf(call, 3));
        const moved = wall === undefined ? undefined : added(wall, n, unit);
        return moved === undefined || dayText(moved) === undefined ? FAILED : zoned(moved, call, 3);
      },
      whole: true,
      postgres: ([a = none, n = none], call) => {
        const unit = unitOf(call, 2);
        if (isClock(unit)) return momentLater(a, n, call.args[1], unit);
        const zone = zoneOf(call, 3);
        return instantSql(wallLater(wallSql(a, zone), n, call.args[1], unit), zone);
      },
    }), // prettier-ignore
  row('DATEDIF', 'How many whole units there are from the first to the second; less than none if that is earlier.', [['DATEDIF(DATE(2026, 1, 31), DATE(2026, 3, 1), "month")', 1], ['DATEDIF({due}, DATE(2026, 11, 30), "day")', -1]], ...differences(false)), // prettier-ignore
  row(
    'DATETIME_DIFF',
    'The same with the later one in front.',
    [['DATETIME_DIFF({due}, DATE(2026, 11, 30), "day")', 1]],
    ...differences(true),
  ),
  row(
    'DATEVALUE',
    'The day that a text such as 2026-12-01 says; where it says none, an error.',
    [['DATEVALUE("2026-12-01")', '2026-12-01']],
    {
      params: [takes.text('text')],
      returns: () => failing(DATE),
      compute: ([a]) => {
        const parsed = parseDate(unblanked(a));
        return parsed.ok ? parsed.value : FAILED;
      },
      postgres: ([a = none]) => once(a, (text) => JUST_DAY.fromText?.(text, {}) ?? none),
    },
  ),
  row(
    'DATETIMEVALUE',
    'The moment that a text such as 2026-12-01T09:00:00Z says; where it says none, an error.',
    [['DATETIMEVALUE("2026-12-01T10:00:00+01:00")', '2026-12-01T09:00:00.000Z']],
    {
      params: [takes.text('text')],
      returns: () => failing(DATETIME),
      compute: ([a]) => momentOf(unblanked(a)),
      postgres: ([a = none]) => once(a, (text) => INSTANT.fromText?.(text, {}) ?? none),
    },
  ),
  row('STARTOF', 'The beginning of the day, week (Monday), month, quarter or year, or of hour, minute or second.', [['STARTOF({due}, "quarter")', '2026-10-01']],
    {
      params: [takes.date('date'), DAY_UNIT],
      returns: () => DATE,
      compute: ([a], call) => day(startOf(timeOf(asString(a)), unitOf(call, 1))),
      postgres: ([a = none], call) => sql`date_trunc(${literal(unitOf(call, 1))}, ${timestamp(a)})::date`,
      mysql: ([a = none], call) => startInMysql(a, unitOf(call, 1)),
    },
    {
      params: [takes.datetime('time'), ANY_UNIT, ZONE],
      returns: (args) => ({ ...DATETIME, fails: args.length > 2 }),
      compute: ([a], call) => {
        const wall = wallOf(timeOf(asString(a)), zoneOf(call, 2));
        return wall === undefined ? FAILED : zoned(startOf(wall, unitOf(call, 1)), call, 2);
      },
      postgres: ([a = none], call) => instantSql(sql`date_trunc(${literal(unitOf(call, 1))}, ${wallSql(a, zoneOf(call, 2))})`, zoneOf(call, 2)), // prettier-ignore
    }), // prettier-ignore
  row('ENDOFMONTH', 'The last day of the month.', [['ENDOFMONTH(DATE(2028, 2, 3))', '2028-02-29']],
    {
      params: [takes.date('date')],
      returns: () => DATE,
      compute: ([a]) => day(endOfMonth(timeOf(asString(a)))),
      postgres: ([a = none]) => endOfMonthSql(timestamp(a)),
      mysql: ([a = none]) => sql`last_day(${a})`,
    },
    {
      params: [takes.datetime('time'), ZONE],
      returns: (args) => ({ ...DATE, fails: args.length > 1 }),
      compute: ([a], call) => {
        const wall = wallOf(timeOf(asString(a)), zoneOf(call, 1));
        return wall === undefined ? FAILED : day(endOfMonth(wall));
      },
      postgres: ([a = none], call) => endOfMonthSql(wallSql(a, zoneOf(call, 1))),
    }), // prettier-ignore
];

const endOfMonthSql = (time: Sql): Sql =>
  sql`(date_trunc('month', ${time}) + interval '1 month' - interval '1 day')::date`;

/** As PostgreSQL is asked by the type of such columns. */
const MOMENT = /^.{10}T\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-](0\d|1[0-5]):\d\d)$/;

/** As columns of datetimes read texts: to the millisecond, and a day is its beginning. */
function momentOf(text: string): Outcome {
  const asDay = parseDate(text);
  if (asDay.ok) return instant(timeOf(asDay.value));
  const parsed = MOMENT.test(text) ? parseDatetime(text) : undefined;
  return parsed?.ok ? parsed.value : FAILED;
}
