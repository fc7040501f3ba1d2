export * from './id.pipe.js';
export * from './pointer.js';
export { MAX_FINDINGS } from './unknown-members.js';
export * from './validation.pipe.js';
