import type { Id } from '../../common/index.js';
import type { TableSchema } from '../schema.js';
import { ident, integer, sql, value, type Sql } from '../sql.js';
import { streamName, tableName } from './read.js';

/** Removes a table for good, with its rows, its stream and what is left of its log. */
export const dropTable = (table: TableSchema): Sql[] => [
  sql`drop table ${tableName(table)}`,
  sql`delete from ${ident(table.physical.schema, '_change')} where table_id = ${value(table.id, 'uuid')}`,
  sql`delete from ${ident(table.physical.schema, '_anchor')} where table_id = ${value(table.id, 'uuid')}`,
  sql`delete from ${streamName(table)} where table_id = ${value(table.id, 'uuid')}`,
];

/** Removes some entries of a table's log, and tells how many. Others that do the same take other entries. */
export const forgetChanges = ({ id, physical }: TableSchema, atMost: number): Sql => sql`with gone as (
  delete from ${ident(physical.schema, '_change')} where ctid = any(array(
    select ctid from ${ident(physical.schema, '_change')} where table_id = ${value(id, 'uuid')} limit ${integer(atMost)} for update skip locked))
  returning 1)
select count(*) from gone`;

/** Removes some of the rows that were deleted before a time, and tells how many. */
export const purgeTrashedRows = (
  schema: string,
  table: string,
  before: string,
  atMost: number,
): Sql => sql`with gone as (
  delete from ${ident(schema, table)} where _id = any(array(
    select _id from ${ident(schema, table)} where _deleted_at < ${value(before, 'timestamptz')} limit ${integer(atMost)} for update skip locked))
  returning 1)
select count(*) from gone`;

/**
 * Removes the oldest numbers of a table's log whose changes were all made before a time, and tells how many changes that were. Numbers are
 * taken whole, and in order, one that is larger than `atMost` by itself: what is left has no hole. The newest number is never taken. The link of the last that was taken is kept: what is left
 * builds upon it, and can still be verified. Numbers from before there were links have none, and then the chain begins where it began.
 */
export function forgetOldChanges(schema: string, tableId: Id, before: string, atMost: number): Sql {
  const log = ident(schema, '_change');
  const anchor = ident(schema, '_anchor');
  const own = sql`table_id = ${value(tableId, 'uuid')}`;
  return sql`with oldest as materialized (select seq, at from ${log} where ${own} order by seq, ord limit ${integer(atMost)}),
until as (select coalesce(min(seq) filter (where at >= ${value(before, 'timestamptz')}),
  case when min(seq) < max(seq) or not exists (select from ${log} where ${own} and seq > (select max(seq) from oldest)) then max(seq) else max(seq) + 1 end) as seq from oldest),
gone as (delete from ${log} using until where ${own} and ${log}.seq < until.seq returning ${log}.seq, ${log}.hash),
anchored as (insert into ${anchor} as a (table_id, seq, hash, forgotten)
  select ${value(tableId, 'uuid')}, seq, coalesce(hash, ''), seq from gone order by seq desc, hash is null limit 1
  on conflict (table_id) do update set forgotten = excluded.forgotten, seq = greatest(a.seq, excluded.seq),
    hash = case when excluded.seq > a.seq then excluded.hash else a.hash end)
select count(*) from gone`;
}
