export * from './long-sessions.js';
export * from './maintenance.js';
export * from './migrate.js';
export * from './mini-database.js';
export * from './record-client.js';
export * from './role-report.js';
export * from './roles.js';
export * from './statement.js';
