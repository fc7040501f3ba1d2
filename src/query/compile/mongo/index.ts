export { Bound, isFieldName, type BoundType, type MongoDocument } from './document.js';
export { EXTENDED, FORM_TYPES, MONGO_FORMS, type MongoForm } from './forms.js';
export { compileMongoRead, type MongoOutput, type MongoPage } from './read.js';
export { compileMongoGroups, type MongoGroupPage } from './groups.js';
export { compileMongoMutation, type MongoMutation, type MongoSet } from './mutation.js';
export { canComputeInMongo } from './source.js';
export { keyName } from './order.js';
