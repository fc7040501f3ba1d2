export { SEALED_WEBHOOKS } from './settings/sealed-webhooks.js';
export * from './webhooks.module.js';
