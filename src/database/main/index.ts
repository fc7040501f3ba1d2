export * from './actor.js';
export * from './audit-log.entity.js';
export * from './data-source.js';
export * from './main-database.js';
export * from './audited-transaction.js';
export * from './outbox.entity.js';
export * from './outbox.js';
export * from './unique-violation.js';
