export { MongoEngine } from './mongo-engine.js';
