import type { Aggregate, Bucket, GroupKey, GroupPlan } from '../group-plan.js';
import { isStored, kindOf, valueType } from '../kind.js';
import type { ColumnSchema } from '../schema.js';
import { columnType } from '../types/index.js';
import { comma, empty, ident, integer, join, literal, sql, value, type Sql } from '../sql.js';
import { aggregate, bareCellOf } from './cell.js';
import { compileCondition, ROW } from './condition.js';
import { compileAfter, compileOrderBy, compilePosition } from './order.js';
import { compileCount, explained, ROW_SEPARATOR, type FoundRows } from './page.js';
import { fence, kept, rowsOf as rowsOfTable, streamName, tablesOf, toldSeq } from './read.js';
import { concat, fieldsJson } from './row-json.js';

/*
 * Groups are a subquery whose columns are columns like any other, so conditions, order, positions and JSON of them are
 * those of rows. All of it stands under the alias of the row, one level for each step: rows, their groups, the groups of a page.
 */

/** The groups, in full; a page of them and their number are made of it. */
const GROUPS = ident('g');

/** One page of groups in one statement, as `compileRead` gives a page of rows, with the same fence: one row `data, epoch, seq, schema_version, position, total`. */
export function compileGroups(plan: GroupPlan): Sql {
  const rows = rowsOf(plan);
  return sql`${withGroups(plan, rows)}
select page.data, s.epoch, ${toldSeq(plan)}, s.schema_version, page.position, ${compileGroupCount(plan)} as total
from ${streamName(plan.from)} s
left join lateral (${compileGroupPage(plan)}) page on true
where s.table_id = ${value(plan.from.id, 'uuid')}${fence(plan.from, tablesOf({ select: groupedColumns(plan), where: plan.where, orderBy: [] }))}${kept(plan)}`;
}

/** `with` the groups of the rows, before a statement that takes a page of them or counts them. */
export const withGroups = (plan: GroupPlan, rows: FoundRows): Sql =>
  sql`with ${GROUPS} as (${compileGrouped(plan, rows)})`;

/** One row `data, position`: the groups of a page as JSON text, and where the page ends when there are more. */
export function compileGroupPage(plan: GroupPlan): Sql {
  const limit = integer(plan.limit);
  const position = compilePosition(plan.orderBy, plan.from.physical).map((part, i) => ({
    ...part,
    name: ident(`k${i}`),
  }));
  const parts = position.map(({ json, name }) => json(sql`(array_agg(r.${name}))[${limit}]`));
  const at = parts.length === 0 ? sql`null::text` : sql`concat('[', ${join(parts, sql`, ',', `)}, ']')`;
  return sql`
  select string_agg(r.j, ${literal(ROW_SEPARATOR)}) as data, case when count(*) > ${limit} then ${at} end as position
  from (
    select ${join([sql`${groupJson(plan)} as j`, ...position.map(({ cell, name }) => sql`${cell} as ${name}`)], comma)}
    from (${groupsInOrder(plan)}) ${ident(ROW)}
  ) r
`;
}

/** How many of the groups satisfy what is asked of them. */
export const compileGroupCount = ({ count, having }: GroupPlan): Sql =>
  compileCount(count, { from: sql`${GROUPS} ${ident(ROW)}`, where: compileCondition(having) });

/** What EXPLAIN is asked for an estimated number of groups. */
export const compileGroupEstimate = (plan: GroupPlan): Sql => explainedGroups(plan, rowsOf(plan));

/** The same of groups of other rows than those of a table. */
export const explainedGroups = (plan: GroupPlan, rows: FoundRows): Sql =>
  explained({ from: sql`(${compileGrouped(plan, rows)}) ${ident(ROW)}`, where: compileCondition(plan.having) });

const rowsOf = (plan: GroupPlan): FoundRows => rowsOfTable({ ...plan, select: groupedColumns(plan) });

function groupJson({ groups, aggregates, from }: GroupPlan): Sql {
  const fields = (outputs: readonly { readonly output: ColumnSchema }[]): Sql =>
    fieldsJson(
      ROW,
      outputs.map(({ output }) => output),
      from.physical,
    );
  return concat([sql`'{"group":'`, fields(groups), sql`',"values":'`, fields(aggregates), sql`'}'`]);
}

