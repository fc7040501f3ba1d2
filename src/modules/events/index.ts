export * from './event-bus.js';
export * from './events.module.js';
export type { ImportProgress, Topic, Topics } from './topics.js';
