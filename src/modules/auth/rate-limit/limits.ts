import { SetMetadata, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { ThrottlerModuleOptions } from '@nestjs/throttler';
import type { AppRequest } from '../../../common/index.js';
import type { AppConfig } from '../../../config/index.js';
import { normalizeEmail } from '../../users/index.js';
import { FixedWindows } from './fixed-windows.js';

/** `default`: any request, by person, else by address. `auth`: by address. `account`: by the e-mail address in the body. */
export type LimitName = 'default' | 'auth' | 'account';

const LIMITS = 'rate-limit:names';

/** Which limits a route counts towards, instead of `default`. */
export const LimitedBy = (...names: LimitName[]) => SetMetadata(LIMITS, names);

/**
 * Guessing at one account from many addresses ends here, well above what the forgetful need: the account's owner shares
 * this limit with the attacker.
 */
const ACCOUNT_FACTOR = 10;

const reflector = new Reflector();

const unlessLimitedBy =
  (name: LimitName) =>
  (context: ExecutionContext): boolean => {
    const names = reflector.get<LimitName[] | undefined>(LIMITS, context.getHandler()) ?? ['default'];
    return !names.includes(name);
  };

/** The e-mail address that the body claims, or the sender's address when there is none. */
function accountOf({ body, ip }: Pick<AppRequest, 'body' | 'ip'>): string {
  const { email }: { email?: unknown } = typeof body === 'object' && body !== null ? body : {};
  return typeof email === 'string' && email.length <= 1024 ? normalizeEmail(email) : ip;
}

/** The limits of this process; each node counts for itself. */
export const throttlerOptions = ({ rateLimit }: AppConfig): ThrottlerModuleOptions => {
  const authWindow = rateLimit.authWindowSeconds * 1000;
  return {
    storage: new FixedWindows(),
    throttlers: [
      {
        name: 'default',
        limit: rateLimit.limit,
        ttl: rateLimit.windowSeconds * 1000,
        skipIf: unlessLimitedBy('default'),
      },
      { name: 'auth', limit: rateLimit.authLimit, ttl: authWindow, skipIf: unlessLimitedBy('auth') },
      {
        name: 'account',
        limit: rateLimit.authLimit * ACCOUNT_FACTOR,
        ttl: authWindow,
        skipIf: unlessLimitedBy('account'),
        getTracker: (request) => accountOf(request as AppRequest),
      },
    ],
  };
};
