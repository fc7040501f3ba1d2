import { matches } from '../evaluate.js';
import type { Condition } from '../plan.js';
import type { ColumnSchema, RowFilter } from '../schema.js';
import { sql } from '../sql.js';
import { columnsIn } from '../plan-columns.js';
import { ownSourcesOf } from './cell.js';
import { compileCondition } from './condition.js';
import { tablesInCondition } from './read.js';

/** A condition on the columns of a whole table as part of what somebody sees of it. */
export function rowFilter(where: Condition): RowFilter {
  const reads = columnsIn(where);
  const columns = reads.flatMap(ownSourcesOf);
  return {
    reads,
    holds: (row) => matches(where, row),
    under: (alias) => sql`(${compileCondition(where, alias)})`,
    tables: tablesInCondition(where),
    columns,
    readsLinks: columns.some(isOverLinks),
  };
}

const isOverLinks = ({ derived }: ColumnSchema): boolean =>
  derived !== undefined && derived.kind !== 'system' && derived.kind !== 'formula';
