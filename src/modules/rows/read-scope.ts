import type { Access } from '../../common/index.js';
import type { ReadScope, TableSchema } from '../../query/index.js';

/** What the caller may read of a table. Today the workspace role decides and every member reads every row; the answer is data, ANDed into the plan. */
export const readScope = (_access: Access, _table: TableSchema): ReadScope => ({ where: { kind: 'true' } });
