export * from './content.guard.js';
