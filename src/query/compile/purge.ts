import type { TableSchema } from '../schema.js';
import { ident, integer, sql, value, type Sql } from '../sql.js';
import { streamName, tableName } from './read.js';

/** Removes a table for good, with its rows, its stream and what is left of its log. */
export const dropTable = (table: TableSchema): Sql[] => [
  sql`drop table ${tableName(table)}`,
  sql`delete from ${ident(table.physical.schema, '_change')} where table_id = ${value(table.id, 'uuid')}`,
  sql`delete from ${streamName(table)} where table_id = ${value(table.id, 'uuid')}`,
];

/** Removes some entries of a table's log, and tells how many. Others that do the same take other entries. */
export const forgetChanges = ({ id, physical }: TableSchema, atMost: number): Sql => sql`with gone as (
  delete from ${ident(physical.schema, '_change')} where ctid = any(array(
    select ctid from ${ident(physical.schema, '_change')} where table_id = ${value(id, 'uuid')} limit ${integer(atMost)} for update skip locked))
  returning 1)
select count(*) from gone`;
