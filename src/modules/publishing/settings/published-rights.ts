import type { Access } from '../../../common/index.js';
import type { TableCatalog } from '../../tables/index.js';
import type { OpenedView } from '../../views/index.js';
import type { PublishedRights, RulesLeftOut } from './published-contract.js';

/**
 * What is to be said of the rights that somebody publishes with: readers see what he sees, and he is an owner or an admin, whom no rule keeps from
 * anything.
 * @throws Problem `not_found` a table has gone meanwhile
 */
export async function rightsOf(
  catalog: TableCatalog,
  { principal, role }: Access,
  { tables }: OpenedView,
  at: Date,
): Promise<PublishedRights> {
  const rules: RulesLeftOut[] = [];
  for (const { id } of tables) {
    const { name, seen } = await catalog.fresh(id);
    const { count, hidden } = seen.rulesOn(id);
    if (count > 0) rules.push({ tableId: id, table: name, rules: count, hiddenColumns: hidden });
  }
  return { userId: principal.userId, role, at: at.toISOString(), rules };
}
