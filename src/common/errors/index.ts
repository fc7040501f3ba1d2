export * from './catalogue.js';
export * from './is-error.js';
export * from './problem.js';
export * from './refusal-of.js';
