import { SetMetadata } from '@nestjs/common';
import { normalizeIp, type ThrottlerModuleOptions } from '@nestjs/throttler';
import type { AppRequest } from '../../../common/index.js';
import type { AppConfig } from '../../../config/index.js';
import type { RedisClient } from '../../../database/redis/index.js';
import { normalizeEmail } from '../../users/index.js';
import { rateLimitStorage } from './rate-limit.storage.js';

/**
 * `default`: any request, by person, else by address. `auth`: by address. `account`: by the e-mail address in the body.
 * An IPv6 address counts as its /64, which is the least that one customer has (RFC 6177): the throttler's `normalizeIp`.
 */
export type LimitName = 'default' | 'auth' | 'account';

/** Metadata key of {@link LimitedBy}. */
export const LIMITED_BY = 'rate-limit:names';

/** Which limits a route counts towards, instead of `default`. */
export const LimitedBy = (...names: readonly LimitName[]) => SetMetadata(LIMITED_BY, names);

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
    ],
  };
};
