export * from './channel.js';
export * from './messages.dto.js';
export * from './read-message.js';
