import type { EntityManager } from 'typeorm';
import { invalid } from '../../../common/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { TableRulesEntity } from './table-rules.entity.js';

/**
 * A column that every row needs, and that has no default, has to be one that all may give who may make rows.
 * @param before what it was: one that was so already is let alone
 * @throws Problem `validation_failed` with `rules_in_the_way`
 */
export async function mustBeGivable(manager: EntityManager, before: ColumnEntity, column: ColumnEntity): Promise<void> {
  if (!hasToBeGiven(column) || hasToBeGiven(before)) return;
  const found = await manager.findOneBy(TableRulesEntity, { tableId: column.tableId });
  const rule = found?.rules.find(
    ({ create, columns: { hidden, readOnly }, columnIds }) =>
      create.allow && [...hidden, ...readOnly].some((key) => columnIds[key] === column.id),
  );
  if (!rule) return;
  throw invalid([
    {
      pointer: before.required ? '/default' : '/required',
      code: 'rules_in_the_way',
      detail: `The rule “${rule.name}” lets people make rows who cannot give ${column.key}. Give it a default, or change the rule.`,
    },
  ]);
}

const hasToBeGiven = ({ required, default: initial }: ColumnEntity): boolean => required && initial === null;
