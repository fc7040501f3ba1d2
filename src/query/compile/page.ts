import { COUNT_BOUND, isBackward, type CountMode, type ReadPlan } from '../plan.js';
import type { Place } from '../types/index.js';
import type { RecordTemplate } from '../record/record-template.js';
import { ident, integer, join, sql, type Sql } from '../sql.js';
import { ROW } from './condition.js';
import { compileAfter, compileOrderBy, reversed } from './order.js';
import { recordOf, withPosition, type RowRecord } from './row-record.js';

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

/** A statement for a page of rows, and what is written of the records that it gives. */
export interface PageStatement {
  readonly sql: Sql;
  readonly row: RecordTemplate;
  /** Of a row where the page ends or begins: the canonical values of what the rows are ordered by, as a JSON array. */
  readonly position: RecordTemplate;
}

/**
 * One value: the rows in their order as records one behind the other ({@link recordOf}), null where there are none; one more than the limit tells that there is another page
 * behind, and is not part of this one: the last, or the first of a page that is read backwards.
 */
export function compilePage(
  plan: Paged,
  rows: FoundRows,
  record: RowRecord,
  compile: (records: Sql) => Sql,
): PageStatement {
  const { cells: all, position } = withPosition(record, plan.orderBy, plan.from.physical);
  const records = sql`select string_agg(r.j, '') as rows from (select ${recordOf(all)} as j from (${inOrder(plan, rows)}) ${ident(ROW)}) r`;
  return { sql: compile(records), row: record.template, position };
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
