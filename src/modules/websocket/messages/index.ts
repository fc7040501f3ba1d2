export * from './answers.dto.js';
export * from './channel.js';
export * from './events.dto.js';
export * from './messages.dto.js';
export * from './read-message.js';
export * from './wire.js';
