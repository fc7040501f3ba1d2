export * from './feed.js';
export * from './feeds.js';
export * from './live-event.js';
export * from './log-reader.js';
export * from './seen-changes.js';
export * from './seen-source.js';
export * from './table-source.js';
