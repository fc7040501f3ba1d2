import type { Comparison } from '../plan.js';
import { sql, type Sql } from '../sql.js';

/** `neq` is none of them: to SQL's `<>` a null is unknown. */
export const COMPARISON: Readonly<Record<Exclude<Comparison, 'neq'>, Sql>> = {
  eq: sql`=`,
  gt: sql`>`,
  gte: sql`>=`,
  lt: sql`<`,
  lte: sql`<=`,
};
