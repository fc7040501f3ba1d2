export * from './feed.js';
export * from './feeds.js';
export * from './live-event.js';
export * from './log-reader.js';
export * from './table-source.js';
