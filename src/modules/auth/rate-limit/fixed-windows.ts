import type { ThrottlerStorage } from '@nestjs/throttler';
import { LRUCache } from 'lru-cache';

interface Window {
  hits: number;
  readonly endsAt: number;
}
/** What the throttler learns of one hit; times are seconds. */
export type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const MAX_KEYS = 100_000;

/**
 * Counts hits per key in windows of fixed length, in memory bounded. One counter per key: the storage that comes with
 * the throttler keeps the time of every single hit and walks through them on each request.
 */
export class FixedWindows implements ThrottlerStorage {
  private readonly windows = new LRUCache<string, Window>({ max: MAX_KEYS });

  constructor(private readonly now: () => number = Date.now) {}

  /** Counts one hit. `ttl` is the length of the window in milliseconds; blocked means past the limit, until the window ends. */
  increment(key: string, ttl: number, limit: number): Promise<Hit> {
    const now = this.now();
    let window = this.windows.get(key);
    if (!window || window.endsAt <= now) {
      window = { hits: 0, endsAt: now + ttl };
      this.windows.set(key, window);
    }
    window.hits++;
    const seconds = Math.ceil((window.endsAt - now) / 1000);
    const isBlocked = window.hits > limit;
    return Promise.resolve({
      totalHits: window.hits,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
    });
  }
}
