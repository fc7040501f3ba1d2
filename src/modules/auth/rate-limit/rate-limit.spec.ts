import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../../config/index.js';
import { Breaker } from './breaker.js';
import { RateLimitStorage, redisNames } from './rate-limit.storage.js';
import { SharedCounts, type RunScript } from './shared-counts.js';
import { Window } from './window.js';

describe('a node by itself', () => {
  it('lets exactly the limit pass in a window, then opens again', async () => {
    let now = 1_000;
    const storage = new RateLimitStorage(undefined, () => now);
    const hit = (key = 'auth:a') => storage.increment(key, 10_000, 2, 0, 'auth');
    expect(await hit()).toEqual({ totalHits: 1, timeToExpire: 10, isBlocked: false, timeToBlockExpire: 0 });
    now += 4_500;
    expect((await hit()).isBlocked).toBe(false);
    expect(await hit()).toEqual({ totalHits: 3, timeToExpire: 6, isBlocked: true, timeToBlockExpire: 6 });
    expect((await hit('auth:b')).isBlocked).toBe(false);
    now += 5_500;
    expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
  });
});

describe('a window that others count in too', () => {
  it('knows the total of all and what came since, while it is being told and afterwards', () => {
    const window = new Window('auth:a', 10_000);
    window.count();
    window.count();
    const taken = window.take();
    window.count();
    expect([taken, window.hits]).toEqual([2, 3]);
    window.adopt(taken, 7, 9_000);
    expect([window.hits, window.endsAt]).toEqual([8, 9_000]);
    expect([window.take(), window.take()]).toEqual([1, 0]);
  });

  it('keeps what it does not know to have arrived, and does not tell it again', () => {
    const window = new Window('auth:a', 10_000);
    window.count();
    window.keep(window.take());
    window.count();
    expect([window.hits, window.take()]).toEqual([2, 1]);
  });
});

describe('two nodes that share a generous limit', () => {
  it('let a tenth more pass at most, however fast all comes', async () => {
    const totals = new Map<string, number>();
    const run: RunScript = (_, names, args) => {
      const added = names.map((name, i) => (totals.get(name) ?? 0) + Number(args[2 * i]));
      names.forEach((name, i) => totals.set(name, added[i] ?? 0));
      return Promise.resolve(added.flatMap((total) => [total, 60_000]));
    };
    const node = () => new RateLimitStorage(new SharedCounts(run, (key) => key, Date.now));
    const nodes = [node(), node()];
    let served = 0;
    for (let n = 0; n < 400; n++) {
      const hit = await nodes[n % 2]?.increment('public:a', 60_000, 200, 0, 'public');
      if (hit?.isBlocked === false) served++;
    }
    expect(served).toBeGreaterThanOrEqual(200);
    expect(served).toBeLessThanOrEqual(220);
  });
});

describe('the breaker', () => {
  it('lets one try a second after a failure, and all after a success', () => {
    let now = 0;
    const breaker = new Breaker(1_000, () => now);
    const tries = () => [breaker.mayTry(), breaker.mayTry()];
    expect(tries()).toEqual([true, true]);
    breaker.report(false);
    expect(tries()).toEqual([false, false]);
    now = 1_000;
    expect(tries()).toEqual([true, false]);
    breaker.report(false);
    now = 1_999;
    expect(tries()).toEqual([false, false]);
    now = 2_000;
    expect(tries()).toEqual([true, false]);
    breaker.report(true);
    expect(tries()).toEqual([true, true]);
  });
});

describe('the name of a count in Redis', () => {
  const config = (encryptionKey = randomBytes(32)) =>
    ({ mainDb: { database: 'main' }, encryptionKey }) as unknown as AppConfig;

  it('tells the limit and the installation, and neither address nor person', () => {
    const name = redisNames(config())('account:ada@example.org');
    expect(name).toMatch(/^\{live-tables:main\}:limit:account:[\w-]{22}$/);
    expect(name).not.toContain('ada');
  });

  it('is the same on every node, and not to be guessed without the key', () => {
    const key = randomBytes(32);
    const nameOf = (of: AppConfig) => redisNames(of)('auth:203.0.113.1');
    expect(nameOf(config(key))).toBe(nameOf(config(key)));
    expect(nameOf(config(key))).not.toBe(nameOf(config()));
  });
});
