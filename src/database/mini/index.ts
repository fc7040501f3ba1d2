export * from './maintenance.js';
export * from './migrate.js';
export * from './mini-database.js';
