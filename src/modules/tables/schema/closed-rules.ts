import type { EntityManager } from 'typeorm';
import type { AuditEntry } from '../../../database/main/index.js';
import { problemsOf } from '../rules/judge-rules.js';
import { liveColumns, type StoredRule } from '../rules/rule.js';
import { TableRulesEntity } from '../rules/table-rules.entity.js';
import type { BeforeAndAfter } from './before-and-after.js';
import type { MetadataPatch } from './schema-op.entity.js';

interface Change {
  readonly patch: MetadataPatch;
}

/**
 * The change with an entry for each table some of whose rules it closes: a column that they speak of goes, or holds something else then, or a choice
 * goes; or the table comes back from the trash with rules that are closed by now. So admins read of it in the audit log, and whoever follows the workspace hears of it, where nobody thought of rules.
 */
export async function withClosedRules<C extends Change>(
  manager: EntityManager,
  change: C,
  { baseId, before, after }: BeforeAndAfter,
): Promise<C> {
  const { patch } = change;
  const stored = await manager.findBy(TableRulesEntity, { baseId });
  const written = new Map([...stored, ...(patch.rules ?? [])].map((each) => [each.tableId, each]));
  const [then, now] = [liveColumns(before.records), liveColumns(after.records)];
  const closed = [...written.values()].flatMap(({ tableId, workspaceId, rules }): AuditEntry[] => {
    const table = after.records.find((record) => record.table.id === tableId)?.table;
    const [was, is] = [before.schemas.get(tableId), after.schemas.get(tableId)];
    if (!table || !was || !is) return [];
    // Of a table that comes back nobody was told what became of its rules meanwhile.
    const comesBack = before.records.some((record) => record.table.id === tableId && record.table.deletedAt !== null);
    const closes = (rule: StoredRule): boolean =>
      problemsOf([rule], is, now).length > 0 && (comesBack || problemsOf([rule], was, then).length === 0);
    const names = rules.filter(closes).map(({ name }) => name);
    if (names.length === 0) return [];
    const resource = { type: 'table', id: tableId, name: table.name };
    return [{ workspaceId, action: 'table.rules_closed', resource, after: { rules: names } }];
  });
  return closed.length === 0 ? change : { ...change, patch: { ...patch, audit: [...patch.audit, ...closed] } };
}
