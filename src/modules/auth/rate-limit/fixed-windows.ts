import { LRUCache } from 'lru-cache';
import { Window } from './window.js';

const MAX_KEYS = 100_000;

/**
 * Counts hits per key in windows of fixed length, in memory bounded. One counter per key: the storage that comes with
 * the throttler keeps the time of every single hit and walks through them on each request.
 */
export class FixedWindows {
  private readonly windows = new LRUCache<string, Window>({ max: MAX_KEYS });

  constructor(private readonly now: () => number) {}

  /** Counts one hit, in the key's open window or in a new one of `ttl` milliseconds. */
  hit(key: string, ttl: number): Window {
    const now = this.now();
    let window = this.windows.get(key);
    if (!window || window.endsAt <= now) {
      window = new Window(key, now + ttl);
      this.windows.set(key, window);
    }
    window.count();
    return window;
  }

  /** The key's open window, if there is one. */
  open(key: string): Window | undefined {
    const window = this.windows.get(key);
    return window && window.endsAt > this.now() ? window : undefined;
  }
}
