import { decimalOf, MAX_SCALE, toCount } from '../../formula/decimal.js';
import { constantOf, type Expression } from '../../formula/expression.js';
import { NEWER_LETTERS } from '../../formula/letters.js';
import { isWhole, MAX_TEXT, type Shape } from '../../formula/shape.js';
import { comma, integer, join, literal, sql, type Sql } from '../../sql.js';
import { nested } from './nesting.js';

/*
 * Pieces of PostgreSQL that the functions of formulas are made of. None of them raises an error, whatever they are given: PostgreSQL
 * computes constant parts before it knows whether they are asked for, so a guard stands around each operand and nowhere further out.
 */

/** Text that may stand in a statement twice rather than be computed aside. */
const SHORT = 120;
let longest = SHORT;
const sizeOf = ({ parts }: Sql): number =>
  parts.reduce((size: number, part) => size + (typeof part === 'string' ? part.length : 8), 0);

/** What is made with everything computed aside, however short it is. For tests: nothing else may depend on what is put aside. */
export function allAside<T>(make: () => T): T {
  longest = 0;
  try {
    return make();
  } finally {
    longest = SHORT;
  }
}

/** Something that is made of the value more than once, without its text standing there more than once. */
export const once = (value: Sql, use: (value: Sql) => Sql): Sql => onceEach([value], ([one = value]) => use(one));

/** The same of several values. */
export function onceEach(values: readonly Sql[], use: (values: readonly Sql[]) => Sql): Sql {
  const isLong = values.map((value) => sizeOf(value) > longest);
  if (!isLong.includes(true)) return use(values);
  const column = (i: number): Sql => sql`_v${integer(i)}`;
  return nested((level) => {
    const name = sql`_once${integer(level)}`;
    const used = use(values.map((value, i) => (isLong[i] === true ? sql`${name}.${column(i)}` : value)));
    const made = values.flatMap((value, i) => (isLong[i] === true ? [sql`${value} as ${column(i)}`] : []));
    // OFFSET 0 keeps PostgreSQL from putting the value in at each place again.
    return sql`(select ${used} from (select ${join(made, comma)} offset 0) ${name})`;
  });
}

/** 10^38 */
const LIMIT = sql`100000000000000000000000000000000000000`;

/** Null where a number is past the limit, or none: NaN is greater than all others. */
export const withinLimit = (n: Sql): Sql =>
  sql`nullif(nullif(greatest(least(${n}, ${LIMIT}), -${LIMIT}), ${LIMIT}), -${LIMIT})`;

/** A number in the type in which SQL keeps those of its shape. */
export const asNumber = (shape: Shape, n: Sql): Sql => (isWhole(shape) ? sql`(${n})::bigint` : sql`(${n})::numeric`);

/** A number that an operation made, cut to what numbers of formulas can be. */
export function settled(shape: Shape, n: Sql): Sql {
  const cut = shape.rounds ? sql`round(${n}, ${integer(MAX_SCALE)})` : n;
  return asNumber(shape, shape.overflows ? withinLimit(cut) : cut);
}

/** Decimals are written without an exponent by PostgreSQL, too. */
export function numberText(shape: Shape, n: Sql): Sql {
  return isWhole(shape) || shape.fixed ? sql`(${n})::text` : sql`trim_scale(${n})::text`;
}

export const instantText = (at: Sql): Sql =>
  sql`to_char(${at} at time zone 'UTC', ${literal('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')})`;

/** What TEXT and & make of a value. */
export function asText(shape: Shape, value: Sql): Sql {
  switch (shape.of) {
    case 'number':
      return numberText(shape, value);
    case 'datetime':
      return instantText(value);
    case 'text':
      return value;
    case 'null':
      return sql`null::text`;
    default:
      return sql`(${value})::text`;
  }
}

/** Null where a text is longer than formulas make them. */
export const withinLength = (longest: number, text: Sql): Sql =>
  longest <= MAX_TEXT
    ? text
    : once(text, (made) => sql`case when char_length(${made}) <= ${integer(MAX_TEXT)} then ${made} end`);

/** The same of a text that is known to be no longer where the condition holds; then nothing is counted. */
export const withinLengthUnless = (longest: number, isShort: Sql, text: Sql): Sql =>
  longest <= MAX_TEXT ? text : sql`case when ${isShort} then ${text} else ${withinLength(longest, text)} end`;

/** As whole as it may be; whole numbers stand in SQL as such where the function takes them so. */
export const cut = (n: Sql, shape: Shape | undefined): Sql => (shape && isWhole(shape) ? n : sql`trunc(${n})`);

