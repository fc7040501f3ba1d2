export { keyPrefix } from './key-node.js';
export * from './redis-client.js';
export * from './redis.module.js';
