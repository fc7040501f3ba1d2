import { MAX_SCALE } from '../../formula/decimal.js';
import { NEWER_LETTERS } from '../../formula/letters.js';
import { isWhole, MAX_TEXT, type Shape } from '../../formula/shape.js';
import { comma, integer, join, literal, sql, type Sql } from '../../sql.js';

/*
 * Pieces of PostgreSQL that the functions of formulas are made of. None of them raises an error, whatever they are given: PostgreSQL
 * computes constant parts before it knows whether they are asked for, so a guard stands around each operand and nowhere further out.
 */

/** Text that may stand in a statement twice rather than be computed aside. */
const SHORT = 120;
const sizeOf = ({ parts }: Sql): number =>
  parts.reduce((size: number, part) => size + (typeof part === 'string' ? part.length : 8), 0);

/** Something that is made of the value more than once, without its text standing there more than once. */
export const once = (value: Sql, use: (value: Sql) => Sql, name = ONCE): Sql =>
  onceEach([value], ([one = value]) => use(one), name);

const ONCE = sql`_once`;

/** The same of several values. What is made of them must not be made within another `once` of the same name. */
export function onceEach(values: readonly Sql[], use: (values: readonly Sql[]) => Sql, name = ONCE): Sql {
  const isLong = values.map((value) => sizeOf(value) > SHORT);
  if (!isLong.includes(true)) return use(values);
  const column = (i: number): Sql => sql`_v${integer(i)}`;
  const used = use(values.map((value, i) => (isLong[i] === true ? sql`${name}.${column(i)}` : value)));
  const made = values.flatMap((value, i) => (isLong[i] === true ? [sql`${value} as ${column(i)}`] : []));
  // OFFSET 0 keeps PostgreSQL from putting the value in at each place again.
  return sql`(select ${used} from (select ${join(made, comma)} offset 0) ${name})`;
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

/** A number as a count: from 0 to a million, as whole as it may be. */
export const asCount = (n: Sql): Sql =>
  once(n, (x) => sql`case when ${x} <= 0 then 0 when ${x} >= 1000000 then 1000000 else trunc(${x})::int end`);
/** As a place, of which 1 is the first. */
export const asPlace = (n: Sql): Sql =>
  once(n, (x) => sql`case when ${x} <= 1 then 1 when ${x} >= 1000000 then 1000000 else trunc(${x})::int end`);

export const FIRST_DAY = sql`date '0001-01-01'`;
export const LAST_DAY = sql`date '9999-12-31'`;
export const FIRST_INSTANT = sql`timestamptz '0001-01-01 00:00:00+00'`;
export const END_OF_INSTANTS = sql`timestamptz '10000-01-01 00:00:00+00'`;

export const withinDays = (day: Sql): Sql =>
  once(day, (made) => sql`case when ${made} between ${FIRST_DAY} and ${LAST_DAY} then ${made} end`);

export const withinInstants = (at: Sql): Sql =>
  once(at, (made) => sql`case when ${made} >= ${FIRST_INSTANT} and ${made} < ${END_OF_INSTANTS} then ${made} end`);

/** What a wall in the zone shows, null where that is before the year 1 or behind the year 9999. */
export function wallOf(at: Sql, zone: string): Sql {
  const wall = sql`(${at} at time zone ${literal(zone)})`;
  if (zone === 'UTC') return wall;
  return once(
    wall,
    (made) => sql`case when ${made} >= timestamp '0001-01-01' and ${made} < timestamp '10000-01-01' then ${made} end`,
  );
}

/** When a wall in the zone shows this. */
export const instantAt = (wall: Sql, zone: string): Sql =>
  zone === 'UTC' ? sql`(${wall} at time zone 'UTC')` : withinInstants(sql`(${wall} at time zone ${literal(zone)})`);

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
    (x) => sql`case when octet_length(${x}) = char_length(${x}) then ${changed(x, sql`"C"`)}
      when ${x} ~ ${newer} then (select string_agg(case when c ~ ${newer} then c else ${changed(sql`c`, unicode)} end, '' order by o)
        from regexp_split_to_table(${x}, '') with ordinality _letters(c, o))
      else ${changed(x, unicode)} end`,
    sql`_cased`,
  );
}

/** As {@link alike}. */
export const alikeSql = (text: Sql): Sql => sql`translate(${changedCase(text, 'lower')}, 'ς', 'σ')`;
