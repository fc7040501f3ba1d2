export * from './live-socket.adapter.js';
export * from './protocol.js';
export * from './websocket.module.js';
