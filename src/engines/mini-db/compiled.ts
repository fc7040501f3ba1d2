import { inSpan } from '../../common/index.js';
import type { PgStatement } from '../../database/mini/index.js';
import { toStatement, type PageStatement, type ReadPlan, type Sql } from '../../query/index.js';
import type { RowsPage } from '../data-engine.js';
import { PageRecords, type TextsOf } from './page-text.js';

/**
 * The statement of a plan; making it is a stage of whoever asked.
 * @param clock what it takes for now; the time of the statement without it
 */
export const compiled = (compile: () => Sql, clock?: Date): PgStatement =>
  inSpan('plan.compile', {}, () => toStatement(compile(), clock));

/** The statement of a plan for a page, and what it is read by. */
export function compiledPage<P extends Pick<ReadPlan, 'limit' | 'way' | 'after' | 'clock'>, T extends RowsPage['data']>(
  plan: P,
  compile: (plan: P) => PageStatement,
  textOf: TextsOf<T>,
): { readonly page: PageRecords<T>; readonly statement: PgStatement } {
  return inSpan('plan.compile', {}, () => {
    const made = compile(plan);
    const page = new PageRecords(plan, made, textOf);
    return { page, statement: { ...toStatement(made.sql, plan.clock), bytes: page.read } };
  });
}
