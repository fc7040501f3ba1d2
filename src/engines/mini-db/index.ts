export * from './change-log.js';
export * from './mini-db-engine.js';
export * from './mini-db-lookup.js';
export * from './mini-db-purge.js';
export * from './mini-db-schema.js';
export * from './mini-db-writer.js';
export type { OpResult, WriteResult } from './write-queue.js';
export { pgError } from './pg-errors.js';
