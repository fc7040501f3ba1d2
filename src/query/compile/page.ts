import { COUNT_BOUND, isBackward, type CountMode, type ReadPlan } from '../plan.js';
import type { Place } from '../types/index.js';
import { comma, ident, integer, join, literal, sql, type Sql } from '../sql.js';
import { ROW } from './condition.js';
import { compileAfter, compileOrderBy, compilePosition, reversed } from './order.js';

/*
 * A page of rows, wherever they come from: a table, or several side by side. All of it stands under the alias of the row.
 */

/** Between the rows of a page. A line feed cannot occur inside a row: JSON texts escape it, and ours have no white space. */
export const ROW_SEPARATOR = ',\n';

/** The rows that a plan finds, before order and position. */
export interface FoundRows {
  /** What stands behind `from`, under the alias of the row. */
  readonly from: Sql;
  readonly where: Sql;
}

/** What a page takes of a plan. */
export type Paged = Pick<ReadPlan, 'orderBy' | 'after' | 'way' | 'limit'> & {
  readonly from: { readonly physical: Place };
};

/**
 * One row `data, found, last, first`: the rows as JSON text, each what `json` makes of it; how many were found (one more than the
 * limit tells that there is another page behind, and that the last row is not part of this one; of a page that is read
 * backwards: before, and the first); the positions of the last row and of the first as JSON arrays, null where no page can lie beyond.
 */
export function compilePage(plan: Paged, rows: FoundRows, json: Sql): Sql {
  const { last, first } = edgesOf(plan);
  const position = compilePosition(plan.orderBy, plan.from.physical).map((part, i) => ({
    ...part,
    name: ident(`k${i}`),
  }));
  const keys = position.map(({ cell, name }) => sql`${cell} as ${name}`);
  return sql`
  select string_agg(r.j, ${literal(ROW_SEPARATOR)}) as data, count(*) as found,
    ${positionJson(last, position)} as last, ${positionJson(first, position)} as first
  from (
    select ${join([sql`${json} as j`, ...keys], comma)}
    from (${inOrder(plan, rows)}) ${ident(ROW)}
  ) r
`;
}

/** A row whose position is asked for: in which case, and which of those found. */
interface EdgeRow {
  readonly when: Sql;
  readonly index: Sql;
}

/** Nothing lies before the first page; where a page was asked for by a cursor, rows were on the other side of it. */
function edgesOf({ limit, after, way = 'after' }: Paged): { readonly last?: EdgeRow; readonly first?: EdgeRow } {
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

/** The rows in their order, also where they were found from the other end. */
function inOrder(plan: Paged, rows: FoundRows): Sql {
  const { orderBy, way = 'after' } = plan;
  if (!isBackward(way)) return found(plan, rows);
  const backwards = found({ ...plan, orderBy: reversed(orderBy) }, rows);
  return sql`select ${ident(ROW)}.* from (${backwards}) ${ident(ROW)} order by ${compileOrderBy(orderBy)}`;
}

function found({ orderBy, after: position, way, limit }: Paged, { from: rows, where }: FoundRows): Sql {
  const from = sql`select ${ident(ROW)}.* from ${rows} where ${where}`;
  const tail = sql`order by ${compileOrderBy(orderBy)} limit ${integer(limit + 1)}`;
  const after = position ? compileAfter(orderBy, position, way === 'from' || way === 'upTo') : undefined;
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

/** How many rows there are; null where nobody asked, or an estimate was asked for, which is made by {@link explained}. */
export function compileCount(count: CountMode, { from, where }: FoundRows): Sql {
  switch (count) {
    case 'none':
    case 'estimated':
      return sql`null::bigint`;
    case 'exact':
      return sql`(select count(*) from ${from} where ${where})`;
    case 'bounded':
      return sql`(select count(*) from (select 1 from ${from} where ${where} limit ${integer(COUNT_BOUND + 1)}) bounded)`;
  }
}

/** Asks PostgreSQL how many rows it expects. */
export const explained = ({ from, where }: FoundRows): Sql =>
  sql`explain (format json) select 1 from ${from} where ${where}`;
