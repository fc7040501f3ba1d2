export * from './spans.js';
export * from './trace-requests.js';
export * from './stages.js';
