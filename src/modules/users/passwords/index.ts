export * from './is-given-password.js';
export * from './is-new-password.js';
export * from './password-hasher.js';
export * from './problems.js';
