export * from './id.pipe.js';
export * from './validation.pipe.js';
