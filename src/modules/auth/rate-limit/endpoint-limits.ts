import { Injectable } from '@nestjs/common';
import { InjectThrottlerStorage, normalizeIp } from '@nestjs/throttler';
import type { HeaderSink } from '../../../common/index.js';
import { announce, policyOf, type Announced } from './announce.js';
import { RateLimitStorage, type Hit } from './rate-limit.storage.js';

/** How often somebody may call. */
export interface EndpointLimit {
  readonly limit: number;
  readonly windowSeconds: number;
}

/** What calls are counted by, and how it is told: the same for all calls of somebody. */
export interface EndpointCounter extends Announced {
  readonly key: string;
  /** Milliseconds. */
  readonly ttl: number;
}

/** Name of these limits in headers, and of their counts. */
const NAME = 'public';

/** Limits that are no settings of the server but of what is called: counted as all others are, over all nodes where there is Redis. */
@Injectable()
export class EndpointLimits {
  constructor(@InjectThrottlerStorage() private readonly storage: RateLimitStorage) {}

  /** @param of what is called, and by whom */
  counterOf(of: string, { limit, windowSeconds }: EndpointLimit): EndpointCounter {
    const ttl = windowSeconds * 1000;
    return { key: `${NAME}:${of}`, name: NAME, limit, ttl, policy: policyOf(NAME, limit, ttl) };
  }

  /** Counts one call, and tells in the headers how many are left. @throws Problem `rate_limited` */
  async count(reply: HeaderSink, counter: EndpointCounter): Promise<void> {
    const { key, ttl, limit } = counter;
    announce(reply, counter, await this.storage.increment(key, ttl, limit, 0, NAME));
  }

  /** The same, without asking other nodes, of a call that {@link hasRoom} has found room for. @throws Problem `rate_limited` */
  countKnown(reply: HeaderSink, counter: EndpointCounter): void {
    announce(reply, counter, this.storage.count(counter.key, counter.ttl, counter.limit));
  }

  /** Whether the next call would be within the limit, as far as is known without asking other nodes. */
  hasRoom({ key, limit }: EndpointCounter): boolean {
    return this.storage.hasRoom(key, limit);
  }

  /** Tells of a limit that was counted elsewhere, in the same words. @throws Problem `rate_limited` */
  tell(reply: HeaderSink, name: string, { limit, windowSeconds }: EndpointLimit, hit: Hit): void {
    announce(reply, { name, limit, policy: policyOf(name, limit, windowSeconds * 1000) }, hit);
  }

  /** Who calls, where nothing but the address is known: an IPv6 address counts as its /64. */
  addressOf(ip: string): string {
    return normalizeIp(ip);
  }
}
