import type { QueryFacts } from '../../../common/index.js';
import { writeShape, type ShownOp, type TableSchema } from '../../../query/index.js';

/** What a write was to do, for the log of slow queries; made up only when it is told. */
export const writeFacts = (table: TableSchema, ops: readonly ShownOp[]) => (): QueryFacts => ({
  kind: 'write',
  plan: writeShape(table, ops),
  rows: ops.length,
});
