export * from './logger.js';
export * from './nest-logger.js';
export * from './request-log.js';
export * from './slow-query-log.js';
