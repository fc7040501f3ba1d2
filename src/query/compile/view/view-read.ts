import type { GroupPlan } from '../../group-plan.js';
import { columnsOfGroups, columnsOfRead } from '../../plan-columns.js';
import type { ReadPlan } from '../../plan.js';
import type { ColumnSchema } from '../../schema.js';
import { ident, sql, type Sql } from '../../sql.js';
import { isViewColumn, type ViewColumn, type ViewTable } from '../../view/view-table.js';
import { compileCondition, ROW } from '../condition.js';
import { compileGroupCount, compileGroupPage, explainedGroups, withGroups } from '../groups.js';
import { compileCount, compilePage, explained, type FoundRows, type PageStatement } from '../page.js';
import { fieldsRecord } from '../row-record.js';
import { fresh, relation, tablesOfView } from './relation.js';

/** A page of a view that the mini-DB reads. Its order ends with the keys of all places. */
export interface ViewRead extends Pick<ReadPlan, 'where' | 'orderBy' | 'after' | 'way' | 'clock' | 'limit' | 'count'> {
  readonly from: ViewTable;
  readonly select: readonly ViewColumn[];
}

/** Groups of rows of a view. */
export interface ViewGroups extends Omit<GroupPlan, 'from'> {
  readonly from: ViewTable;
}

/**
 * One page of a view in one statement, hence one snapshot: one row `rows, fresh, total`, in binary form, of which the first and the last
 * are as `compileRead` gives them. A row is `{"fields":{…}}`.
 */
export function compileViewRead(plan: ViewRead): PageStatement {
  const { from, select, count } = plan;
  const needed = columnsOfRead(plan);
  const rows = rowsOf(plan, needed);
  // Values that lead to something else are read where their table is.
  const record = fieldsRecord(select, (column) => placeOf(from, column));
  return compilePage(
    plan,
    rows,
    record,
    (page) => sql`select (${page}), (${freshness(plan, needed)})::text, (${compileCount(count, rows)})::text as total`,
  );
}

function placeOf({ places, physical }: ViewTable, column: ColumnSchema): { readonly schema: string } {
  const source = isViewColumn(column) && column.of.kind === 'cell' ? places[column.of.place]?.source : undefined;
  return source?.kind === 'table' ? source.table.physical : physical;
}

/** What EXPLAIN is asked for an estimated number of rows. */
export const compileViewEstimate = (plan: ViewRead): Sql => explained(rowsOf(plan, columnsOfRead(plan)));

/** One page of groups of a view: one row `fresh, data, position, total`. */
export function compileViewGroups(plan: ViewGroups): Sql {
  const needed = columnsOfGroups(plan);
  return sql`${withGroups(plan, rowsOf(plan, needed))}
select ${freshness(plan, needed)} as fresh, page.data, page.position, ${compileGroupCount(plan)} as total
from (${compileGroupPage(plan)}) page`;
}

/** What EXPLAIN is asked for an estimated number of groups. */
export const compileViewGroupEstimate = (plan: ViewGroups): Sql =>
  explainedGroups(plan, rowsOf(plan, columnsOfGroups(plan)));

const rowsOf = (plan: ViewRead | ViewGroups, needed: ReadonlySet<ColumnSchema>): FoundRows => ({
  from: sql`${relation(plan.from, needed, { areSeen: 'select' in plan })} ${ident(ROW)}`,
  where: compileCondition(plan.where),
});

/** `t` where the tables have the structure that the plan was made for: what {@link compileViewRead} tells, asked alone. */
export const compileViewFreshness = (plan: ViewRead): Sql => sql`select ${freshness(plan, columnsOfRead(plan))}`;

const freshness = ({ from }: ViewRead | ViewGroups, needed: ReadonlySet<ColumnSchema>): Sql =>
  fresh(tablesOfView(from, needed));
