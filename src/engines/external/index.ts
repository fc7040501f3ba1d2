export * from './external-engine.js';
