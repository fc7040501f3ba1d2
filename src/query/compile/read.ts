import type { Id } from '../../common/index.js';
import { COUNT_BOUND, isBackward, type Condition, type ReadPlan } from '../plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { remembered } from '../remember.js';
import { comma, empty, ident, integer, join, literal, sql, value, type Sql } from '../sql.js';
import { tablesBehind } from './cell.js';
import { compileCondition, ROW } from './condition.js';
import { compileAfter, compileOrderBy, compilePosition, reversed } from './order.js';
import { listedRowJson, wholeRowJson } from './row-json.js';

/** The physical table, or one of its base's own tables. */
export const tableName = remembered(({ physical }: TableSchema): Sql => ident(physical.schema, physical.table));
export const streamName = remembered(({ physical }: TableSchema): Sql => ident(physical.schema, '_stream'));

const [ID, VERSION, DELETED_AT] = [ident(ROW, '_id'), ident(ROW, '_version'), ident(ROW, '_deleted_at')];

/** Between the rows of a page. A line feed cannot occur inside a row: JSON texts escape it, and ours have no white space. */
export const ROW_SEPARATOR = ',\n';

/**
 * One page in one statement, hence one snapshot: the stream's number and schema version, the rows as JSON text, the number
 * of rows found (one more than the limit tells that there is another page behind, and that the last row is not part of this one;
 * of a page that is read backwards: before, and the first), the positions of the last row and of the first, the count. A position
 * is null where no page can lie beyond it.
 *
 * Result: one row `epoch, seq, schema_version, data, found, last, first (JSON arrays), total`; no row when the table has no stream,
 * or when another table that the plan reads has a structure that it was not made for.
 */
export function compileRead(plan: ReadPlan): Sql {
  const { last, first } = edgesOf(plan);
  const position = compilePosition(plan.orderBy, plan.from.physical).map((part, i) => ({
    ...part,
    name: ident(`k${i}`),
  }));
  return sql`select s.epoch, s.seq, s.schema_version, page.data, page.found, page.last, page.first, ${compileCount(plan)} as total
from ${streamName(plan.from)} s
left join lateral (
  select string_agg(r.j, ${literal(ROW_SEPARATOR)}) as data, count(*) as found,
    ${positionJson(last, position)} as last, ${positionJson(first, position)} as first
  from (
    select ${listedRowJson(ROW, plan, plan.from.physical)} as j, ${join(
      position.map(({ cell, name }) => sql`${cell} as ${name}`),
      comma,
    )}
    from (${compilePage(plan)}) ${ident(ROW)}
  ) r
) page on true
where s.table_id = ${value(plan.from.id, 'uuid')}${fence(plan.from, tablesOf(plan))}`;
}

/** A row whose position is asked for: in which case, and which of those found. */
interface EdgeRow {
  readonly when: Sql;
  readonly index: Sql;
}

/** Nothing lies before the first page; where a page was asked for by a cursor, rows were on the other side of it. */
function edgesOf({ limit, after, way = 'after' }: ReadPlan): { readonly last?: EdgeRow; readonly first?: EdgeRow } {
  const most = integer(limit);
  const more = sql`count(*) > ${most}`;
  const any = sql`count(*) > 0`;
  if (isBackward(way)) return { last: { when: any, index: sql`count(*)` }, first: { when: more, index: sql`2` } };
  const last = { when: more, index: most };
  return after === undefined ? { last } : { last, first: { when: any, index: sql`1` } };
}

/** By subscript, which costs less than a window over all rows. */
function positionJson(
  row: EdgeRow | undefined,
  cells: readonly { readonly json: (cell: Sql) => Sql; readonly name: Sql }[],
): Sql {
  if (!row) return sql`null::text`;
  const parts = cells.map(({ json, name }) => json(sql`(array_agg(r.${name}))[${row.index}]`));
  return sql`case when ${row.when} then concat('[', ${join(parts, sql`, ',', `)}, ']') end`;
}

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
left join ${tableName(table)} ${ident(ROW)} on ${ID} = any((select ${value(ids, 'uuid[]')})::uuid[]) and ${visible({ where })}
where s.table_id = ${value(table.id, 'uuid')}${fence(table, tablesOf({ select, where, orderBy: [] }))}`;
}

/**
 * Lookups and conditions on links read other tables, whose structure may have moved on while this one's has not. Their versions
 * are asked for in the same snapshot.
 */
export function fence(table: TableSchema, others: ReadonlySet<TableSchema>): Sql {
  const foreign = [...others].filter(({ id }) => id !== table.id);
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

function tablesInCondition(condition: Condition): readonly TableSchema[] {
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

/** Rows in the trash are not there for anybody who does not ask for them. */
export function visible({ where, trashed = false }: Pick<ReadPlan, 'where' | 'trashed'>): Sql {
  const there = trashed ? sql`${DELETED_AT} is not null` : sql`${DELETED_AT} is null`;
  return where.kind === 'true' ? there : sql`${there} and ${compileCondition(where)}`;
}

/** The rows in their order, also where they were found from the other end. */
function compilePage(plan: ReadPlan): Sql {
  const { orderBy, way = 'after' } = plan;
  if (!isBackward(way)) return compileRows(plan);
  const rows = compileRows({ ...plan, orderBy: reversed(orderBy) });
  return sql`select ${ident(ROW)}.* from (${rows}) ${ident(ROW)} order by ${compileOrderBy(orderBy)}`;
}

function compileRows(plan: ReadPlan): Sql {
  const from = sql`select ${ident(ROW)}.* from ${tableName(plan.from)} ${ident(ROW)} where ${visible(plan)}`;
  const tail = sql`order by ${compileOrderBy(plan.orderBy)} limit ${integer(plan.limit + 1)}`;
  const after = plan.after
    ? compileAfter(plan.orderBy, plan.after, plan.way === 'from' || plan.way === 'upTo')
    : undefined;
  if (after === undefined) return sql`${from} ${tail}`;
  const [only, ...more] = after;
  if (only === undefined) return sql`${from} and false`;
  if (more.length === 0) return sql`${from} and ${only} ${tail}`;
  const united = join(
    after.map((branch) => sql`(${from} and ${branch} ${tail})`),
    sql` union all `,
  );
  return sql`select ${ident(ROW)}.* from (${united}) ${ident(ROW)} ${tail}`;
}

function compileCount(plan: ReadPlan): Sql {
  const from = sql`from ${tableName(plan.from)} ${ident(ROW)} where ${visible(plan)}`;
  switch (plan.count) {
    case 'none':
    case 'estimated':
      return sql`null::bigint`;
    case 'exact':
      return sql`(select count(*) ${from})`;
    case 'bounded':
      return sql`(select count(*) from (select 1 ${from} limit ${integer(COUNT_BOUND + 1)}) bounded)`;
  }
}

/** What EXPLAIN is asked for an estimated count. */
export const compileEstimate = (plan: ReadPlan): Sql =>
  sql`explain (format json) select 1 from ${tableName(plan.from)} ${ident(ROW)} where ${visible(plan)}`;
