import type { Id } from '../../common/index.js';
import { isStamp } from '../kind.js';
import { remembered } from '../remember.js';
import type { TableSchema } from '../schema.js';
import { empty, ident, sql, value, type Sql } from '../sql.js';
import type { RowOp } from '../write-plan.js';
import { onlySeen, sourcesOf } from './cell.js';
import { digestOf, entriesText, entryText, nextLink, sharedText } from './chain.js';
import { isLink } from './link-ddl.js';
import { tableName } from './read.js';
import { fieldsJson, rowJson } from './row-json.js';
import { SYSTEM } from './write.js';

const sourcesOfAll = remembered((table: TableSchema) => table.columns.flatMap(sourcesOf));

/**
 * Whether rows that a write of these ops answers with show cells computed from rows that it changes itself. A statement sees
 * what others did before it, so pairs of links that were changed first are in such cells, but not its own new rows and
 * values, nor those of tables that are written after it; these cells have to be read again.
 *
 * `touched` are the tables whose rows the write changes; in others than its own it changes nothing but links, and with them who changed
 * the row, and when.
 */
export function lagsBehind(table: TableSchema, ops: readonly RowOp[], touched: ReadonlySet<Id>): boolean {
  const sources = sourcesOfAll(table);
  if (sources.length === 0) return false;
  const written = new Set<Id>();
  let joins = false;
  for (const op of ops) {
    if (op.kind === 'delete') continue;
    // A new row, or one that comes back, is seen from others, itself among them, through its links only.
    if (op.kind === 'create' || op.kind === 'restore') joins ||= [...op.values.keys()].some(isLink);
    else for (const { id } of op.values.keys()) written.add(id);
  }
  return sources.some(
    ({ table: { id }, column }) =>
      touched.has(id) && (isStamp(column) || (id === table.id && (joins || written.has(column.id)))),
  );
}

/**
 * These rows as they are behind everything that the transaction wrote: rows `id, json`. Those that were made, or came back, under the number
 * `madeUnder` are put into the change log that way, too, where they were written down by the statement that made them.
 */
export function compileReread(table: TableSchema, ids: readonly Id[], madeUnder?: number): Sql {
  return sql`with written as materialized (select ${SYSTEM}, ${fieldsJson('t', table.columns, table.physical)} as f
  from ${tableName(table)} t where t._id = any(${value([...ids], 'uuid[]')})${onlySeen(table, 't')})${madeUnder === undefined ? empty : relogged(table, madeUnder)}
select _id, ${rowJson('written', sql`written.f`)} from written`;
}

/** The number is the newest, and the only one of the statement that took it; so its link is made anew of the one before, too. */
function relogged({ id, physical }: TableSchema, seq: number): Sql {
  const [log, stream] = [ident(physical.schema, '_change'), ident(physical.schema, '_stream')];
  const after = sql`coalesce(w.f::json, c.after)`;
  const entry = entryText((name) => (name === 'after' ? after : ident('c', name)));
  const own = sql`table_id = ${value(id, 'uuid')} and seq = ${value(seq, 'bigint')}`;
  return sql`, entries as (select c.ord, ${after} as after, ${entry} as entry, ${sharedText((name) => ident('c', name))} as shared from (select * from ${log} where ${own}) c
  left join written w on w._id = c.row_id and c.op in ('create', 'restore')),
link as (select ${nextLink(sql`s.prior`, sql`s.seq`, sql`e.digest`)} as hash
  from (select * from ${stream} where ${own}) s, (select ${digestOf(sql`min(shared)`, entriesText(sql`entry`, sql`ord`))} as digest from entries) e),
relogged as (update ${log} c set after = e.after, hash = case when c.hash is not null then link.hash end from entries e, link
  where c.table_id = ${value(id, 'uuid')} and c.seq = ${value(seq, 'bigint')} and c.ord = e.ord),
relinked as (update ${stream} s set head = link.hash from link where s.table_id = ${value(id, 'uuid')})`;
}
