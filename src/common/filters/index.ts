export * from './problem.filter.js';
export * from './to-problem.js';
