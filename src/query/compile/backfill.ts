import type { Id } from '../../common/index.js';
import type { TableSchema } from '../schema.js';
import { ident, integer, literal, sql, toStatement, value, type Sql } from '../sql.js';
import { addHiddenCheck, addHiddenColumn } from './alter-column.js';
import { convertedCell, type Conversion } from './cast.js';
import { tableName } from './read.js';

/**
 * A conversion that takes its time while rows are read and written: a hidden column, which a trigger keeps right from the moment it
 * is there on, and which is filled behind that, some rows at a time.
 */
export interface Backfill extends Conversion {
  /** Name of the column that is filled. */
  readonly hidden: string;
  /** Name of the trigger, and of its function. */
  readonly trigger: string;
}

/**
 * From here on whoever writes the old cell writes the new one, too. The function has its own settings: an operator's session may have
 * others. Casts are total, so that it never refuses a row.
 */
export function beginBackfill(backfill: Backfill): Sql[] {
  const { table, from, to, hidden, trigger } = backfill;
  const { text, values } = toStatement(converted(backfill, 'new'));
  // The body of a function has no parameters.
  if (values.length > 0) throw new Error('a cast is made of constants');
  const body = `begin new.${toStatement(ident(hidden)).text} := ${text}; return new; end`;
  return [
    addHiddenColumn(table, to, hidden),
    ...addHiddenCheck(table, to, hidden),
    sql`create function ${functionName(table, trigger)}() returns trigger language plpgsql
set search_path = pg_catalog set timezone = 'UTC' as ${literal(body)}`,
    sql`create trigger ${ident(trigger)} before insert or update of ${ident(from.physical)} on ${tableName(table)}
for each row execute function ${functionName(table, trigger)}()`,
  ];
}

/**
 * Fills the next rows in the order of their ids, which is that in which writers lock them. Says nothing to anybody: neither version
 * nor time of the rows change. One row `last id, how many, of them with a value
 * that cannot be converted`; the id is null behind the last row.
 */
export function fillNext(backfill: Backfill, after: Id | null, size: number): Sql {
  const { table, hidden } = backfill;
  const rest = after === null ? sql`true` : sql`_id > ${value(after, 'uuid')}`;
  return sql`with next as (select _id from ${tableName(table)} where ${rest} order by _id limit ${integer(size)} for no key update),
filled as (update ${tableName(table)} t set ${ident(hidden)} = ${converted(backfill, 't')} from next where t._id = next._id returning ${isLost(backfill, 't')} as lost)
select (select _id from next order by _id desc limit 1), count(*), count(*) filter (where lost) from filled`;
}

/** Leaves the hidden column, which nobody keeps right any more. */
export const endBackfill = ({ table, trigger }: Pick<Backfill, 'table' | 'trigger'>): Sql[] => [
  sql`drop trigger if exists ${ident(trigger)} on ${tableName(table)}`,
  sql`drop function if exists ${functionName(table, trigger)}()`,
];

/** How many cells became none, once all are filled. */
export const countLost = (backfill: Backfill): Sql =>
  sql`select count(*) from ${tableName(backfill.table)} t where ${isLost(backfill, 't')}`;

const isLost = ({ from, hidden }: Backfill, alias: string): Sql =>
  sql`${ident(alias, from.physical)} is not null and ${ident(alias, hidden)} is null`;

const functionName = (table: TableSchema, name: string): Sql => ident(table.physical.schema, name);

function converted(backfill: Conversion, alias: string): Sql {
  const cell = convertedCell(backfill, alias);
  if (!cell) throw new Error('the types convert');
  return cell;
}
