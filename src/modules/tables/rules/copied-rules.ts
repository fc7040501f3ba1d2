import type { Id } from '../../../common/index.js';
import type { TableEntity } from '../tables/table.entity.js';
import type { TableRulesEntity } from './table-rules.entity.js';

/** The rules of a table for a copy of it, which would show everybody what the original does not. `to` leads from columns to their copies. */
export const copiedRules = (
  { rules, updatedBy }: TableRulesEntity,
  { id, baseId, workspaceId, createdAt }: TableEntity,
  to: (columnId: Id) => Id,
): TableRulesEntity => ({
  tableId: id,
  baseId,
  workspaceId,
  version: 1,
  rules: rules.map((rule) => ({
    ...rule,
    columnIds: Object.fromEntries(Object.entries(rule.columnIds).map(([key, column]) => [key, to(column)])),
    reads: rule.reads.map(to),
    ...(rule.types
      ? { types: Object.fromEntries(Object.entries(rule.types).map(([id, held]) => [to(id), held.replace(ID, to)])) }
      : {}),
  })),
  updatedAt: createdAt,
  updatedBy,
});

/** Of columns, in how computed ones are made. */
const ID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;
