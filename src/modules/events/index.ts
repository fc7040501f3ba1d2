export * from './event-bus.js';
export * from './events.module.js';
export type { ImportProgress, ObjectChange, Topic, Topics } from './topics.js';
