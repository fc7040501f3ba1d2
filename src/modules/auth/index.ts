export * from './auth.module.js';
export { TokenService } from './tokens/token.service.js';
