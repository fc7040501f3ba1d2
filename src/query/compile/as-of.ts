import type { Id } from '../../common/index.js';
import { isStored, kindOf } from '../kind.js';
import { wholeOf, type ColumnSchema, type TableSchema } from '../schema.js';
import { columnType } from '../types/index.js';
import { comma, empty, ident, join, literal, sql, value, type Sql } from '../sql.js';
import { pairsNow } from './cell.js';
import { physicalType } from './physical.js';

/**
 * The table as it was behind a number of its log, as a relation that reads take the place of the table by: the rows that nothing happened to since, and
 * those that were there and have changed, each field with what it held before the first change behind the number.
 *
 * `table` has only columns that can be told of then (resolve-as-of.ts). Rows in the trash are not in it. `rowId`: of one row only.
 *
 * Lists of links are gathered for those of `shown` only: they can be shown, and nothing else.
 *
 * Who changed a row last, and when, is told by the entry of the version that it had then; where the log does not reach back so far, by what
 * is known of its making.
 */
export function tableAsOf(table: TableSchema, seq: number, shown: readonly ColumnSchema[], rowId?: Id): Sql {
  const { schema, table: name } = table.physical;
  const log = ident(schema, '_change');
  const own = sql`table_id = ${value(table.id, 'uuid')}`;
  const only = (column: Sql): Sql => (rowId === undefined ? empty : sql` and ${column} = ${value(rowId, 'uuid')}`);
  // Whatever of it is shown, rules may depend on all of it.
  const stored = wholeOf(table).columns.filter(
    (column) => isStored(column) && (!column.linkThen || shown.some(({ id }) => id === column.id)),
  );
  const now = stored.map((column) => sql`, ${cellNow(column)} as ${ident(column.physical)}`);
  const then = stored.map((column) => sql`, ${cellThen(column)} as ${ident(column.physical)}`);
  return sql`(with since as materialized (select row_id, seq, ord, op, version, before, at from ${log}
    where ${own} and seq > ${value(seq, 'bigint')} and row_id is not null${only(sql`row_id`)}),
  first as materialized (select distinct on (row_id) row_id, op, version, at from since order by row_id, seq, ord),
  held as (select row_id, jsonb_object_agg(key, value) as fields from (
    select distinct on (s.row_id, e.key) s.row_id, e.key, e.value::jsonb as value from since s, json_each(s.before) e
    where e.key = any(${value(
      stored.map(({ key }) => key),
      'text[]',
    )}) order by s.row_id, e.key, s.seq, s.ord) f group by row_id)
  select t._id, t._version, t._created_at, t._created_by, t._updated_at, t._updated_by, t._deleted_at${join(now, empty)}
  from ${ident(schema, name)} t where not exists (select from first f where f.row_id = t._id)${only(sql`t._id`)}
  union all
  select f.row_id, f.version - 1, coalesce(t._created_at, made.at, f.at), coalesce(t._created_by, made.actor_id),
    coalesce(latest.at, t._created_at, f.at), case when latest.row_id is null then t._created_by else latest.actor_id end, null::timestamptz${join(then, empty)}
  from first f left join held h on h.row_id = f.row_id
  left join ${ident(schema, name)} t on t._id = f.row_id
  left join ${log} made on made.${own} and made.row_id = f.row_id and made.version = 1
  left join ${log} latest on latest.${own} and latest.row_id = f.row_id and latest.version = f.version - 1
  ${record(stored)}
  where f.op in ('update', 'delete'))`;
}

/** The fields of the log as values. */
function record(columns: readonly ColumnSchema[]): Sql {
  if (columns.length === 0) return empty;
  const fields = columns.map((column) => sql`${ident(column.key)} ${loggedOf(column)?.as ?? physicalType(column)}`);
  return sql`cross join lateral jsonb_to_record(coalesce(h.fields, '{}')) v(${join(fields, comma)})`;
}

/** What the log says, or what is there since nothing has changed it. */
function cellThen(column: ColumnSchema): Sql {
  const logged = ident('v', column.key);
  const read = loggedOf(column)?.read(logged) ?? logged;
  // An empty list is null in a cell.
  const cell = kindOf(column).list ? sql`nullif(${read}, '{}')` : read;
  return sql`case when h.fields ? ${literal(column.key)} then ${cell} else ${cellNow(column)} end`;
}

/** What is there, in the row or in the pairs of a link. */
const cellNow = ({ physical, linkThen }: ColumnSchema): Sql =>
  linkThen ? pairsNow(linkThen, 't') : ident('t', physical);

const loggedOf = ({ type }: ColumnSchema) => columnType(type).logged;
