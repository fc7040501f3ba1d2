import type { Condition } from '../plan.js';
import type { RowFilter } from '../schema.js';
import { sql } from '../sql.js';
import { compileCondition } from './condition.js';
import { tablesInCondition } from './read.js';

/** A condition on the columns of a whole table as part of what somebody sees of it. */
export const rowFilter = (where: Condition): RowFilter => ({
  under: (alias) => sql`(${compileCondition(where, alias)})`,
  tables: tablesInCondition(where),
});
