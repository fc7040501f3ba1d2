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
 * counted there at once and exactly. The limit of every request (`default`, `external`, `public`) is generous and should cost hardly any of them a round trip: it is counted here
 * and added up in the background, every quarter of a second and with each fortieth part of the limit. Only who has let a twentieth of it pass that the others may not
 * know of asks first: in a rush, and always where the limit is so small that a twentieth of it is nothing.
 * Redis down or hanging costs one call a second 200 ms, and the nodes the knowledge of each other, nothing else.
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
    const window = this.windows.hit(key, ttl);
    // As many as there are now: whoever waited in vain is not refused for those who came behind him.
    const { hits, ahead } = window;
    const { shared } = this;
    if (shared && (!GENEROUS.has(name) || (hits <= limit && shared.mustAsk(ahead, limit))))
      return this.told(window, (await shared.exchange(window)) ?? hits, limit);
    return this.known(window, limit);
  }

  /** The same by what this node knows, of calls that {@link hasRoom} has found room for. */
  count(key: string, ttl: number, limit: number): Hit {
    return this.known(this.windows.hit(key, ttl), limit);
  }

  /** Whether one more hit is within the limit, and nobody has to be asked about it. */
  hasRoom(key: string, limit: number): boolean {
    const { hits = 0, ahead = 0 } = this.windows.open(key) ?? {};
    return hits < limit && this.shared?.mustAsk(ahead + 1, limit) !== true;
  }

  private known(window: Window, limit: number): Hit {
    const { hits } = window;
    this.shared?.exchangeSoon(window, limit);
    return this.told(window, hits, limit);
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
