import type { OutboxEvent } from '../../../database/main/index.js';
import type { TableEntity } from './table.entity.js';

/** Tells every node that what it knows of the table is out of date. */
export const tableChanged = ({
  id,
  baseId,
  workspaceId,
}: Pick<TableEntity, 'id' | 'baseId' | 'workspaceId'>): OutboxEvent => ({
  topic: 'schema.changed',
  payload: { tableId: id, baseId, workspaceId },
});
