import type { Access } from '../../common/index.js';
import { TRUE, type ReadScope, type TableSchema } from '../../query/index.js';

/** One object for all requests: what is asked of rows is compared by it. */
const EVERY_ROW: ReadScope = { where: TRUE };

/** What the caller may read of a table. Today the workspace role decides and every member reads every row; the answer is data, ANDed into the plan. */
export const readScope = (_access: Access, _table: TableSchema): ReadScope => EVERY_ROW;
