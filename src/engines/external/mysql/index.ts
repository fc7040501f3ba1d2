export * from './mysql-engine.js';
