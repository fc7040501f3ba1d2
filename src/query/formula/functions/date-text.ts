import { asString } from '../text-of.js';
import { sql, value, type Sql } from '../../sql.js';
import { wallOf as wallSql } from '../../compile/formula/fragments.js';
import { partsOf, timeOf, timeOfDay, wallOf, weekdayOf, HOUR, MINUTE, SECOND } from '../calendar.js';
import { constantOf, type CallPart } from '../expression.js';
import { FAILED, takes, type Omission, type Param, type Strict } from '../function.js';
import { textShape } from '../shape.js';
import { ZONE, zoneOf } from './zones.js';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']; // prettier-ignore
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');
const hourOf = (time: number): number => Math.floor(timeOfDay(time) / HOUR);
const twelve = (time: number): number => ((hourOf(time) + 11) % 12) + 1;
const minuteOf = (time: number): number => Math.floor((timeOfDay(time) % HOUR) / MINUTE);
const secondOf = (time: number): number => Math.floor((timeOfDay(time) % MINUTE) / SECOND);

/** A part of a pattern: what it is in memory, and PostgreSQL's name of it, which is English and means the same. */
interface Piece {
  readonly of: (time: number) => string;
  readonly to: string;
}
const piece = (to: string, of: Piece['of']): Piece => ({ to, of });

/** The longer ones first. */
const PIECES: Readonly<Record<string, Piece>> = {
  YYYY: piece('YYYY', (t) => pad(partsOf(t).year, 4)),
  MMMM: piece('FMMonth', (t) => MONTHS[partsOf(t).month - 1] ?? ''),
  dddd: piece('FMDay', (t) => DAYS[weekdayOf(t) - 1] ?? ''),
  MMM: piece('Mon', (t) => (MONTHS[partsOf(t).month - 1] ?? '').slice(0, 3)),
  ddd: piece('Dy', (t) => (DAYS[weekdayOf(t) - 1] ?? '').slice(0, 3)),
  SSS: piece('MS', (t) => pad(timeOfDay(t) % SECOND, 3)),
  YY: piece('YY', (t) => pad(partsOf(t).year % 100)),
  MM: piece('MM', (t) => pad(partsOf(t).month)),
  DD: piece('DD', (t) => pad(partsOf(t).day)),
  HH: piece('HH24', (t) => pad(hourOf(t))),
  hh: piece('HH12', (t) => pad(twelve(t))),
  mm: piece('MI', (t) => pad(minuteOf(t))),
  ss: piece('SS', (t) => pad(secondOf(t))),
  M: piece('FMMM', (t) => String(partsOf(t).month)),
  D: piece('FMDD', (t) => String(partsOf(t).day)),
  H: piece('FMHH24', (t) => String(hourOf(t))),
  h: piece('FMHH12', (t) => String(twelve(t))),
  m: piece('FMMI', (t) => String(minuteOf(t))),
  s: piece('FMSS', (t) => String(secondOf(t))),
  A: piece('AM', (t) => (hourOf(t) < 12 ? 'AM' : 'PM')),
  Q: piece('Q', (t) => String(Math.ceil(partsOf(t).month / 3))),
};
const TOKEN = /\[([^\]]*)\]|YYYY|MMMM|dddd|MMM|ddd|SSS|YY|MM|DD|HH|hh|mm|ss|[MDHhmsAQ]|([^A-Za-z[\]]+)|([^])/g;

/** Pieces and the texts between them; undefined where something is neither. */
function read(pattern: string): readonly (Piece | string)[] | undefined {
  const parts: (Piece | string)[] = [];
  for (const [token, bracketed, between, else_] of pattern.matchAll(TOKEN)) {
    if (else_ !== undefined) return undefined;
    parts.push(bracketed ?? between ?? PIECES[token] ?? '');
  }
  return parts;
}

const PATTERN: Param = takes.text('pattern', {
  expected: 'pattern such as "YYYY-MM-DD HH:mm", written out',
  constant: (value): Omission | undefined =>
    typeof value === 'string' && value.length <= 200 && read(value)
      ? undefined
      : { code: 'invalid_pattern', detail: 'Letters of a pattern are YYYY, MM, DD, HH, mm, ss and their like; other words stand in square brackets.' }, // prettier-ignore
});

const patternOf = ({ args }: CallPart): readonly (Piece | string)[] => read(String(constantOf(args[1]))) ?? [];
const made = (call: CallPart, time: number): string =>
  patternOf(call)
    .map((part) => (typeof part === 'string' ? part : part.of(time)))
    .join('');

/** One pattern of PostgreSQL: what is no piece stands in quotes, and so do the borders between pieces, which else could be read as one. */
function madeSql(call: CallPart, time: Sql): Sql {
  const parts = patternOf(call).map((part) =>
    typeof part === 'string' ? `"${part.replace(/["\\]/g, '\\$&')}"` : part.to,
  );
  // Nothing comes of an empty pattern but null.
  if (parts.length === 0) return sql`case when ${time} is not null then '' end`;
  return sql`to_char(${time}, ${value(parts.join('""'), 'text')})`;
}

/** TEXT of dates and datetimes. */
export const dateTexts: readonly Strict[] = [
  {
    params: [takes.date('date'), PATTERN],
    returns: () => textShape(4_000),
    compute: ([a], call) => made(call, timeOf(asString(a))),
    postgres: ([a = sql`null`], call) => madeSql(call, sql`(${a})::timestamp`),
  },
  {
    params: [takes.datetime('time'), PATTERN, ZONE],
    returns: (args) => ({ ...textShape(4_000), fails: args.length > 2 }),
    compute: ([a], call) => {
      const wall = wallOf(timeOf(asString(a)), zoneOf(call, 2));
      return wall === undefined ? FAILED : made(call, wall);
    },
    postgres: ([a = sql`null`], call) => madeSql(call, wallSql(a, zoneOf(call, 2))),
  },
];
