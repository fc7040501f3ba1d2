export { Breaker } from './rate-limit/breaker.js';
export { EndpointLimits, type EndpointCounter, type EndpointLimit } from './rate-limit/endpoint-limits.js';
export { ExternalLimit } from './rate-limit/external-limit.js';
export * from './auth.module.js';
export { TokenService } from './tokens/token.service.js';
