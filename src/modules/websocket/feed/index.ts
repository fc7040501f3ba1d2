export * from './feeds.js';
export * from './live-event.js';
export * from './table-feed.js';
