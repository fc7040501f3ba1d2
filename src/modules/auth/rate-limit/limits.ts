import { normalizeIp, type ThrottlerModuleOptions } from '@nestjs/throttler';
import type { AppRequest } from '../../../common/index.js';
import type { AppConfig } from '../../../config/index.js';
import type { RedisClient } from '../../../database/redis/index.js';
import { normalizeEmail } from '../../users/index.js';
import { rateLimitStorage } from './rate-limit.storage.js';

/**
 * Guessing at one account from many addresses ends here, well above what the forgetful need: the account's owner shares
 * this limit with the attacker.
 */
const ACCOUNT_FACTOR = 10;

/** The e-mail address that the body claims, or the sender's address when there is none. */
function accountOf({ body, ip }: Pick<AppRequest, 'body' | 'ip'>): string {
  const { email }: { email?: unknown } = typeof body === 'object' && body !== null ? body : {};
  return typeof email === 'string' && email.length <= 1024 ? normalizeEmail(email) : normalizeIp(ip);
}

/** The limits, counted over all nodes where there is Redis. */
export const throttlerOptions = (config: AppConfig, redis: RedisClient): ThrottlerModuleOptions => {
  const { rateLimit } = config;
  const window = rateLimit.windowSeconds * 1000;
  const authWindow = rateLimit.authWindowSeconds * 1000;
  return {
    storage: rateLimitStorage(redis, config),
    throttlers: [
      { name: 'default', limit: rateLimit.limit, ttl: window },
      { name: 'auth', limit: rateLimit.authLimit, ttl: authWindow },
      {
        name: 'account',
        limit: rateLimit.authLimit * ACCOUNT_FACTOR,
        ttl: authWindow,
        getTracker: (request) => accountOf(request as AppRequest),
      },
      { name: 'external', limit: rateLimit.externalLimit, ttl: window },
      { name: 'connect', limit: rateLimit.connectLimit, ttl: window },
    ],
  };
};
