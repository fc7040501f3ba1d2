import { ident, integer, sql, value, type Sql } from '../sql.js';

/** An answer under the digests of its key and of what was asked for. */
export interface AnswerRecord {
  readonly name: string;
  readonly request: string;
  readonly answer: string;
}

const answersOf = (schema: string): Sql => ident(schema, '_idempotency');

/** The table of the answers of a base that are given again to those who repeat a write. */
export const createAnswers = (schema: string): Sql[] => [
  sql`create table ${answersOf(schema)} (name text primary key, request text not null, answer text not null, expires_at timestamptz not null)`,
  sql`create index on ${answersOf(schema)} (expires_at)`,
  sql`comment on table ${answersOf(schema)} is 'Answers of writes with an Idempotency-Key, kept for a day in the transaction of the write.'`,
];

/** Keeps answers: rows `name` of those that are kept, which are all but those under whose name there is one already. */
export const keepAnswers = (schema: string, answers: readonly AnswerRecord[], forMs: number): Sql =>
  sql`insert into ${answersOf(schema)} as kept (name, request, answer, expires_at)
select name, request, answer, now() + ${value(forMs, 'integer')} * interval '1 millisecond'
from json_to_recordset(${value(JSON.stringify(answers), 'json')}) as x(name text, request text, answer text)
on conflict (name) do update set request = excluded.request, answer = excluded.answer, expires_at = excluded.expires_at
  where kept.expires_at <= now()
returning name`;

/** One answer: `request, answer`. */
export const keptAnswer = (schema: string, name: string): Sql =>
  sql`select request, answer from ${answersOf(schema)} where name = ${value(name, 'text')} and expires_at > now()`;

/** Removes some of those that are over, and tells how many. */
export const forgetAnswers = (schema: string, atMost: number): Sql => sql`with gone as (
  delete from ${answersOf(schema)} where name = any(array(
    select name from ${answersOf(schema)} where expires_at <= now() limit ${integer(atMost)} for update skip locked))
  returning 1)
select count(*) from gone`;
