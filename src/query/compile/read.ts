import type { Id } from '../../common/index.js';
import type { Condition, ReadPlan } from '../plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { remembered } from '../remember.js';
import { comma, empty, ident, integer, join, sql, value, type Sql } from '../sql.js';
import { onlySeen, onlySeenInTrash, tablesBehind } from './cell.js';
import { tableAsOf } from './as-of.js';
import { compileCondition, ROW } from './condition.js';
import { compileCount, compilePage, explained, type FoundRows, type PageStatement } from './page.js';
import { isSeenRow } from './is-seen-row.js';
import { wholeRowJson } from './row-json.js';
import { listedRecord } from './row-record.js';

/** The physical table, or one of its base's own tables. */
export const tableName = remembered(({ physical }: TableSchema): Sql => ident(physical.schema, physical.table));
export const streamName = remembered(({ physical }: TableSchema): Sql => ident(physical.schema, '_stream'));

/** Of tables of the base of one of them: rows `table, version of its structure`. */
export const schemaVersions = (table: TableSchema, tableIds: readonly Id[]): Sql =>
  sql`select table_id, schema_version from ${streamName(table)} where table_id = any(${value([...tableIds], 'uuid[]')})`;

const [ID, VERSION, DELETED_AT] = [ident(ROW, '_id'), ident(ROW, '_version'), ident(ROW, '_deleted_at')];

/**
 * One page in one statement, hence one snapshot: the stream's number and schema version, the rows as {@link compilePage} gives them, the
 * count.
 *
 * Result, in binary form: one row `rows, epoch, seq, schema_version, total`, all but the first as texts; no row when the table has no stream,
 * or when another table that the plan reads has a structure that it was not made for.
 */
export function compileRead(plan: ReadPlan): PageStatement {
  const rows = rowsOf(plan);
  return compilePage(
    plan,
    rows,
    listedRecord(plan, plan.from.physical),
    (page) =>
      sql`select (${page}), s.epoch::text, (${toldSeq(plan)})::text, s.schema_version::text, (${compileCount(plan.count, rows)})::text as total
from ${streamName(plan.from)} s
where s.table_id = ${value(plan.from.id, 'uuid')}${fence(plan.from, tablesOf(plan))}${kept(plan)}`,
  );
}

/** What a plan says of where its rows come from. */
type RowsPlan = Pick<ReadPlan, 'from' | 'asOf' | 'select' | 'where' | 'trashed'>;

/** The number that the answer is behind. */
export const toldSeq = ({ asOf }: Pick<RowsPlan, 'asOf'>): Sql =>
  asOf === undefined ? sql`s.seq` : value(asOf, 'bigint');

/** Of another time: in this snapshot the log still reaches back so far, or there is no answer. */
export const kept = ({ from, asOf }: Pick<RowsPlan, 'from' | 'asOf'>): Sql =>
  asOf === undefined
    ? empty
    : sql` and (s.seq = ${value(asOf, 'bigint')} or exists (select from ${ident(from.physical.schema, '_change')} c where c.table_id = s.table_id and c.seq = ${value(asOf + 1, 'bigint')}))`;

/** The table, or what it was behind a number. */
const relationOf = ({ from, asOf, select }: RowsPlan): Sql =>
  asOf === undefined ? tableName(from) : tableAsOf(from, asOf, select);

/** The rows of a table that are there, or were. */
export const rowsOf = (plan: RowsPlan): FoundRows => ({
  from: sql`${relationOf(plan)} ${ident(ROW)}`,
  where: plan.asOf === undefined ? visible(plan) : visibleThen(plan),
});

/**
 * Rows by their ids, any number with one text: `schema_version, id, version, json`, one for each row that is there; one with nulls when
 * none is; no row when the table has no stream. The ids come from a subquery, so that PostgreSQL's estimate does not depend on
 * them: it would plan anew for each list that is shorter than it takes lists to be.
 */
export function compileReadRows(
  table: TableSchema,
  select: readonly ColumnSchema[],
  where: Condition,
  ids: readonly Id[],
): Sql {
  return sql`select s.schema_version, ${ID}, ${VERSION}, ${wholeRowJson(ROW, select, table.physical)} as json
from ${streamName(table)} s
left join ${tableName(table)} ${ident(ROW)} on ${ID} = any((select ${value(ids, 'uuid[]')})::uuid[]) and ${visible({ from: table, where })}
where s.table_id = ${value(table.id, 'uuid')}${fence(table, tablesOf({ select, where, orderBy: [] }))}`;
}

