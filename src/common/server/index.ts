export * from './client-errors.js';
export * from './compression.js';
export * from './content-parsers.js';
export * from './cors.js';
export * from './edge-adapter.js';
export * from './request-hooks.js';
export * from './request-id.js';
export * from './security.js';
