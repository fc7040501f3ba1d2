export * from './idempotency.module.js';
export * from './late-answers.js';
