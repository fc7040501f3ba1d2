import { must } from '../../../common/index.js';
import {
  isMade,
  type MadeColumn,
  type ObjectColumn,
  type ObjectSchema,
  type ObjectSource,
} from '../../object-schema.js';
import { COUNT_BOUND, type OrderTerm } from '../../plan.js';
import type { ColumnSchema } from '../../schema.js';
import type { SourceRead } from '../../source-plan.js';
import { kindOf } from '../../kind.js';
import { remembered } from '../../remember.js';
import { comma, empty, ident, integer, join, sql, withClock, type Sql } from '../../sql.js';
import { branchesBehind, type Branch, type OrderKey } from '../branches.js';
import { formOf, isObjectColumn, type SqlDialect } from './dialect.js';
import { sourceCondition, type Cells } from './source-condition.js';

/** Alias of the rows of a page, whose cells are `c0, c1, …`. */
const PAGE = 'p';
const UNION = 'u';

/**
 * A statement for a page: its rows are what {@link SqlDialect.show} gives of the columns, then the keys of the order, by which the next
 * page is found. One row more than the limit tells that there is one.
 */
export interface SourceStatement {
  readonly sql: Sql;
  /** How many columns of the result are of the row itself; behind them stand the keys. */
  readonly shown: number;
}

/** One page of rows of an external database, in order. */
export function compileSourceRead(plan: SourceRead, dialect: SqlDialect): SourceStatement {
  const { keys, rows } = sourcePage(plan, dialect);
  const shown = shownOf(dialect)(plan.select);
  const items = [...shown, ...keys.map((key, i) => sql`${key.sql} as ${ident(`k${i}`)}`)];
  return { sql: atItsTime(sql`select ${join(items, comma)} ${rows}`, plan, dialect), shown: shown.length };
}

/** With what a list took for now when its first page was asked for. */
export const atItsTime = (statement: Sql, { clock }: { readonly clock?: Date }, dialect: SqlDialect): Sql =>
  clock ? withClock(statement, dialect.moment(clock)) : statement;

/** The rows of a page, of which something is selected. */
interface PageOfSource {
  /** The columns whose {@link pageCells} are there. */
  readonly needed: readonly ColumnSchema[];
  readonly keys: readonly OrderKey[];
  /** From `from` on, in order. */
  readonly rows: Sql;
}

export function sourcePage(plan: SourceRead, dialect: SqlDialect): PageOfSource {
  const needed = neededBy(plan);
  const keys = orderKeys(plan.orderBy, dialect, pageCells(needed, dialect));
  const { length } = plan.select;
  const inner = [
    ...(length > 0 ? [takenOf(dialect)(plan.select)] : []),
    ...needed.slice(length).map((column, i) => taken(column, length + i, dialect)),
  ];
  return {
    needed,
    keys,
    rows: sql`from (${compilePage(plan, dialect, join(inner, comma))}) ${ident(PAGE)}${orderClause(keys, dialect)}`,
  };
}

/** A cell of an object as one of the page's. */
const taken = (column: ColumnSchema, at: number, dialect: SqlDialect): Sql =>
  sql`${sourceCells(dialect)(column).sql} as ${ident(`c${at}`)}`;

/** Those that are shown, built once for each list of columns. */
const takenOf = remembered((dialect: SqlDialect) =>
  remembered((select: readonly ObjectColumn[]) =>
    join(
      select.map((column, i) => taken(column, i, dialect)),
      comma,
    ),
  ),
);

/** What is shown of the columns of a page: the longest part of most statements, built once for each list of columns. They are its first cells. */
const shownOf = remembered((dialect: SqlDialect) =>
  remembered((select: readonly ObjectColumn[]): readonly Sql[] => {
    const cells = pageCells(select, dialect);
    return dialect.show(select.map((column) => ({ key: column.key, cell: cells(column), kind: kindOf(column) })));
  }),
);

/** The columns whose cells a page takes along: those that are shown, in their order, then those of the order. */
const neededBy = ({ select, orderBy: terms }: SourceRead): readonly ColumnSchema[] => [
  ...new Set<ColumnSchema>([...select, ...terms.flatMap(({ by }) => (by.kind === 'column' ? by.column : []))]),
];

/** Cells of a subquery that has taken these columns along. */
const cellsOf =
  (alias: string, needed: readonly ColumnSchema[], dialect: SqlDialect): Cells =>
  (column) => ({ sql: ident(alias, `c${needed.indexOf(column)}`), form: formOf(dialect, column) });

/** Cells of a page that took these columns along. */
export const pageCells = (needed: readonly ColumnSchema[], dialect: SqlDialect): Cells =>
  cellsOf(PAGE, needed, dialect);

/** Cells of the objects themselves, by alias, and what is computed of them. */
export const sourceCells = (dialect: SqlDialect): Cells => {
  const made = madeBy(dialect);
  return (column) => {
    if (isMade(column)) {
      const computed = must(made(column), 'a formula that the database is known to compute');
      return { sql: computed, form: dialect.formOf(kindOf(column)) };
    }
    if (!isObjectColumn(column)) throw new Error('the column is not one of an object');
    return { sql: ident(column.alias, column.physical), form: column.form };
  };
};

