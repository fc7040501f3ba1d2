export { RevertibleWebhooks } from './settings/revertible-webhooks.js';
export { SEALED_WEBHOOKS } from './settings/sealed-webhooks.js';
export * from './webhooks.module.js';
