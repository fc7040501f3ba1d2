export * from './address-policy.js';
export * from './policed-outbound.js';
