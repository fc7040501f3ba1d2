export * from './event-bus.js';
export * from './events.module.js';
export type { Topic, Topics } from './topics.js';
