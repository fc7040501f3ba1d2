import { casePattern, type MatchMode } from '../../case-pattern.js';
import { MAX_SCALE } from '../../formula/decimal.js';
import { alike, hasNewerLetters } from '../../formula/letters.js';
import { MAX_TEXT, type Shape } from '../../formula/shape.js';
import { comma, integer, join, sql, value, type Sql } from '../../sql.js';

/*
 * The same pieces for MySQL and MariaDB, as far as they can be exact there. Numbers are decimals throughout, for sums of 64-bit whole
 * numbers are an error of the statement past 64 bits; nothing is computed aside, so what is said twice is computed twice.
 */

const LIMIT = sql`100000000000000000000000000000000000000`;

/** Null where a number is past the limit. */
export const withinLimit = (n: Sql): Sql =>
  sql`nullif(nullif(greatest(least(${n}, ${LIMIT}), -${LIMIT}), ${LIMIT}), -${LIMIT})`;

export function settled(shape: Shape, n: Sql): Sql {
  const cut = shape.rounds ? sql`round(${n}, ${integer(MAX_SCALE)})` : n;
  return shape.overflows ? withinLimit(cut) : cut;
}

export const utf8 = (text: Sql): Sql => sql`(convert(${text} using utf8mb4) collate utf8mb4_bin)`;
export const bytes = (text: Sql): Sql => sql`cast(${text} as binary)`;
const approximately = (n: Sql): Sql => sql`abs(cast(${n} as double))`;

/** Beyond 65 digits the statement would fail, so what is far past the limit is not multiplied at all. */
export const product = (a: Sql, b: Sql, shape: Shape): Sql =>
  shape.overflows
    ? sql`case when ${approximately(a)} * ${approximately(b)} < 1e39 then ${a} * ${b} end`
    : sql`(${a} * ${b})`;

/** With 26 digits behind the point of the dividend there are 30 in the quotient, whatever the server's settings, and 10 are kept. */
export const quotient = (a: Sql, b: Sql): Sql =>
  sql`case when ${approximately(a)} < 1e39 * ${approximately(b)} then round(cast(${a} as decimal(65, 26)) / nullif(${b}, 0), 10) end`;

export const flooredRemainder = (a: Sql, b: Sql): Sql => sql`mod(mod(${a}, nullif(${b}, 0)) + ${b}, nullif(${b}, 0))`;

export const asCount = (n: Sql): Sql => sql`cast(least(greatest(truncate(${n}, 0), 0), 1000000) as signed)`;
export const asPlace = (n: Sql): Sql => sql`cast(least(greatest(truncate(${n}, 0), 1), 1000000) as signed)`;

/** What TEXT and & make of a value; undefined where that is not known before there are rows. */
export function asText({ of, fixed, scale }: Shape, given: Sql): Sql | undefined {
  switch (of) {
    case 'text':
      return given;
    case 'boolean':
      return utf8(sql`case when ${given} then 'true' when not ${given} then 'false' end`);
    case 'date':
      return utf8(sql`date_format(${given}, '%Y-%m-%d')`);
    case 'datetime':
      return utf8(sql`concat(left(date_format(${given}, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')`);
    case 'number':
      return fixed ? utf8(sql`cast(cast(${given} as decimal(65, ${integer(scale)})) as char)`) : undefined;
    case 'null':
    case 'opaque':
      return undefined;
  }
}

/** All as one text, null where that is too long. */
export function joined(texts: readonly Sql[], longest: number): Sql {
  const present = texts.map((text) => sql`coalesce(${text}, '')`);
  const made = utf8(sql`concat(${join(present, comma)})`);
  if (longest <= MAX_TEXT) return made;
  const length = join(present.map((text) => sql`char_length(${text})`), sql` + `); // prettier-ignore
  return sql`case when ${length} <= ${integer(MAX_TEXT)} then ${made} end`;
}

/** Whether a constant part is in a text, whatever the letter case; undefined where that depends on the server. */
export const matches = (text: Sql, part: unknown, mode: MatchMode): Sql | undefined =>
  typeof part === 'string' && part !== '' && !hasNewerLetters(part)
    ? sql`(${text} regexp ${value(casePattern(alike(part), mode), 'text')})`
    : undefined;
