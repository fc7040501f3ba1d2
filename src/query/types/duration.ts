import { integer as integerSql, literal, sql, type Sql } from '../sql.js';
import { DURATION_FORMATS } from '../schema.js';
import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { integer, parseInteger } from './number.js';
import { knownOptions } from './options.js';

const CLOCK = /^(-?)(\d{1,9}):([0-5]\d)(?::([0-5]\d))?$/;

/** Seconds of `h:mm` or `h:mm:ss`. */
function fromClock(text: string): number | undefined {
  const match = CLOCK.exec(text);
  if (!match) return undefined;
  const [, sign, hours, minutes, seconds = '0'] = match;
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' && total > 0 ? -total : total;
}

function parse(input: unknown): Parsed {
  const seconds = typeof input === 'string' ? fromClock(input) : undefined;
  const parsed = parseInteger(seconds ?? input);
  return !parsed.ok && parsed.code === 'not_an_integer'
    ? refused('not_a_duration', 'A duration is a whole number of seconds, or a text such as 1:30 or 1:30:00.')
    : parsed;
}

export const duration: ColumnType = {
  ...integer,
  name: 'duration',
  summary: 'A length of time in whole seconds; `format` says how to show it. `h:mm` and `h:mm:ss` are read too.',
  parseOptions(input) {
    const unknown = knownOptions(input, ['format']);
    if (unknown) return unknown;
    const format = DURATION_FORMATS.find((known) => known === (input.format ?? 'h:mm'));
    if (!format) return refused('invalid_option', `format is one of ${DURATION_FORMATS.join(', ')}.`);
    return accepted({ format });
  },
  parse,
  parseText: (input) => (/^[+-]?\d{1,32}$/.test(input) ? parse(Number(input)) : parse(input)),
  toText(cell, { format }) {
    const seconds = sql`(${cell})::bigint`;
    const all = sql`abs(${seconds})`;
    const hours = sql`(${all} / 3600)::text || ':' || lpad((${all} / 60 % 60)::text, 2, '0')`;
    const clock = format === 'h:mm:ss' ? sql`${hours} || ':' || lpad((${all} % 60)::text, 2, '0')` : hours;
    const least = format === 'h:mm:ss' ? sql`1` : sql`60`;
    return sql`(case when ${seconds} <= -${least} then '-' else '' end || ${clock})`;
  },
  fromText(text, options) {
    const part = (n: number): Sql => sql`split_part(${text}, ':', ${integerSql(n)})`;
    const hours = sql`ltrim(${part(1)}, '-')::int`;
    const seconds = sql`coalesce(nullif(${part(3)}, ''), '0')::int`;
    const clock = sql`make_interval(hours => ${hours}, mins => ${part(2)}::int, secs => ${seconds})`;
    return sql`case when ${text} ~ ${literal('^-?\\d{1,9}:[0-5]\\d(:[0-5]\\d)?$')}
    then (case when ${text} like '-%' then -1 else 1 end * extract(epoch from ${clock}))::bigint
    else ${integer.fromText?.(text, options) ?? sql`null`} end`;
  },
  jsonSchema: { type: 'integer', description: 'seconds' },
};
