import type { Id } from '../../common/index.js';
import type { TableSchema } from '../schema.js';
import { ident, integer, literal, sql, toStatement, value, type Sql } from '../sql.js';
import { addHiddenCheck, addHiddenColumn } from './alter-column.js';
import { isStored } from '../kind.js';
import { convertedCell, isLost, type Conversion } from './converted.js';
import { tableName } from './read.js';

/**
 * A conversion that takes its time while rows are read and written: a hidden column, which a trigger keeps right from the moment it
 * is there on, and which is filled behind that, some rows at a time. A computed cell changes without its row being written, so no trigger
 * follows it; {@link catchUp} makes the difference in the end.
 */
export interface Backfill extends Conversion {
  /** Name of the column that is filled. */
  readonly hidden: string;
  /** Name of the trigger, and of its function. */
  readonly trigger: string;
}

const isFollowed = ({ from }: Conversion): boolean => isStored(from);

/**
 * From here on whoever writes the old cell writes the new one, too. The function has its own settings: an operator's session may have
 * others. Casts are total, so that it never refuses a row.
 */
export function beginBackfill(backfill: Backfill): Sql[] {
  const { table, from, to, hidden, trigger } = backfill;
  const added = [addHiddenColumn(table, to, hidden), ...addHiddenCheck(table, to, hidden)];
  if (!isFollowed(backfill)) return added;
  const { text, values } = toStatement(converted(backfill, 'new'));
  // The body of a function has no parameters.
  if (values.length > 0) throw new Error('a cast is made of constants');
  const body = `begin new.${toStatement(ident(hidden)).text} := ${text}; return new; end`;
  return [
    ...added,
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
filled as (update ${tableName(table)} t set ${ident(hidden)} = ${converted(backfill, 't')} from next where t._id = next._id returning ${isLost(backfill, ident('t', hidden), 't')} as lost)
select (select _id from next order by _id desc limit 1), count(*), count(*) filter (where lost) from filled`;
}

/** Leaves the hidden column, which nobody keeps right any more. */
export const endBackfill = ({ table, trigger }: Pick<Backfill, 'table' | 'trigger'>): Sql[] => [
  sql`drop trigger if exists ${ident(trigger)} on ${tableName(table)}`,
  sql`drop function if exists ${functionName(table, trigger)}()`,
];

/** What has changed of computed cells since they were filled; nothing of those that a trigger followed. */
export function catchUp(backfill: Backfill): Sql[] {
  if (isFollowed(backfill)) return [];
  const { table, hidden } = backfill;
  const name = tableName(table);
  return [
    sql`update ${name} t set ${ident(hidden)} = n.v from (select s._id, ${converted(backfill, 's')} as v from ${name} s offset 0) n
where n._id = t._id and t.${ident(hidden)} is distinct from n.v`,
  ];
}

/** How many cells become none, once all are filled. */
export function countLost(backfill: Backfill): Sql {
  const became = isFollowed(backfill) ? ident('t', backfill.hidden) : converted(backfill, 't');
  return sql`select count(*) from ${tableName(backfill.table)} t where ${isLost(backfill, became, 't')}`;
}

const functionName = (table: TableSchema, name: string): Sql => ident(table.physical.schema, name);

function converted(backfill: Conversion, alias: string): Sql {
  const cell = convertedCell(backfill, alias);
  if (!cell) throw new Error('the types convert');
  return cell;
}
