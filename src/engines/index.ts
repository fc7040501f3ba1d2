export * from './data-engine.js';
export * from './engines.module.js';
export * from './mini-db/index.js';
export * from './external/index.js';
