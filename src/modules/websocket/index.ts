export { bySeq, liveEvent, wholeEvent } from './feed/index.js';
export * from './live-socket.adapter.js';
export { tableChannel, type ResetReason } from './messages/index.js';
export * from './protocol.js';
export * from './websocket.module.js';
