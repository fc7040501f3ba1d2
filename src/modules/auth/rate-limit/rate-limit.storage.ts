import { createHmac, hkdfSync } from 'node:crypto';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { AppConfig } from '../../../config/index.js';
import { keyPrefix, type RedisClient } from '../../../database/redis/index.js';
import { FixedWindows } from './fixed-windows.js';
import { SharedCounts } from './shared-counts.js';
import type { Window } from './window.js';

/** Limits that are hit by almost every request. */
const GENEROUS: ReadonlySet<string> = new Set(['default', 'external', 'public']);

/** What the throttler learns of one hit; times are seconds. */
export type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Counts in memory and, where there is Redis, together with the other nodes. Sign-ins (`auth`, `account`) and trials of hosts (`connect`) are
 * counted there at once and exactly. The limit of every request (`default`, `external`, `public`) is generous and must cost none of them a round trip: it is counted here
 * and added up in the background, every quarter of a second and with each fortieth part of the limit: so each node may let pass about that much past it.
 * Redis down or hanging costs one sign-in a second 200 ms, and the nodes the knowledge of each other, nothing else.
 */
export class RateLimitStorage implements ThrottlerStorage {
  private readonly windows: FixedWindows;

  constructor(
    private readonly shared: SharedCounts | undefined,
    private readonly now: () => number = Date.now,
  ) {
    this.windows = new FixedWindows(now);
  }

  /** Counts one hit. `ttl` is the length of the window in milliseconds; blocked means past the limit, until the window ends. */
  async increment(key: string, ttl: number, limit: number, _blockDuration: number, name: string): Promise<Hit> {
    if (GENEROUS.has(name)) return this.count(key, ttl, limit);
    const window = this.windows.hit(key, ttl);
    const hits = (await this.shared?.exchange(window)) ?? window.hits;
    return this.told(window, hits, limit);
  }

  /** The same for generous limits, of which nobody waits for the other nodes. */
  count(key: string, ttl: number, limit: number): Hit {
    const window = this.windows.hit(key, ttl);
    const { hits } = window;
    this.shared?.exchangeSoon(window, limit);
    return this.told(window, hits, limit);
  }

  /** Whether one more hit is within the limit, as far as this node knows. */
  hasRoom(key: string, limit: number): boolean {
    return this.windows.hits(key) < limit;
  }

  private told(window: Window, hits: number, limit: number): Hit {
    const seconds = Math.max(1, Math.ceil((window.endsAt - this.now()) / 1000));
    const isBlocked = hits > limit;
    return { totalHits: hits, timeToExpire: seconds, isBlocked, timeToBlockExpire: isBlocked ? seconds : 0 };
  }
}

export function rateLimitStorage(redis: RedisClient, config: AppConfig): RateLimitStorage {
  if (!redis.configured) return new RateLimitStorage(undefined);
  const run: RedisClient['evaluate'] = (...call) => redis.evaluate(...call);
  return new RateLimitStorage(new SharedCounts(run, redisNames(config), Date.now));
}

/** Keys hold addresses of people. In Redis they are hashed, under a key of ours because addresses are easily tried out. */
export function redisNames({ mainDb, encryptionKey }: AppConfig): (key: string) => string {
  const secret = Buffer.from(hkdfSync('sha256', encryptionKey, '', 'live-tables rate limit v1', 32));
  return (key) => {
    const hashed = createHmac('sha256', secret).update(key).digest('base64url').slice(0, 22);
    return `${keyPrefix(mainDb.database)}limit:${key.slice(0, key.indexOf(':'))}:${hashed}`;
  };
}
