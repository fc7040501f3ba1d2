import type { Id } from '../../../common/index.js';
import type { AuditEntry, OutboxEvent } from '../../../database/main/index.js';
import type { WebhookDto } from './webhook.dto.js';
import type { WebhookEntity } from './webhook.entity.js';

export function toWebhookDto(webhook: WebhookEntity, tables: readonly Id[]): WebhookDto {
  const { id, workspaceId, name, url, events, state, disabledReason, attempts, failingSince, nextAt } = webhook;
  return {
    ...{ id, workspaceId, name, url, tables: [...tables], events, state, disabledReason },
    failing: failingSince ? { since: failingSince.toISOString(), attempts, nextAttemptAt: nextAt.toISOString() } : null,
    runsAs: webhook.runsAs,
    createdAt: webhook.createdAt.toISOString(),
    createdBy: webhook.createdBy,
    updatedAt: webhook.updatedAt.toISOString(),
  };
}

/** For the audit log: of the address only where it leads, since what stands behind the host may be a secret of the receiver's. */
export const webhookView = ({ name, url, events, state }: WebhookEntity, tables: readonly Id[]): object => ({
  ...{ name, origin: new URL(url).origin, events, state, tables },
});

export const webhookAudit = (
  { workspaceId, id, name }: Pick<WebhookEntity, 'id' | 'workspaceId' | 'name'>,
  action: string,
  change: Pick<AuditEntry, 'before' | 'after'>,
): AuditEntry => ({ workspaceId, action, resource: { type: 'webhook', id, name }, ...change });

export const webhookChanged = ({ id, workspaceId }: Pick<WebhookEntity, 'id' | 'workspaceId'>): OutboxEvent => ({
  topic: 'webhook.changed',
  payload: { webhookId: id, workspaceId },
});
