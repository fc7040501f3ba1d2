import { ident, integer, sql, value, type Sql } from '../sql.js';

/** How far an import has come: all lines up to this one are dealt with. */
export interface ImportMark {
  readonly line: number;
  /** What became of those lines, as JSON text. */
  readonly counts: string;
  /** What is wrong with those that were not written, as JSON text. Undefined: the same as before. */
  readonly errors?: string;
}

const marksOf = (schema: string): Sql => ident(schema, '_import');

/** The table of a base that tells how far imports have come. */
export const createImportMarks = (schema: string): Sql[] => [
  sql`create table ${marksOf(schema)} (id uuid primary key, line bigint not null, counts json not null, errors json, at timestamptz not null)`,
  sql`create index on ${marksOf(schema)} (at)`,
  sql`comment on table ${marksOf(schema)} is 'How far imports have come, kept in the transactions of their rows: whoever takes one up goes on behind it.'`,
];

/** Moves the mark from one line to another: a row, unless it is not there (any more). One that is not set is at line 0. */
export const moveImportMark = (schema: string, id: string, from: number, mark: ImportMark): Sql => {
  const { line, counts, errors } = mark;
  return sql`insert into ${marksOf(schema)} as mark (id, line, counts, errors, at)
values (${value(id, 'uuid')}, ${value(line, 'bigint')}, ${value(counts, 'json')}, ${value(errors ?? null, 'json')}, now())
on conflict (id) do update set line = excluded.line, counts = excluded.counts, errors = coalesce(excluded.errors, mark.errors), at = excluded.at
  where mark.line = ${value(from, 'bigint')}
returning 1`;
};

/** One mark: `line, counts, errors`. */
export const importMark = (schema: string, id: string): Sql =>
  sql`select line, counts, errors from ${marksOf(schema)} where id = ${value(id, 'uuid')}`;

/** Removes some of the marks that were last moved before, and tells how many. */
export const forgetImportMarks = (schema: string, before: Date, atMost: number): Sql => sql`with gone as (
  delete from ${marksOf(schema)} where id = any(array(
    select id from ${marksOf(schema)} where at < ${value(before.toISOString(), 'timestamptz')} limit ${integer(atMost)} for update skip locked))
  returning 1)
select count(*) from gone`;
