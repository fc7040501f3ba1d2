import { faultPoint } from '../../../config/index.js';
import type { AuditedManager } from '../../../database/main/index.js';
import type { Id } from '../../../common/index.js';
import type { MiniDbSchema } from '../../../engines/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { SchemaOpEntity } from './schema-op.entity.js';

/**
 * Removes all bases of a workspace, deleted ones too, with their rows and logs. Their metadata goes with the workspace (foreign
 * keys); the record of past operations, which holds whole table definitions, has no such key.
 */
export async function purgeTables(main: AuditedManager, mini: MiniDbSchema, workspaceId: Id): Promise<void> {
  const bases = await main.find(BaseEntity, { where: { workspaceId }, select: { id: true, schemaName: true } });
  for (const { schemaName } of bases) {
    await mini.drop(schemaName);
    await faultPoint('workspace.base_dropped');
  }
  await main.delete(SchemaOpEntity, { workspaceId });
}
