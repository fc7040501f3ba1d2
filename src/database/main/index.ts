export * from './audit-log.entity.js';
export * from './data-source.js';
export * from './main-transaction.js';
export * from './outbox.entity.js';