/** Whether statements of the dialect can compute the column. */
export const canCompute = (column: MadeColumn, dialect: SqlDialect): boolean => madeBy(dialect)(column) !== undefined;

const madeBy = remembered((dialect: SqlDialect) =>
  remembered(({ made, reads }: MadeColumn): Sql | undefined => {
    const cells = sourceCells(dialect);
    return dialect.formula?.(made, (column) => cells(must(reads.get(column), 'a column that the formula reads')));
  }),
);

/** The rows of the page as their cells; each branch by itself, so that an index can find it. */
function compilePage(plan: SourceRead, dialect: SqlDialect, inner: Sql): Sql {
  const { orderBy: terms, after, limit, skip = 0 } = plan;
  const keys = orderKeys(terms, dialect, sourceCells(dialect));
  const rows = sql`select ${inner} ${fromClause(plan.from, dialect)} where ${sourceCondition(plan.where, dialect, sourceCells(dialect))}`;
  const most = integer(limit + 1);
  if (skip > 0) return sql`${rows}${orderClause(keys, dialect)} limit ${most} offset ${integer(skip)}`;
  const branches = after === undefined ? firstBranches(keys, dialect) : branchesBehind(keys, after, dialect);
  const parts = branches.map(
    ({ where, notNull }) => sql`${rows} and ${where}${orderClause(keys, dialect, notNull)} limit ${most}`,
  );
  const [only, ...more] = parts;
  if (only === undefined) return sql`${rows} and false`;
  if (more.length === 0) return only;
  const all = join(
    parts.map((part) => sql`(${part})`),
    sql` union all `,
  );
  const united = orderKeys(terms, dialect, cellsOf(UNION, neededBy(plan), dialect));
  return sql`select ${ident(UNION)}.* from (${all}) ${ident(UNION)} order by ${orderBy(united, dialect)} limit ${most}`;
}

const EVERYTHING: Branch = { where: sql`true`, notNull: new Set() };

/**
 * Where nulls are not the smallest values by themselves, an index of such a database does not have the order that is asked for; but it
 * has the order of those that are not null, and finds those that are.
 */
function firstBranches(keys: readonly OrderKey[], { nulls }: SqlDialect): readonly Branch[] {
  const [first] = keys;
  if (first?.nullable !== true || nulls === undefined) return [EVERYTHING];
  return [
    { where: sql`${first.sql} is null`, notNull: new Set() },
    { where: sql`${first.sql} is not null`, notNull: new Set([0]) },
  ];
}

export const orderKeys = (terms: readonly OrderTerm[], dialect: SqlDialect, cells: Cells): readonly OrderKey[] =>
  terms.map(({ by, dir }) => {
    if (by.kind === 'id') throw new Error('external rows have no id of ours');
    const cell = cells(by.column);
    return {
      sql: dialect.key(cell),
      bind: (at) => dialect.bindKey(cell.form, at),
      nullable: !by.column.required,
      dir,
    };
  });

/** Nothing where no column can be sorted by. */
const orderClause = (keys: readonly OrderKey[], dialect: SqlDialect, notNull?: ReadonlySet<number>): Sql =>
  keys.length === 0 ? empty : sql` order by ${orderBy(keys, dialect, notNull)}`;

/** Null is the smallest value. */
export function orderBy(
  keys: readonly OrderKey[],
  { nulls }: SqlDialect,
  notNull: ReadonlySet<number> = new Set(),
): Sql {
  return join(
    keys.map(({ sql: key, nullable, dir }, i) => {
      const direction = dir === 'asc' ? sql`asc` : sql`desc`;
      const place = nulls && nullable && !notNull.has(i) ? sql` ${nulls[dir]}` : empty;
      return sql`${key} ${direction}${place}`;
    }),
    comma,
  );
}

const objectName = ({ physical }: ObjectSchema): Sql => ident(physical.schema, physical.table);

/** The object and what is joined to it, each under its alias. */
export function fromClause(source: ObjectSource, dialect: SqlDialect): Sql {
  const from = sql`from ${objectName(source.object)} ${ident(source.alias)}`;
  const cells = sourceCells(dialect);
  const joins = source.joins.map(({ type, alias, object, on }) => {
    const ties = on.map(({ left, right }) => dialect.joined(cells(left), cells(right)));
    return sql` ${type === 'left' ? sql`left join` : sql`join`} ${objectName(object)} ${ident(alias)} on ${join(ties, sql` and `)}`;
  });
  return sql`${from}${join(joins, empty)}`;
}

/** How many rows there are, exactly or up to the bound: one row, one column. */
export function compileSourceCount(plan: SourceRead, dialect: SqlDialect): Sql {
  const from = sql`${fromClause(plan.from, dialect)} where ${sourceCondition(plan.where, dialect, sourceCells(dialect))}`;
  if (plan.count === 'exact') return sql`select count(*) ${from}`;
  return sql`select count(*) from (select 1 as one ${from} limit ${integer(COUNT_BOUND + 1)}) bounded`;
}
