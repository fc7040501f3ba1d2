import type { Id } from '../../../common/index.js';
import type { AuditEntry } from '../../../database/main/index.js';

/** An index is called by the keys of its columns. */
export const indexAudit = (
  workspaceId: Id,
  id: Id,
  action: 'index.created' | 'index.deleted',
  name: string,
  view?: object,
): AuditEntry => ({
  workspaceId,
  action,
  resource: { type: 'index', id, name },
  ...(view ? { [action === 'index.created' ? 'after' : 'before']: view } : {}),
});
