export * from './external-engine.js';
export * from './outbound/index.js';
