export * from './serve-live-page.js';
