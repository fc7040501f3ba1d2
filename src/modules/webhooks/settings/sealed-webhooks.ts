import { sealedIn } from '../../connections/index.js';
import { webhookAudit } from './describe-webhook.js';
import { WebhookEntity } from './webhook.entity.js';

/** The secrets of webhooks, for the rotation of keys. */
export const SEALED_WEBHOOKS = sealedIn(WebhookEntity, 'sealedSecrets', (webhook, keyId) =>
  webhookAudit(webhook, 'webhook.rekeyed', { after: { keyId } }),
);
