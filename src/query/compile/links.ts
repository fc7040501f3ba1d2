import type { Id } from '../../common/index.js';
import type { LinkRef, TableSchema } from '../schema.js';
import { comma, ident, integer, join, sql, value, type Sql } from '../sql.js';
import { linkColumns, linkTable } from './cell.js';
import { tableName } from './read.js';

/*
 * Statements that change links. They run inside one transaction that holds the lock of every table which it links, so what
 * they read of links is still so when they write.
 */

/** Keeps others from changing links of these tables until the transaction ends; always in the same order, so never in a circle. */
export const lockLinks = (tables: readonly TableSchema[]): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('links:' || id, 0)) from unnest(${value(tables.map(({ id }) => id).sort(), 'text[]')}) as t(id)`;

/** Locks those of the rows that are there: rows `id, version`. */
export const lockRows = (table: TableSchema, ids: readonly Id[]): Sql =>
  sql`select _id, _version from ${tableName(table)} where _id = any(${value([...ids], 'uuid[]')}) and _deleted_at is null order by _id for update`;

/** Holds tables against everybody who writes to them or locks their rows, not against readers; always in the same order. */
export const lockTables = (tables: readonly TableSchema[]): Sql =>
  sql`lock table ${join([...tables].sort((a, b) => (a.id < b.id ? -1 : 1)).map(tableName), comma)} in exclusive mode`;

export interface Pair {
  readonly mine: Id;
  readonly theirs: Id;
}

/** The pairs of these rows at the own end, each row's in order: rows `mine, theirs`. */
export function pairsOf(link: LinkRef, rows: readonly Id[]): Sql {
  const { mine, theirs, order } = linkColumns(link);
  return sql`select ${ident(mine)}, ${ident(theirs)} from ${linkTable(link)} where ${ident(mine)} = any(${value([...rows], 'uuid[]')})
order by ${ident(mine)}, ${ident(order)}, ${ident(theirs)}`;
}

/** The pairs of these rows at the other end, up to a number of each: rows `theirs, count, mine[]` (null where they are more). */
export function pairsAt(link: LinkRef, rows: readonly Id[], most: number): Sql {
  const { mine, theirs } = linkColumns(link);
  const { order } = linkColumns({ end: link.end === 'source' ? 'target' : 'source' });
  return sql`select ${ident(theirs)}, count(*), case when count(*) <= ${integer(most)} then json_agg(${ident(mine)} order by ${ident(order)}, ${ident(mine)}) end
from ${linkTable(link)} where ${ident(theirs)} = any(${value([...rows], 'uuid[]')}) group by ${ident(theirs)}`;
}

/** Takes pairs away. */
export function removePairs(link: LinkRef, pairs: readonly Pair[]): Sql {
  const { mine, theirs } = linkColumns(link);
  return sql`delete from ${linkTable(link)} l using json_to_recordset(${value(JSON.stringify(pairs), 'json')}) as p(mine uuid, theirs uuid)
where l.${ident(mine)} = p.mine and l.${ident(theirs)} = p.theirs`;
}

/** Adds pairs, or moves those that are there; `at` is the place in the list of the own end, new ones come last at the other, in the order given. */
export function placePairs(link: LinkRef, pairs: readonly (Pair & { readonly at: number })[]): Sql {
  const { mine, theirs, order } = linkColumns(link);
  const { order: theirOrder } = linkColumns({ end: link.end === 'source' ? 'target' : 'source' });
  const table = linkTable(link);
  return sql`insert into ${table} (${ident(mine)}, ${ident(theirs)}, ${ident(order)}, ${ident(theirOrder)})
select p.mine, p.theirs, p.at, coalesce((select max(l.${ident(theirOrder)}) from ${table} l where l.${ident(theirs)} = p.theirs), -1)
  + (row_number() over (partition by p.theirs order by p.n))::integer
from rows from (json_to_recordset(${value(JSON.stringify(pairs), 'json')}) as (mine uuid, theirs uuid, at integer)) with ordinality as p(mine, theirs, at, n)
on conflict (source_id, target_id) do update set ${ident(order)} = excluded.${ident(order)}`;
}

/** Takes away the pairs of rows that went to the trash while the link was there itself, and nobody looked after it. */
export function dropDeadPairs(table: TableSchema, link: LinkRef): Sql {
  const { mine, theirs } = linkColumns(link);
  const dead = (of: TableSchema, end: string): Sql =>
    sql`exists (select 1 from ${tableName(of)} r where r._id = l.${ident(end)} and r._deleted_at is not null)`;
  return sql`delete from ${linkTable(link)} l where ${dead(table, mine)} or ${dead(link.target, theirs)}`;
}
