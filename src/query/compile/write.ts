import { must } from '../../common/index.js';
import type { LinkChange, RowOp, RowWrite } from '../write-plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { remembered, underName } from '../remember.js';
import { isStored, isWritable } from '../kind.js';
import { columnType } from '../types/index.js';
import { comma, empty, ident, join, sql, value, type Sql } from '../sql.js';
import { ASIDE } from './aside.js';
import { contexts, numberedAndLogged } from './written-change.js';
import { streamName, tableName } from './read.js';
import { physicalType } from './physical.js';
import { formulasOver } from './formulas-over.js';
import { changedFieldsJson, fieldsJson, rowJson, wholeRowJson } from './row-json.js';

/** Name of the NOT NULL column whose violation means: the schema version is no longer the one this statement was compiled for. */
export const FENCE_COLUMN = 'seq';

/**
 * Any number of writes to one table as ONE statement, which is the whole transaction: lock the rows in id order, judge the
 * preconditions, change the rows, take the numbers, log. Each write gets a number of its own, in the order given; a write
 * whose precondition fails changes nothing and takes no number.
 *
 * - `taken` updates the stream last, so its row lock is held only until the commit that follows at once.
 * - If the stream's schema version has moved on, `taken` is empty and the log's NOT NULL on `seq` aborts the statement.
 * - A row that another transaction changed while we waited for its lock is judged in its newest version: `locked` locks
 *   and PostgreSQL re-checks the joins (manual 13.2.1, Read Committed).
 * - The digests of what is said are made before the stream is locked; behind the lock each number costs one more hash (chain.ts). `links` is
 *   materialized, or PostgreSQL would compute it for each entry.
 *
 * Result, one row for each op: `g, o, status, seq, epoch, id, version, json`; status is `ok`, `unchanged`, `not_found`
 * or `version_mismatch`, json is the row as it is now (null after a deletion, and where a change is quiet). What is computed from other rows that the statement
 * changes is in it as it was before, see {@link lagsBehind}.
 */
export function compileWrite(table: TableSchema, writes: readonly RowWrite[]): Sql {
  // The log would miss what the writer does not see.
  if (table.seen) throw new Error('A write is made with the whole table.');
  const shape = shapeOf(table, writes);
  return sql`with
${contexts(writes)},
x as materialized (select * from json_to_recordset(${value(JSON.stringify(opRecords(table, writes)), 'json')})
  ${underName(bodies(table), MAX_SHAPES, nameOf(table, shape), () => body(table, shape))}`;
}

/** So many are kept with a table: updates of other columns are other shapes. */
const MAX_SHAPES = 200;
const bodies = remembered((_table: TableSchema) => new Map<string, Sql>());

const nameOf = (table: TableSchema, { updated, ...flags }: Shape): string =>
  [...Object.values(flags), ...updated.map((column) => table.columns.indexOf(column))].join();

/** All of the statement that follows from its shape: everything behind the values. */
function body(table: TableSchema, shape: Shape): Sql {
  const changes = [
    // In this order, so that a unique value which one op gives up is free for another: `changed` asks for them one by one.
    ...(shape.deletes ? [deleteRows(table, shape)] : []),
    ...(shape.updates ? [updateRows(table, shape)] : []),
    ...(shape.restores ? [restoreRows(table, shape)] : []),
    ...(shape.creates ? [insertRows(table, shape)] : []),
  ];
  return sql`as x(g integer, o integer, k text, i uuid, e integer${join(recordColumns(table, shape), empty)})),
${lockRows(table, shape)}
${join(
  changes.map(({ ctes }) => ctes),
  comma,
)},
changed as (${join(
    changes.map(({ rows }) => rows),
    sql` union all `,
  )}),
${numberedAndLogged(table)}
select x.g, x.o, coalesce(judged.status, case when c._id is null then 'unchanged' else 'ok' end) as status,
  coalesce(taken.base + numbered.n, s.seq) as seq, coalesce(taken.epoch, s.epoch) as epoch, x.i as id, coalesce(c._version, l._version) as version,
  case when c._id is null then l.json when c.op <> 'delete' then c.json end as json
from x
left join (select g, o, _id, _version, op, ${shape.rows ? rowJson('changed', sql`changed.f`) : sql`null::text`} as json from changed) c on c.g = x.g and c.o = x.o
left join ${shape.existing ? sql`judged on judged.g = x.g and judged.o = x.o` : sql`(select null::text as status) judged on true`}
left join ${shape.existing ? sql`(select _id, _version, ${wholeRowJson('locked', table.columns, table.physical)} as json from locked) l on l._id = x.i and c._id is null` : sql`(select null::integer as _version, null::text as json) l on true`}
left join numbered on numbered.g = x.g
left join taken on true
left join ${streamName(table)} s on s.table_id = ${value(table.id, 'uuid')}
order by x.g, x.o`;
}

