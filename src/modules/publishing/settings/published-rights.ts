import { notFound, type Access, type Id } from '../../../common/index.js';
import type { BaseMeta, TableCatalog } from '../../tables/index.js';
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
  // Each base as it is now, read once for all of its tables.
  const bases = new Map<Id, BaseMeta>();
  for (const { id } of tables) {
    const { baseId } = await catalog.find(id);
    const base = bases.get(baseId) ?? (await catalog.base(baseId));
    bases.set(baseId, base);
    const table = base.tables.get(id);
    if (!table) throw notFound('table');
    const { count, hidden } = base.seen.rulesOn(id);
    if (count > 0) rules.push({ tableId: id, table: table.name, rules: count, hiddenColumns: hidden });
  }
  return { userId: principal.userId, role, at: at.toISOString(), rules };
}
