export * from './live-socket.adapter.js';
export * from './websocket.module.js';