interface Shape {
  readonly creates: boolean;
  readonly updates: boolean;
  readonly deletes: boolean;
  readonly restores: boolean;
  /** Whether some write is asked for its rows. */
  readonly rows: boolean;
  /** Whether any op concerns a row that should be there. */
  readonly existing: boolean;
  /** Whether links of some row change. */
  readonly links: boolean;
  /** Whether the rows were set aside. */
  readonly aside: boolean;
  /** Columns that some update or restore sets, in the order of the table, so that equal shapes make equal text. */
  readonly updated: readonly ColumnSchema[];
}

function shapeOf(table: TableSchema, writes: readonly RowWrite[]): Shape {
  const kinds = new Set<RowOp['kind']>();
  const touched = new Set<ColumnSchema>();
  let links = false;
  const places = new Set<boolean>();
  for (const { ops } of writes) {
    for (const op of ops) {
      kinds.add(op.kind);
      places.add(op.kind === 'update' && op.aside === true);
      if (op.kind === 'update' || op.kind === 'restore') for (const column of op.values.keys()) touched.add(column);
      if (op.kind === 'update' || op.kind === 'delete') links ||= op.links !== undefined;
    }
  }
  if (places.size > 1) throw new Error('Rows that were set aside are not written together with others.');
  return {
    creates: kinds.has('create'),
    updates: kinds.has('update'),
    deletes: kinds.has('delete'),
    restores: kinds.has('restore'),
    rows: writes.some(({ quiet }) => !quiet),
    existing: kinds.has('update') || kinds.has('delete') || kinds.has('restore'),
    links,
    aside: places.has(true),
    updated: table.columns.filter((column) => touched.has(column)),
  };
}

/** The columns that statements give values to; PostgreSQL makes those of the others. */
export const writtenColumns = remembered(({ columns }: TableSchema): readonly ColumnSchema[] =>
  columns.filter((column) => isStored(column) && isWritable(column)),
);

/** Link fields as further members of a JSON object. */
const members = (fields: LinkChange['before']): string => {
  const text = JSON.stringify(fields).slice(1, -1);
  return text === '' ? '' : `,${text}`;
};

/** What a column is called in the records of ops: `v<n>` is its value, the table's n-th column, `s<n>` tells that an update sets it. */
interface Carrier {
  readonly value: string;
  readonly set: string;
}
const carriers = remembered(
  (table: TableSchema): ReadonlyMap<ColumnSchema, Carrier> =>
    new Map(
      writtenColumns(table).map((column) => {
        const n = table.columns.indexOf(column);
        return [column, { value: `v${n}`, set: `s${n}` }];
      }),
    ),
);
const carrierOf = (table: TableSchema, column: ColumnSchema): Carrier =>
  // By identity: a column of another copy of the metadata would be left out silently.
  must(carriers(table).get(column), 'a value belongs to a stored column of the table that the statement is made for');

