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
  /** A Redis that answers when everybody who is waiting has asked. */
  const pairOfNodes = (): readonly RateLimitStorage[] => {
    const totals = new Map<string, number>();
    const run: RunScript = async (_, names, args) => {
      await new Promise(setImmediate);
      const added = names.map((name, i) => (totals.get(name) ?? 0) + Number(args[2 * i]));
      names.forEach((name, i) => totals.set(name, added[i] ?? 0));
      return added.flatMap((total) => [total, 60_000]);
    };
    return [0, 1].map(() => new RateLimitStorage(new SharedCounts(run, (key) => key, Date.now)));
  };
  const passes = async (node: RateLimitStorage | undefined, limit: number): Promise<boolean> =>
    (await node?.increment('public:a', 60_000, limit, 0, 'public'))?.isBlocked === false;

  it.each([1, 5, 10, 19, 20, 50, 200, 1_000])(
    'let a tenth of %i more pass at most, however fast and in whatever order all comes',
    async (limit) => {
      for (const together of [1, 7, 2 * limit + 2]) {
        const nodes = pairOfNodes();
        let served = 0;
        for (let n = 0; n < 2 * limit + 2; n += together) {
          const rush = Array.from({ length: together }, (_, i) => passes(nodes[(n + i) % 2], limit));
          served += (await Promise.all(rush)).filter(Boolean).length;
        }
        expect(served).toBeGreaterThanOrEqual(limit);
        expect(served).toBeLessThanOrEqual(limit * 1.1);
      }
    },
  );

  it('know of no room that they would have to ask for', async () => {
    const [node] = pairOfNodes();
    expect(node?.hasRoom('public:a', 19)).toBe(false);
    expect(node?.hasRoom('public:a', 40)).toBe(true);
    for (const left of [true, false]) {
      node?.count('public:a', 60_000, 40);
      expect(node?.hasRoom('public:a', 40)).toBe(left);
    }
    expect(await passes(node, 40)).toBe(true);
    expect(node?.hasRoom('public:a', 40)).toBe(true);
  });

  it('ask nobody while there is no answer, and let in whom each knows room for', async () => {
    let asked = 0;
    const run: RunScript = () => {
      asked++;
      return Promise.resolve(undefined);
    };
    const node = new RateLimitStorage(new SharedCounts(run, (key) => key, () => 1_000), () => 1_000); // prettier-ignore
    const served = await Promise.all(Array.from({ length: 30 }, () => passes(node, 5)));
    expect(served.filter(Boolean)).toHaveLength(5);
    const before = asked;
    expect([await passes(node, 5), asked]).toEqual([false, before]);
    expect(node.hasRoom('public:b', 5)).toBe(true);
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
