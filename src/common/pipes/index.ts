export * from './id.pipe.js';
export * from './pointer.js';
export * from './typed-query.js';
export * from './unknown-keys.js';
export { MAX_FINDINGS } from './unknown-members.js';
export * from './validation.pipe.js';
