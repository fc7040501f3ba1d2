export * as arbitrary from './arbitraries.js';
export { printFilter, type JsonFilter } from './arbitraries.js';
export { groupQuery, type GroupQuery } from './group-arbitraries.js';
export { linkedFilter } from './linked-filters.js';
export * from './schema.js';
export * from './fuzz.js';
