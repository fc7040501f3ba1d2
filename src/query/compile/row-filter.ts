import type { Condition } from '../plan.js';
import type { ColumnSchema, RowFilter } from '../schema.js';
import { sql } from '../sql.js';
import { columnsIn } from '../plan-columns.js';
import { ownSourcesOf } from './cell.js';
import { compileCondition } from './condition.js';
import { tablesInCondition } from './read.js';

/** A condition on the columns of a whole table as part of what somebody sees of it. */
export const rowFilter = (where: Condition): RowFilter => ({
  under: (alias) => sql`(${compileCondition(where, alias)})`,
  tables: tablesInCondition(where),
  readsLinks: columnsIn(where).some(isOverLinks),
});

const isOverLinks = (column: ColumnSchema): boolean =>
  ownSourcesOf(column).some(({ derived }) => derived && derived.kind !== 'system' && derived.kind !== 'formula');
