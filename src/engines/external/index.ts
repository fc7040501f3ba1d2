export * from './external-engine.js';
export * from './object-schema-of.js';
export * from './postgres/index.js';
