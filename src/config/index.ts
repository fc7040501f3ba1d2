export * from './app-config.js';
export * from './config.module.js';
export * from './environment.js';
export * from './fault-point.js';
export * from './load-config.js';
export { ConfigError } from './read-settings.js';
export * from './secrets-file.js';
