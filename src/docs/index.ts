export * from './asyncapi/index.js';
export * from './describe-problems.js';
export * from './setup-docs.js';
