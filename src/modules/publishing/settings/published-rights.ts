import { notFound, type Access, type Id } from '../../../common/index.js';
import type { BaseMeta, TableCatalog } from '../../tables/index.js';
import type { OpenedView } from '../../views/index.js';
import type { PublishedRights, RulesLeftOut } from './published-contract.js';

/**
 * What is to be said of the rights that somebody publishes with: readers see what he sees, and he is an owner or an admin, whom no rule keeps from
 * anything. Named are the tables of which the view shows something, rows or columns, that rules keep from somebody.
 * @throws Problem `not_found` a table has gone meanwhile
 */
export async function rightsOf(
  catalog: TableCatalog,
  { principal, role }: Access,
  { used }: OpenedView,
  at: Date,
): Promise<PublishedRights> {
  const rules: RulesLeftOut[] = [];
  // Each base as it is now, read once for all of its tables.
  const bases = new Map<Id, BaseMeta>();
  const columns = new Set([...used.values()].flatMap((ids) => [...ids]));
  for (const id of used.keys()) {
    const { baseId } = await catalog.find(id);
    const base = bases.get(baseId) ?? (await catalog.base(baseId));
    bases.set(baseId, base);
    const table = base.tables.get(id);
    if (!table) throw notFound('table');
    const found = base.seen.rulesOn(id, (columnId) => columns.has(columnId));
    if (found) rules.push({ tableId: id, table: table.name, rules: found.count, hiddenColumns: found.hidden });
  }
  return { userId: principal.userId, role, at: at.toISOString(), rules };
}
