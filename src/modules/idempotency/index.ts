export * from './idempotency.module.js';
