export * from './config.module.js';
export * from './app-config.js';
