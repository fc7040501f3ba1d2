export * from './asyncapi-document.js';
export * from './serve-asyncapi.js';
export type * from './socket-protocol.js';
