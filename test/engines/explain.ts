import { must } from '../../src/common/index.js';
import { compileRead, toStatement, type ReadPlan } from '../../src/query/index.js';
import type { Node } from './store.js';

/** A node of a query plan as EXPLAIN names it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The nodes of a page's executed query plan: planned for these values, or once for all, as PostgreSQL may do with a prepared statement. */
export async function explained(
  { database }: Node,
  plan: ReadPlan,
  plans: 'custom' | 'generic',
): Promise<readonly PlanNode[]> {
  const { text, values } = toStatement(compileRead(plan).sql);
  const [row] = await database.transaction(async (session) => {
    await session.query({ text: `set local plan_cache_mode = force_${plans}_plan`, values: [] });
    await session.query({ text: `prepare page as ${text}`, values: [] });
    const literals = values.map((value) => (Array.isArray(value) ? `{${value.join(',')}}` : value));
    const [quoted] = await session.query({
      text: "select string_agg(quote_nullable(v), ',' order by n) from unnest($1::text[]) with ordinality as u(v, n)",
      values: [literals],
    });
    const found = await session.query({
      text: `explain (analyze, format json) execute page(${quoted?.[0] ?? ''})`,
      values: [],
    });
    await session.query({ text: 'deallocate page', values: [] });
    return found;
  });
  const [{ Plan: root }] = JSON.parse(must(row?.[0], 'a query plan')) as [{ Plan: PlanNode }];
  const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
  return flat(root);
}
