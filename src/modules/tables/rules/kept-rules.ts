import type { EntityManager } from 'typeorm';
import { deriveKey } from '../../../common/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { TableRulesEntity } from './table-rules.entity.js';
import type { StoredRule } from './rule.js';

/** The rules of a table as they will be, and as they were. */
export interface RulesChange {
  readonly rules: TableRulesEntity;
  readonly before: readonly StoredRule[];
}

/**
 * The rules of a table where a column leaves its values behind in another one: from whom the column is hidden, or who may not write it, is kept
 * from that one, too, once it is had back. Undefined where no rule names the column.
 */
export async function keptRules(
  manager: EntityManager,
  column: ColumnEntity,
  kept: ColumnEntity,
): Promise<RulesChange | undefined> {
  const found = await manager.findOneBy(TableRulesEntity, { tableId: column.tableId });
  const rules = found?.rules.map((rule) => withKept(rule, column, kept));
  if (!found || !rules?.some((rule, i) => rule !== found.rules[i])) return undefined;
  return { rules: { ...found, rules, version: found.version + 1, updatedAt: new Date() }, before: found.rules };
}

function withKept(rule: StoredRule, column: ColumnEntity, kept: ColumnEntity): StoredRule {
  const [named] = Object.entries(rule.columnIds).find(([, id]) => id === column.id) ?? [];
  if (named === undefined) return rule;
  const key = deriveKey(kept.name, new Set([...Object.keys(rule.columnIds), column.key]));
  const along = (keys: readonly string[]): readonly string[] => (keys.includes(named) ? [...keys, key] : keys);
  return {
    ...rule,
    columns: { hidden: along(rule.columns.hidden), readOnly: along(rule.columns.readOnly) },
    columnIds: { ...rule.columnIds, [key]: kept.id },
  };
}
