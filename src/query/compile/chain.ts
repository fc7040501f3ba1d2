import type { Id } from '../../common/index.js';
import { comma, ident, integer, join, sql, value, type Sql } from '../sql.js';

/*
 * The change log as a chain: the link of a number is the SHA-256 of the link before, the number, and all that its entries say. It is
 * kept with the first entry of the number, and the newest in `_stream`, whose row every writer locks. Nothing can be changed, put in or
 * taken out without all links behind it being others; and of those somebody may have a signed copy.
 */

/** What all entries of a number share, and what each of them says. The order is part of the format. */
const SHARED = [
  'table_id', 'at', 'actor_id', 'actor_name', 'client_id', 'ip', 'source', 'request_id', 'change_set', 'revert_of',
  'schema_version',
] as const; // prettier-ignore
export type SharedPart = (typeof SHARED)[number];
export type EntryPart = 'ord' | 'row_id' | 'version' | 'op' | 'before' | 'after';

/** What is shared as one text, in which every part can be told from the next: PostgreSQL's own of a record (manual: 8.16.6). */
export const sharedText = (part: (name: SharedPart) => Sql): Sql => sql`row(${join(SHARED.map(part), comma)})::text`;

/** What an entry says as one text; the lengths tell its parts, and this entry from the next. A third of what a record's text costs, and there may be a thousand. */
export function entryText(part: (name: EntryPart) => Sql): Sql {
  const [before, after] = [sql`${part('before')}::text`, sql`${part('after')}::text`];
  return sql`concat(${part('ord')}, ',', ${part('row_id')}, ',', ${part('version')}, ',', ${part('op')}, ',', octet_length(${before}), ',', octet_length(${after}), ',', ${before}, ${after})`;
}

/** Of all that a number says: what is shared, and its entries in their order. */
export const digestOf = (shared: Sql, entries: Sql): Sql => sql`sha256(convert_to(${shared} || ${entries}, 'UTF8'))`;

/** The entries of one number as one text. */
export const entriesText = (entry: Sql, ord: Sql): Sql => sql`string_agg(${entry}, '' order by ${ord})`;

export const nextLink = (before: Sql, seq: Sql, digest: Sql): Sql =>
  sql`sha256(${before} || int8send(${seq}) || ${digest})`;

/**
 * The links of as many numbers behind `base` as there are digests, an array; `before` is the link of `base`. A function of the mini-DB (its migrations), because each
 * needs the one before: a recursive query cannot stand in an UPDATE that may wait for its row, which PostgreSQL then evaluates anew, but with the
 * recursion's table of before.
 */
export const linksBehind = (before: Sql, base: Sql, digests: Sql): Sql =>
  sql`public._live_tables_links(${before}, ${base}, ${digests})`;

const log = (schema: string): Sql => ident(schema, '_change');
const own = (tableId: Id): Sql => sql`table_id = ${value(tableId, 'uuid')}`;

/**
 * Where the chain of a table begins and ends: `epoch, seq, head, anchor_seq, anchor, forgotten, stray`; no row without a stream. Links are in hexadecimal
 * digits. `stray` is the first number that should not be there: it was forgotten, or has not been taken.
 */
export const chainEnds = (schema: string, tableId: Id): Sql =>
  sql`select s.epoch, s.seq, encode(s.head, 'hex'), coalesce(a.seq, 0), encode(coalesce(a.hash, ''), 'hex'), coalesce(a.forgotten, 0),
  (select min(c.seq) from ${log(schema)} c where c.table_id = s.table_id and (c.seq > s.seq or c.seq <= coalesce(a.forgotten, 0)))
from ${ident(schema, '_stream')} s left join ${ident(schema, '_anchor')} a using (table_id) where s.${own(tableId)}`;

/** Where a portion of a chain begins: behind this number, whose link is known. */
export interface Link {
  readonly seq: number;
  /** In hexadecimal digits. */
  readonly hash: string;
}

/**
 * Computes anew the links behind one, up to a number, about so many entries: one row `entries, seq, hash, broken`, of the last number that was
 * looked at, and the first number that is not there or whose link is another.
 */
export const judgeLinks = (schema: string, tableId: Id, after: Link, upTo: number, atMost: number): Sql =>
  sql`with until as (select max(seq) as seq from (select seq from ${log(schema)}
    where ${own(tableId)} and seq > ${value(after.seq, 'bigint')} and seq <= ${value(upTo, 'bigint')} order by seq, ord limit ${integer(atMost)}) part),
links as (select seq, hash, entries, case when shared = other then ${digestOf(sql`shared`, sql`text`)} end as digest from (
    select c.seq, (array_agg(c.hash order by c.ord))[1] as hash, count(*) as entries, min(c.shared) as shared, max(c.shared) as other,
      ${entriesText(
        entryText((name) => ident('c', name)),
        sql`c.ord`,
      )} as text
    from (select *, ${sharedText((name) => ident(name))} as shared from ${log(schema)}) c, until
    where c.${own(tableId)} and c.seq > ${value(after.seq, 'bigint')} and c.seq <= until.seq group by c.seq) n),
judged as (select seq, hash, entries, case when seq <> before + 1 then before + 1
    when hash is distinct from ${nextLink(sql`link`, sql`seq`, sql`digest`)} then seq end as broken
  from (select *, lag(seq, 1, ${value(after.seq, 'bigint')}) over w as before, lag(hash, 1, decode(${value(after.hash, 'text')}, 'hex')) over w as link
    from links window w as (order by seq)) each)
select coalesce(sum(entries), 0), max(seq), encode((array_agg(hash order by seq desc))[1], 'hex'), min(broken) from judged`;

/** The link of one number: one row, or none. */
export const linkOf = (schema: string, tableId: Id, seq: number): Sql =>
  sql`select encode(hash, 'hex') from ${log(schema)} where ${own(tableId)} and seq = ${value(seq, 'bigint')} order by ord limit 1`;
