export * from './engine-factories.js';
export * from './external-engine.js';
export * from './external-engines.js';
export * from './object-schema-of.js';
export * from './outbound/index.js';
