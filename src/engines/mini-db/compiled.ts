import { inSpan } from '../../common/index.js';
import type { PgStatement } from '../../database/mini/index.js';
import { toStatement, type Sql } from '../../query/index.js';

/** The statement of a plan; making it is a stage of whoever asked. */
export const compiled = (compile: () => Sql): PgStatement => inSpan('plan.compile', {}, () => toStatement(compile()));