/** A row as it was behind a number, as {@link compileReadRows} has it. */
export const compileReadRowAsOf = (
  table: TableSchema,
  where: Condition,
  rowId: Id,
  asOf: number,
): Sql => sql`select s.schema_version, ${ID}, ${VERSION}, ${wholeRowJson(ROW, table.columns, table.physical)} as json
from ${streamName(table)} s
left join ${tableAsOf(table, asOf, table.columns, rowId)} ${ident(ROW)} on ${visibleThen({ from: table, where })}
where s.table_id = ${value(table.id, 'uuid')}${fence(table, tablesOf({ select: table.columns, where, orderBy: [] }))}${kept({ from: table, asOf })}`;

/**
 * Lookups and conditions on links read other tables, whose structure may have moved on while this one's has not. Their versions
 * are asked for in the same snapshot.
 */
export function fence(table: TableSchema, others: ReadonlySet<TableSchema>): Sql {
  // A table may be among them as a whole and as it is seen.
  const versions = new Map([...others, ...(table.seen?.rows?.tables ?? [])].map((each) => [each.id, each]));
  versions.delete(table.id);
  const foreign = [...versions.values()];
  if (foreign.length === 0) return empty;
  const known = foreign.map(({ id, schemaVersion }) => sql`(${value(id, 'uuid')}, ${value(schemaVersion, 'integer')})`);
  return sql` and (select count(*) from ${streamName(table)} o where (o.table_id, o.schema_version) in (${join(known, comma)})) = ${integer(foreign.length)}`;
}

/** The tables that a plan reads besides its own, and maybe its own. */
export function tablesOf({
  select,
  where,
  orderBy,
  expand = [],
}: Pick<ReadPlan, 'select' | 'where' | 'orderBy' | 'expand'>): Set<TableSchema> {
  const tables = new Set(tablesBehindAll(select));
  for (const { link, title } of expand)
    for (const table of [link.target, ...(title ? tablesBehind(title) : [])]) tables.add(table);
  for (const { by } of orderBy)
    if (by.kind === 'column') for (const table of tablesBehind(by.column)) tables.add(table);
  for (const table of tablesInCondition(where)) tables.add(table);
  return tables;
}

const tablesBehindAll = remembered((columns: readonly ColumnSchema[]): readonly TableSchema[] =>
  columns.flatMap(tablesBehind),
);

/** The tables that a condition reads besides the one that it speaks of, and maybe that one. */
export function tablesInCondition(condition: Condition): readonly TableSchema[] {
  switch (condition.kind) {
    case 'true':
      return [];
    case 'and':
    case 'or':
      return condition.items.flatMap(tablesInCondition);
    case 'not':
      return tablesInCondition(condition.item);
    case 'compareColumns':
      return [...tablesBehind(condition.column), ...tablesBehind(condition.other)];
    case 'linked':
      return [condition.link.target, ...tablesInCondition(condition.where)];
    default:
      return tablesBehind(condition.column);
  }
}

/** Rows in the trash are not there for anybody who does not ask for them, rows that are not seen for nobody who does not see them. */
export function visible({ from, where, trashed = false }: Pick<ReadPlan, 'from' | 'where' | 'trashed'>): Sql {
  const there = trashed
    ? sql`${DELETED_AT} is not null${onlySeenInTrash(from, ROW)}`
    : sql`${DELETED_AT} is null${onlySeen(from, ROW)}`;
  return where.kind === 'true' ? there : sql`${there} and ${compileCondition(where)}`;
}

/** Of another time: what was not seen then, and what is not seen today, is not there. */
const visibleThen = (plan: Pick<ReadPlan, 'from' | 'where'>): Sql =>
  plan.from.seen?.rows ? sql`${visible(plan)} and ${isSeenRow(plan.from, ID)}` : visible(plan);

/** What EXPLAIN is asked for an estimated count. */
export const compileEstimate = (plan: ReadPlan): Sql => explained(rowsOf(plan));