/** A number as a count: from 0 to a million, as whole as it may be. */
export const asCount = (n: Sql, part?: Expression): Sql => bounded(n, part, 0);
/** As a place, of which 1 is the first. */
export const asPlace = (n: Sql, part?: Expression): Sql => bounded(n, part, 1);

/** One that is written out is so before there are rows: a statement that is prepared knows none of its values. */
function bounded(n: Sql, part: Expression | undefined, least: number): Sql {
  const written = decimalOf(String(constantOf(part)));
  if (written) return integer(Math.min(Math.max(toCount(written), least), 1_000_000));
  return once(n, (x) => {
    const low = sql`when ${x} <= ${integer(least)} then ${integer(least)}`;
    const shape = part?.shape;
    if (shape && isWhole(shape) && shape.most <= 1_000_000n) return sql`case ${low} else ${x}::int end`;
    return sql`case ${low} when ${x} >= 1000000 then 1000000 else ${cut(x, shape)}::int end`;
  });
}

/** A number that is whole as an `int`, null outside of these bounds. */
export const intWithin = (n: Sql, least: number, most: number): Sql =>
  once(n, (x) => sql`(case when ${x} between ${integer(least)} and ${integer(most)} then ${x} end)::int`);

export const FIRST_DAY = sql`date '0001-01-01'`;
export const LAST_DAY = sql`date '9999-12-31'`;
export const FIRST_INSTANT = sql`timestamptz '0001-01-01Z'`;
export const END_OF_INSTANTS = sql`timestamptz '10000-01-01Z'`;

/** Null outside of the calendar. */
export const withinDays = (day: Sql): Sql =>
  once(day, (made) => sql`case when ${made} between ${FIRST_DAY} and ${LAST_DAY} then ${made} end`);

/** Null outside of the calendar, and of what is within, what `use` makes. */
export const withinInstants = (at: Sql, use = (made: Sql): Sql => made): Sql =>
  once(at, (made) => sql`case when ${made} >= ${FIRST_INSTANT} and ${made} < ${END_OF_INSTANTS} then ${use(made)} end`);

/** UTC as an offset, which PostgreSQL need not look up. */
const UTC = sql`interval '0'`;

/** What a wall in the zone shows, null where that is before the year 1 or behind the year 9999. */
export function wallOf(at: Sql, zone: string): Sql {
  if (zone === 'UTC') return sql`(${at} at time zone ${UTC})`;
  return once(at, (instant) => {
    const wall = sql`(${instant} at time zone ${literal(zone)})`;
    // No wall is a day before or behind another, so only the ends of the calendar are looked at by what the wall shows.
    return sql`case when ${instant} >= timestamptz '0001-01-02 00:00:00+00' and ${instant} < timestamptz '9999-12-31 00:00:00+00' then ${wall}
      when ${wall} >= timestamp '0001-01-01' and ${wall} < timestamp '10000-01-01' then ${wall} end`;
  });
}

/** When a wall in the zone shows this. */
export const instantAt = (wall: Sql, zone: string): Sql =>
  zone === 'UTC' ? sql`(${wall} at time zone ${UTC})` : withinInstants(sql`(${wall} at time zone ${literal(zone)})`);

/** The elements of a list as rows: `e`, and `o` for their places. */
export const elements = (list: Sql): Sql => sql`unnest(${list}) with ordinality _each(e, o)`;

/** The text in capitals or small letters, by Unicode's rules whatever collation the database has. */
export function changedCase(text: Sql, change: 'upper' | 'lower'): Sql {
  const changed = (part: Sql, collation: Sql): Sql =>
    change === 'upper'
      ? sql`(upper(${part} collate ${collation}) collate "C")`
      : sql`(lower(${part} collate ${collation}) collate "C")`;
  const unicode = sql`"und-x-icu"`;
  const newer = literal(NEWER_LETTERS);
  // Of ASCII, as most texts are, the C collation says the same in a fraction of the time.
  return once(
    text,
    (x) => sql`case when ${isAscii(x)} then ${changed(x, sql`"C"`)}
      when ${x} ~ ${newer} then (select string_agg(case when c ~ ${newer} then c else ${changed(sql`c`, unicode)} end, '' order by o)
        from regexp_split_to_table(${x}, '') with ordinality _letters(c, o))
      else ${changed(x, unicode)} end`,
  );
}

const isAscii = (text: Sql): Sql => sql`octet_length(${text}) = char_length(${text})`;

/** As {@link alike}. `each` leaves every letter one character. */
export const alikeSql = (text: Sql, each = false): Sql =>
  once(text, (x) => {
    const folded = changedCase(each ? sql`translate(${x}, 'İ', 'i')` : x, 'lower');
    return sql`case when ${isAscii(x)} then lower(${x} collate "C") else translate(${folded}, 'ς', 'σ') end`;
  });
