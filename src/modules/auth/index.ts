export * from './auth.module.js';
export { LimitedBy, type LimitName } from './rate-limit/limits.js';
export { TokenService } from './tokens/token.service.js';
