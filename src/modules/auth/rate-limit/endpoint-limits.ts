import { Injectable } from '@nestjs/common';
import { InjectThrottlerStorage, normalizeIp, type ThrottlerStorage } from '@nestjs/throttler';
import type { AppReply } from '../../../common/index.js';
import { announce, policyOf } from './announce.js';
import type { Hit } from './rate-limit.storage.js';

/** How often somebody may call. */
export interface EndpointLimit {
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Name of these limits in headers, and of their counts. */
const NAME = 'public';

/** Limits that are no settings of the server but of what is called: counted as all others are, over all nodes where there is Redis. */
@Injectable()
export class EndpointLimits {
  constructor(@InjectThrottlerStorage() private readonly storage: ThrottlerStorage) {}

  /**
   * Counts one call, and tells in the headers how many are left.
   * @param of what is called, and by whom
   * @throws Problem `rate_limited`
   */
  async count(reply: AppReply, of: string, { limit, windowSeconds }: EndpointLimit): Promise<void> {
    const ttl = windowSeconds * 1000;
    const hit = await this.storage.increment(`${NAME}:${of}`, ttl, limit, 0, NAME);
    announce(reply, { name: NAME, limit, policy: policyOf(NAME, limit, ttl) }, hit);
  }

  /** Tells of a limit that was counted elsewhere, in the same words. @throws Problem `rate_limited` */
  tell(reply: AppReply, name: string, { limit, windowSeconds }: EndpointLimit, hit: Hit): void {
    announce(reply, { name, limit, policy: policyOf(name, limit, windowSeconds * 1000) }, hit);
  }

  /** Who calls, where nothing but the address is known: an IPv6 address counts as its /64. */
  addressOf(ip: string): string {
    return normalizeIp(ip);
  }
}
