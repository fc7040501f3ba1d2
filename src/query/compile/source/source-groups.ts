import type { Aggregate, GroupKey } from '../../group-plan.js';
import { kindOf } from '../../kind.js';
import { COUNT_BOUND } from '../../plan.js';
import type { ColumnSchema } from '../../schema.js';
import type { SourceGroups } from '../../source-plan.js';
import { comma, empty, ident, integer, join, sql, type Sql } from '../../sql.js';
import { branchesBehind } from '../branches.js';
import type { Shown, SqlDialect } from './dialect.js';
import { sourceCondition, type Cells } from './source-condition.js';
import { atItsTime, fromClause, orderBy, orderKeys, sourceCells } from './source-read.js';

/** Alias of the rows, then of the groups that they make. */
const ROWS = 'r';
const GROUPS = 'g';

/** A statement for a page of groups. */
export interface SourceGroupsStatement {
  readonly sql: Sql;
  /** How many columns of the result are of the group, and of the values; behind them stand the keys. */
  readonly group: number;
  readonly values: number;
}

/** One page of groups of an external database, as `compileSourceRead` gives a page of rows. */
export function compileSourceGroups(plan: SourceGroups, dialect: SqlDialect): SourceGroupsStatement {
  const cells = groupCells(dialect);
  const keys = orderKeys(plan.orderBy, dialect, cells);
  const [group, values] = [shown(plan.groups, dialect, cells), shown(plan.aggregates, dialect, cells)];
  const items = [...group, ...values, ...keys.map((key, i) => sql`${key.sql} as ${ident(`k${i}`)}`)];
  const behind = plan.after && branchesBehind(keys, plan.after, dialect).map(({ where }) => where);
  // All groups have been made before the first can be shown, so one `or` costs nothing that ranges of an index would save.
  const rest = behind === undefined ? empty : sql` and (${join([...behind, sql`false`], sql` or `)})`;
  const order = keys.length === 0 ? empty : sql` order by ${orderBy(keys, dialect)}`;
  const statement = sql`select ${join(items, comma)} from (${compileGrouped(plan, dialect)}) ${ident(GROUPS)} where ${sourceCondition(plan.having, dialect, cells)}${rest}${order} limit ${integer(plan.limit + 1)}`;
  return {
    sql: atItsTime(statement, plan, dialect),
    group: group.length,
    values: values.length,
  };
}

/** How many groups there are, exactly or up to the bound: one row, one column. */
export function compileSourceGroupCount(plan: SourceGroups, dialect: SqlDialect): Sql {
  const from = sql`from (${compileGrouped(plan, dialect)}) ${ident(GROUPS)} where ${sourceCondition(plan.having, dialect, groupCells(dialect))}`;
  if (plan.count === 'exact') return sql`select count(*) ${from}`;
  return sql`select count(*) from (select 1 as one ${from} limit ${integer(COUNT_BOUND + 1)}) bounded`;
}

const groupCells =
  (dialect: SqlDialect): Cells =>
  (column) => ({ sql: ident(GROUPS, column.physical), form: dialect.formOf(kindOf(column)) });

function shown(
  outputs: readonly { readonly output: ColumnSchema }[],
  dialect: SqlDialect,
  cells: Cells,
): readonly Sql[] {
  const all = outputs.map(({ output }): Shown => ({ key: output.key, cell: cells(output), kind: kindOf(output) }));
  return dialect.show(all);
}

/** Every group with its aggregates: rows `g0, …, a0, …`. */
function compileGrouped({ from, where, groups, aggregates }: SourceGroups, dialect: SqlDialect): Sql {
  const sources = [...new Set([...groups, ...aggregates].flatMap(({ column }) => column ?? []))];
  const origins = sourceCells(dialect);
  const cell = (column: ColumnSchema): Sql => ident(ROWS, `c${sources.indexOf(column)}`);
  const canonical = sources.map((column, i) => sql`${dialect.canonical(origins(column))} as ${ident(`c${i}`)}`);
  const rows = sql`select ${canonical.length === 0 ? sql`1 as one` : join(canonical, comma)} ${fromClause(from, dialect)} where ${sourceCondition(where, dialect, origins)}`;
  const outputs = [
    ...groups.map((group) => sql`${groupValue(group, cell(group.column), dialect)} as ${ident(group.output.physical)}`),
    ...aggregates.map((each) => sql`${aggregateValue(each, cell, dialect)} as ${ident(each.output.physical)}`),
  ];
  // By name: what is bound within a value would not be known as the same in two places.
  const by = groups.map(({ output }) => ident(output.physical));
  return sql`select ${join(outputs, comma)} from (${rows}) ${ident(ROWS)}${by.length === 0 ? empty : sql` group by ${join(by, comma)}`}`;
}

function groupValue({ column, bucket }: GroupKey, cell: Sql, dialect: SqlDialect): Sql {
  if (!bucket) return dialect.grouped?.(kindOf(column), cell) ?? cell;
  return dialect.bucket(bucket, kindOf(column).type === 'datetime', cell);
}

function aggregateValue(aggregate: Aggregate, cell: (column: ColumnSchema) => Sql, dialect: SqlDialect): Sql {
  if (!aggregate.column) return sql`count(*)`;
  const { column } = aggregate;
  return dialect.aggregate({ ...aggregate, column }, cell(column));
}