/** The ops as JSON records, with their values by {@link Carrier}; `lb` and `la` are its links before and after. */
function opRecords(table: TableSchema, writes: readonly RowWrite[]): Record<string, unknown>[] {
  return writes.flatMap(({ ops }, g) =>
    ops.map((op, o) => {
      const record: Record<string, unknown> = { g, o, k: op.kind, i: op.id };
      if ((op.kind === 'update' || op.kind === 'delete') && op.expectedVersion !== undefined)
        record.e = op.expectedVersion;
      if ((op.kind === 'update' || op.kind === 'delete') && op.links) {
        record.lb = members(op.links.before);
        record.la = members(op.links.after);
      }
      if (op.kind === 'delete') return record;
      for (const [column, cell] of op.values) {
        const carrier = carrierOf(table, column);
        record[carrier.value] = cell;
        if (op.kind !== 'create') record[carrier.set] = true;
      }
      return record;
    }),
  );
}

function given(table: TableSchema, column: ColumnSchema): Sql {
  const carried = ident('x', carrierOf(table, column).value);
  return columnType(column.type).carried?.read(carried) ?? carried;
}
const isSet = (table: TableSchema, column: ColumnSchema): Sql => ident('x', carrierOf(table, column).set);

function recordColumns(table: TableSchema, shape: Shape): Sql[] {
  const values = shape.creates ? writtenColumns(table) : shape.updated;
  return [
    ...(shape.links ? [sql`, lb text, la text`] : []),
    ...values.map(
      (column) =>
        sql`, ${ident(carrierOf(table, column).value)} ${columnType(column.type).carried?.as ?? physicalType(column)}`,
    ),
    ...shape.updated.map((column) => sql`, ${ident(carrierOf(table, column).set)} boolean`),
  ];
}

/** Locks what must be there, in id order so that two writers never wait for each other in a circle, and judges the preconditions. */
function lockRows(table: TableSchema, shape: Shape): Sql {
  if (!shape.existing) return empty;
  const there = shape.aside
    ? ASIDE
    : shape.restores
      ? sql`(t._deleted_at is null) = (x.k <> 'restore')`
      : sql`t._deleted_at is null`;
  return sql`locked as materialized (select t.* from ${tableName(table)} t join x on x.i = t._id
  where x.k <> 'create' and ${there} order by t._id for update of t),
judged as materialized (select x.g, x.o, case when l._id is null then 'not_found' else 'version_mismatch' end as status
  from x left join locked l on l._id = x.i where x.k <> 'create' and (l._id is null or l._version <> x.e)),
blocked as materialized (select x.g, x.o from x join w using (g)
  where exists (select 1 from judged where judged.g = x.g and (w.atomic or judged.o = x.o))),`;
}

const NOT_BLOCKED = sql`not exists (select 1 from blocked where blocked.g = x.g and blocked.o = x.o)`;

/** One kind of change: the CTEs that make it, and the rows that it adds to `changed`. */
interface Change {
  readonly ctes: Sql;
  readonly rows: Sql;
}

/** What every row has, of the alias `t`. */
export const SYSTEM = sql`t._id, t._version, t._created_at, t._created_by, t._updated_at, t._updated_by`;

/**
 * PostgreSQL takes the numbers of an autonumber as the rows come, and without an order a hash join brings them as it likes; behind the
 * order of a subselect it takes them in the order of the ops. Nobody else pays for the sort.
 */
const inTheOrderOfOps = ({ columns }: TableSchema): Sql =>
  columns.some(({ type }) => columnType(type).generated) ? sql` order by x.g, x.o` : empty;

/** New rows. Every column is named, so that all inserts of one table share one text. */
function insertRows(table: TableSchema, shape: Shape): Change {
  const names = writtenColumns(table).map((column) => sql`, ${ident(column.physical)}`);
  const values = writtenColumns(table).map((column) => sql`, ${given(table, column)}`);
  return {
    ctes: sql`inserted as (insert into ${tableName(table)} as t
  (_id, _version, _created_at, _created_by, _updated_at, _updated_by${join(names, empty)})
  select x.i, 1, w.at, w.actor, w.at, w.actor${join(values, empty)}
  from x join w using (g) where x.k = 'create'${shape.existing ? sql` and ${NOT_BLOCKED}` : empty}${inTheOrderOfOps(table)}
  returning ${SYSTEM}, ${fieldsJson('t', table.columns, table.physical)} as f)`,
    rows: sql`select x.g, x.o, ${SYSTEM}, 'create' as op, null::text as before, t.f as after, t.f from inserted t join x on x.i = t._id`,
  };
}

