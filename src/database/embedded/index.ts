export { DATABASES, ensureRoles } from './databases.js';
export { EmbeddedError } from './embedded-error.js';
export { startEmbedded, useEmbedded, type EmbeddedDatabases, type EmbeddedOptions } from './embedded.js';
