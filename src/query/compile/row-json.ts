import type { ColumnSchema } from '../schema.js';
import { remembered, underName } from '../remember.js';
import type { Place } from '../types/index.js';
import { comma, empty, ident, join, literal, sql, type Sql } from '../sql.js';
import { cellJson, cellOf } from './cell.js';
import { inOnePass, sharedJson } from './shared-pass.js';

/** PostgreSQL takes at most 100 arguments a call. */
const MAX_ARGUMENTS = 90;

/** `concat(…)` of any number of parts. Measured: a fifth faster than `||`, a third faster than json_build_object. */
export function concat(parts: readonly Sql[]): Sql {
  if (parts.length <= MAX_ARGUMENTS) return sql`concat(${join(parts, comma)})`;
  const chunks: Sql[] = [];
  for (let i = 0; i < parts.length; i += MAX_ARGUMENTS) chunks.push(concat(parts.slice(i, i + MAX_ARGUMENTS)));
  return concat(chunks);
}

/** The fields object of a row as parts to {@link concat}. */
function fieldsParts(alias: string, columns: readonly ColumnSchema[], place: Place): readonly Sql[] {
  if (columns.length === 0) return [sql`'{}'`];
  const cells = inOnePass(columns).flatMap((group, i) => {
    const [first] = group;
    const start = literal(`${i === 0 ? '{' : ','}"${first.key}":`);
    return [start, group.length === 1 ? cellJson(first, alias, place) : sharedJson(group, alias, place)];
  });
  return [...cells, sql`'}'`];
}

/** JSON text of the fields object of a row. */
export const fieldsJson = (alias: string, columns: readonly ColumnSchema[], place: Place): Sql =>
  concat(fieldsParts(alias, columns, place));

/**
 * JSON text of those fields of `alias` that differ from those of `other`: what an update changed, for the change log.
 * `more` is further text of the kind `,"key":value`.
 */
export function changedFieldsJson(
  alias: string,
  other: string,
  columns: readonly ColumnSchema[],
  place: Place,
  more: Sql = empty,
): Sql {
  const cells = columns.map((column) => {
    const [mine, theirs] = [cellOf(column, alias), cellOf(column, other)];
    return sql`case when ${mine} is distinct from ${theirs} then concat(${literal(`,"${column.key}":`)}, ${cellJson(column, alias, place)}) end`;
  });
  const parts = more === empty ? cells : [...cells, more];
  return parts.length === 0 ? sql`'{}'` : sql`concat('{', substr(${concat(parts)}, 2), '}')`;
}

/**
 * An instant of ours as `"2026-03-14T15:09:26.535Z"`, quotes included, in half of the time that to_char takes: PostgreSQL
 * leaves out zeros at the end of the fraction, but with one microsecond more there are always six digits to cut three from.
 * For years of four digits only, which the times at which rows change have.
 */
export const instant = (column: Sql): Sql =>
  sql`left(to_json(date_trunc('milliseconds', ${column}) + interval '1 microsecond')::text, 24) || 'Z"'`;

/** JSON text of a whole row, in the shape of the API. `fields` are parts of JSON text, put in side by side: a text of their own would be copied. */
export const rowJson = (alias: string, ...fields: readonly Sql[]): Sql =>
  concat([...rowParts(alias, fields), sql`'}'`]);

const person = (column: Sql): Sql => sql`coalesce('"' || ${column} || '"', 'null')`;

/** Without the brace that ends it. */
function rowParts(alias: string, fields: readonly Sql[]): readonly Sql[] {
  const system = (name: string): Sql => ident(alias, name);
  return [
    sql`'{"id":"'`, system('_id'),
    sql`'","version":'`, system('_version'),
    sql`',"fields":'`, ...fields,
    sql`',"createdAt":'`, instant(system('_created_at')),
    sql`',"createdBy":'`, person(system('_created_by')),
    sql`',"updatedAt":'`, instant(system('_updated_at')),
    sql`',"updatedBy":'`, person(system('_updated_by')),
  ]; // prettier-ignore
}

const MAX_ALIASES = 8;
const wholeRows = remembered((_columns: readonly ColumnSchema[]) => new Map<string, Sql>());

/** {@link rowJson} with these columns of the row as its fields: the longest part of most statements, built once for each list of columns. */
export const wholeRowJson = (alias: string, columns: readonly ColumnSchema[], place: Place): Sql =>
  underName(wholeRows(columns), MAX_ALIASES, alias, () => rowJson(alias, ...fieldsParts(alias, columns, place)));