/** All groups have been made before the first can be shown, so one `or` costs nothing here that ranges of an index would save. */
function groupsInOrder({ having, orderBy, after, limit }: GroupPlan): Sql {
  const behind = after && compileAfter(orderBy, after);
  const rest = behind === undefined ? empty : sql` and (${join([...behind, sql`false`], sql` or `)})`;
  const order = orderBy.length === 0 ? empty : sql`order by ${compileOrderBy(orderBy)} `;
  return sql`select ${ident(ROW)}.* from ${GROUPS} ${ident(ROW)} where ${compileCondition(having)}${rest} ${order}limit ${integer(limit + 1)}`;
}

/** Every group with its aggregates: rows `g0, …, a0, …`. */
function compileGrouped(plan: GroupPlan, found: FoundRows): Sql {
  const { groups, aggregates } = plan;
  const sources = groupedColumns(plan);
  const cell = (column: ColumnSchema): Sql => ident(ROW, nameOf(sources.indexOf(column)));
  const outputs = [
    ...groups.map((group) => sql`${groupValue(group, cell(group.column))} as ${ident(group.output.physical)}`),
    ...aggregates.map((each) => sql`${aggregateValue(each, cell)} as ${ident(each.output.physical)}`),
  ];
  const by = groups.map(({ output }) => ident(output.physical));
  return sql`select ${join(outputs, comma)} from (${compileRows(found, sources)}) ${ident(ROW)}${by.length === 0 ? empty : sql` group by ${join(by, comma)}`}`;
}

/** The columns that groups and aggregates are made of, each once. */
export const groupedColumns = ({ groups, aggregates }: GroupPlan): readonly ColumnSchema[] => [
  ...new Set([...groups, ...aggregates].flatMap(({ column }) => column ?? [])),
];

const nameOf = (source: number): string => `c${source}`;

/** The rows, as what is needed of them. */
function compileRows({ from, where }: FoundRows, sources: readonly ColumnSchema[]): Sql {
  // Nobody sees them: keys and aggregates are shown alike of equal values, whatever zeros those end with.
  const cells = sources.map((column, i) => sql`${bareCellOf(column, ROW)} as ${ident(nameOf(i))}`);
  // Without the offset PostgreSQL puts the subqueries of such cells wherever they are used, and runs them once for each use.
  const once = sources.every((column) => isStored(column) || column.derived?.kind === 'system')
    ? empty
    : sql` offset 0`;
  return sql`select ${cells.length === 0 ? sql`1 as one` : join(cells, comma)} from ${from} where ${where}${once}`;
}

/** Values that are shown alike are one group: equal numbers of other notations, and instants within a millisecond. */
function groupValue({ column, bucket }: GroupKey, cell: Sql): Sql {
  const { type, options, list } = kindOf(column);
  if (bucket) return sql`case when ${cell} is not null then ${bucketStart(bucket, type === 'datetime', cell)} end`;
  if (list) return cell;
  if (type === 'datetime') return sql`date_trunc('milliseconds', ${cell})`;
  return valueType(column).bind === 'numeric' && options.scale === undefined ? sql`trim_scale(${cell})` : cell;
}

/** The clock of a zone may show a day before the first that a date can be, or behind the last; it lies with its neighbours then. */
export function bucketStart({ unit, zone }: Bucket, isInstant: boolean, cell: Sql): Sql {
  if (!isInstant) return sql`date_trunc(${literal(unit)}, ${cell}::timestamp)::date`;
  const in_ = value(zone, 'text');
  if (unit === 'hour') return sql`greatest(date_trunc('hour', ${cell}, ${in_}), timestamptz '0001-01-01 00:00:00+00')`;
  const shown = sql`least(greatest(${cell} at time zone ${in_}, timestamp '0001-01-01'), timestamp '9999-12-31')`;
  return sql`date_trunc(${literal(unit)}, ${shown})::date`;
}

function aggregateValue({ fn, column }: Aggregate, cell: (column: ColumnSchema) => Sql): Sql {
  if (!column) return sql`count(*)`;
  if (fn === 'count') return sql`count(${cell(column)})`;
  if (!kindOf(column).list) return aggregate({ column, fn }, cell(column), empty);
  // Lists of a group side by side, each in a record, for arrays of arrays must all be of one length; then taken apart.
  const lists = sql`unnest(array_agg(row(${cell(column)}))) as l(list ${listType(column)})`;
  return sql`(select ${aggregate({ column, fn }, sql`u.e`, empty)} from ${lists}, unnest(l.list) as u(e))`;
}

/** PostgreSQL's type of the list as it is computed, which is not that of the column where it is a lookup. */
function listType(column: ColumnSchema): Sql {
  const { type, options } = kindOf(column);
  const plugin = columnType(type);
  const list = sql`${plugin.physical(options)}[]`;
  return plugin.collation ? sql`${list} ${plugin.collation}` : list;
}
