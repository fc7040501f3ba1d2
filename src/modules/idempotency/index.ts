export * from './idempotency.module.js';
export * from './late-answers.js';
export { givenAgain, keepable, type KeptAnswer } from './kept-answer.js';
export { checkKey, RequestKeys } from './request-key.js';
