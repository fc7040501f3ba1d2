import { integer, literal, sql, type Sql } from '../sql.js';

/*
 * Texts that are JSON. PostgreSQL 15 cannot ask whether a text can be cast, and a cast that fails ends the statement; so the text is judged
 * first: its strings become `""`, then what holds nothing else becomes `#`, from the inside out, until one is left.
 */

/** Of a value, written out. */
export const MAX_BYTES = 1_000_000;
/** Levels below the value itself. */
export const MAX_DEPTH = 64;

const BLANK = String.raw`[ \t\n\r]*`;
/** RFC 8259, without NUL and halves of surrogate pairs, which PostgreSQL cannot keep. */
const STRING = String.raw`"(?:[^"\\\u0001-\u001f]|\\["\\/bfnrt]|\\u(?:(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))*"`;
/** Numbers that are the same to whoever reads them as a double, and small when they are written out. */
const NUMBER = String.raw`-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?`;
const VALUE = `(?:""|#|true|false|null|${NUMBER})`;

const listOf = (item: string): string => `${BLANK}(?:${item}${BLANK}(?:,${BLANK}${item}${BLANK})*)?`;
const CONTAINER = String.raw`\[${listOf(VALUE)}\]|\{${listOf(`""${BLANK}:${BLANK}${VALUE}`)}\}`;

/** Whether a text is a JSON object or list that can be kept as it is; neither fails nor takes long, whatever the text. */
const isContainer = (text: Sql): Sql =>
  sql`case when ${text} ~ ${literal(`^${BLANK}[[{]`)} and octet_length(${text}) <= ${integer(MAX_BYTES)}
  and ${text} ~ ${literal(`^(?:[^"#]|${STRING})*$`)} then (
  with recursive reduced(v, n) as (
    select regexp_replace(${text}, ${literal(STRING)}, '""', 'g'), 0
    union all select regexp_replace(v, ${literal(CONTAINER)}, '#', 'g'), n + 1 from reduced where n < ${integer(MAX_DEPTH)} and v ~ '[[{]')
  select bool_or(v ~ ${literal(`^${BLANK}#${BLANK}$`)}) from reduced) else false end`;

/** A text as JSON: an object or a list where it is the text of one, else the text itself. */
export const jsonOfText = (text: Sql): Sql =>
  sql`case when ${isContainer(text)} then ${text}::jsonb else to_jsonb(${text}) end`;

/** The same in memory; what the type does not take of it is refused by the type. */
export function readJsonText(text: string): unknown {
  if (!/^[ \t\n\r]*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
