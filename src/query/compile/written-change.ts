import type { TableSchema } from '../schema.js';
import { empty, ident, sql, value, type Sql } from '../sql.js';
import type { RowWrite } from '../write-plan.js';
import { digestOf, entriesText, entryText, linksBehind, sharedText, type EntryPart, type SharedPart } from './chain.js';
import { streamName } from './read.js';

/** When a statement changes rows, as rows and log keep it. */
const NOW = sql`date_trunc('milliseconds', statement_timestamp())`;

/** The writes that a statement makes, as `w`: what each of them has for all of its changes, and the time, which is made once. `more` are further members of them. */
export const contexts = (
  writes: readonly RowWrite[],
  more: { readonly columns: Sql; readonly of: (write: RowWrite) => object } = { columns: empty, of: () => ({}) },
): Sql => sql`w as materialized (select *, ${NOW} as at from json_to_recordset(${value(
  JSON.stringify(writes.map((write, g) => ({ ...contextRecord(write, g), ...more.of(write) }))),
  'json',
)})
  as w(g integer, atomic boolean, actor uuid, actor_name text, client text, request text, ip text, source text, change_set uuid, revert_of uuid${more.columns}))`;

const contextRecord = ({ context, atomic }: RowWrite, g: number) => ({
  g,
  atomic,
  actor: context.actorId,
  actor_name: context.actorName,
  client: context.clientId,
  request: context.requestId,
  ip: context.ip,
  source: context.source,
  change_set: context.changeSet,
  ...(context.revertOf === undefined ? {} : { revert_of: context.revertOf }),
});

/** What the entries of a write `w` share, each part as the log is given it. */
const sharedOf = (table: TableSchema): ((part: SharedPart) => Sql) => {
  const parts: Record<SharedPart, Sql> = {
    table_id: value(table.id, 'uuid'),
    at: sql`w.at`,
    actor_id: sql`w.actor`,
    actor_name: sql`w.actor_name`,
    client_id: sql`w.client`,
    ip: sql`w.ip`,
    source: sql`w.source`,
    request_id: sql`w.request`,
    change_set: sql`w.change_set`,
    revert_of: sql`w.revert_of`,
    schema_version: value(table.schemaVersion, 'integer'),
  };
  return (part) => parts[part];
};

const SAID: Record<EntryPart, Sql> = {
  ord: sql`c.o`,
  row_id: sql`c._id`,
  version: sql`c._version`,
  op: sql`c.op`,
  before: sql`c.before`,
  after: sql`c.after`,
};
/** What the entry of a change `c` says. */
const saidOf = (part: EntryPart): Sql => SAID[part];

/**
 * The numbers that changes take, and their entries in the log: CTEs behind `changed` (`g, o, _id, _version, op, before, after`), whose last make `taken`
 * (`epoch, base, prior`). `onlyIf` is a condition without which no number is taken, so that the statement is aborted.
 *
 * - `taken` updates the stream last, so its row lock is held only until the commit that follows at once.
 * - If the stream's schema version has moved on, `taken` is empty and the log's NOT NULL on `seq` aborts the statement.
 * - The digests of what is said are made before the stream is locked; behind the lock each number costs one more hash (chain.ts). `links` is
 *   materialized, or PostgreSQL would compute it for each entry.
 */
export const numberedAndLogged = (table: TableSchema, onlyIf: Sql = empty): Sql =>
  sql`numbered as (select g, (row_number() over (order by g))::integer as n, first, ${digestOf(sharedText(sharedOf(table)), sql`entries`)} as digest
  from (select g, min(o) as first, ${entriesText(entryText(saidOf), sql`o`)} as entries from changed c group by g) d join w using (g)),
total as (select count(*)::integer as n, array_agg(digest order by n) as digests from numbered${onlyIf}),
taken as (update ${streamName(table)} s set seq = s.seq + total.n, prior = s.head,
    head = (${linksBehind(sql`s.head`, sql`s.seq`, sql`total.digests`)})[total.n]
  from total
  where s.table_id = ${value(table.id, 'uuid')} and s.schema_version = ${value(table.schemaVersion, 'integer')} and total.n > 0
  returning s.epoch, s.seq - total.n as base, s.prior),
links as materialized (select ${linksBehind(sql`taken.prior`, sql`taken.base`, sql`total.digests`)} as hashes from taken, total),
logged as (insert into ${ident(table.physical.schema, '_change')}
  (table_id, seq, ord, row_id, version, op, before, after, at, actor_id, actor_name, client_id, source, request_id, change_set, revert_of, schema_version, ip, hash)
  select ${value(table.id, 'uuid')}, taken.base + numbered.n, c.o, c._id, c._version, c.op, c.before::json, c.after::json, w.at,
    w.actor, w.actor_name, w.client, w.source, w.request, w.change_set, w.revert_of, ${value(table.schemaVersion, 'integer')}, w.ip,
    case when c.o = numbered.first then links.hashes[numbered.n] end
  from changed c join numbered using (g) join w using (g) left join taken on true left join links on true)`;