/** The values of updates and restores, to be set. */
const givenValues = (table: TableSchema, columns: readonly ColumnSchema[]): Sql =>
  join(
    columns.map(
      (column) =>
        sql`${ident(column.physical)} = case when ${isSet(table, column)} then ${given(table, column)} else ${ident('t', column.physical)} end, `,
    ),
    empty,
  );

/** Rows that really become different; one that would stay the same is left alone and gets no version. */
function updateRows(table: TableSchema, { updated: columns, links, rows, aside }: Shape): Change {
  const differs = columns.map(
    (column) =>
      sql`(${isSet(table, column)} and ${given(table, column)} is distinct from ${ident('l', column.physical)})`,
  );
  if (links) differs.push(sql`x.lb is not null`);
  // Whatever becomes of it, it does not stay there.
  if (aside) differs.push(sql`true`);
  const told = [...columns, ...formulasOver(table, columns)];
  const changed = (mine: string, theirs: string, more: Sql): Sql =>
    changedFieldsJson(mine, theirs, told, table.physical, links ? more : empty);
  return {
    ctes: sql`updated as (update ${tableName(table)} t
  set ${givenValues(table, columns)}${aside ? sql`_deleted_at = null, ` : empty}_version = t._version + 1, _updated_at = w.at, _updated_by = w.actor
  from x join w using (g) join locked l on l._id = x.i
  where t._id = x.i and x.k = 'update' and ${NOT_BLOCKED} and ${differs.length === 0 ? sql`false` : sql`(${join(differs, sql` or `)})`}
  returning x.g, x.o, ${SYSTEM}, ${changed('l', 't', sql`x.lb`)} as before, ${changed('t', 'l', sql`x.la`)} as after, ${rows ? fieldsJson('t', table.columns, table.physical) : sql`null::text`} as f)`,
    rows: sql`select t.g, t.o, ${SYSTEM}, 'update' as op, t.before, t.after, t.f from updated t`,
  };
}

/**
 * Into the trash: the row stays, invisible, until it is restored or purged. Its links are gone by now, and what is computed
 * from them with them; those that it had are told.
 */
function deleteRows(table: TableSchema, { links }: Shape): Change {
  const own = table.columns.filter(({ derived }) => derived === undefined || derived.kind === 'system');
  const fields = fieldsJson('t', own, table.physical);
  const all = own.length === 0 ? sql`concat('{', substr(x.lb, 2), '}')` : sql`concat(left(${fields}, -1), x.lb, '}')`;
  return {
    ctes: sql`deleted as (update ${tableName(table)} t
  set _deleted_at = w.at, _version = t._version + 1, _updated_at = w.at, _updated_by = w.actor
  from x join w using (g) join locked l on l._id = x.i
  where t._id = x.i and x.k = 'delete' and ${NOT_BLOCKED}
  returning x.g, x.o, ${SYSTEM}, ${links ? all : fields} as f)`,
    rows: sql`select t.g, t.o, ${SYSTEM}, 'delete' as op, t.f as before, null::text as after, t.f from deleted t`,
  };
}

/** Out of the trash. Its new links are there by now, so the log tells all of the row. */
function restoreRows(table: TableSchema, { updated }: Shape): Change {
  return {
    ctes: sql`restored as (update ${tableName(table)} t
  set ${givenValues(table, updated)}_deleted_at = null, _version = t._version + 1, _updated_at = w.at, _updated_by = w.actor
  from x join w using (g) join locked l on l._id = x.i
  where t._id = x.i and x.k = 'restore' and ${NOT_BLOCKED}
  returning x.g, x.o, ${SYSTEM}, ${fieldsJson('t', table.columns, table.physical)} as f)`,
    rows: sql`select t.g, t.o, ${SYSTEM}, 'restore' as op, null::text as before, t.f as after, t.f from restored t`,
  };
}
