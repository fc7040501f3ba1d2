import { describe, expect, it } from '@jest/globals';
import { FreshCache } from './fresh-cache.js';

function setUp() {
  let clock = 0;
  const truth = new Map<string, string>();
  const reads: { key: string; answer: (value?: string) => void; fail: () => void }[] = [];
  const cache = new FreshCache<string>({
    maxEntries: 10,
    maxAgeMs: 100,
    now: () => clock,
    load: (key) => {
      const value = truth.get(key);
      return new Promise((resolve, reject) =>
        reads.push({
          key,
          answer: (other = value) => resolve(other),
          fail: () => reject(new Error('database is away')),
        }),
      );
    },
  });
  const settle = () => new Promise(setImmediate);
  /** Asks, lets all reads that are under way answer, and tells what came. */
  const ask = async (key: string) => {
    const asked = cache.get(key);
    for (const read of reads.splice(0)) read.answer();
    const value = await asked;
    await settle();
    return value;
  };
  return { cache, truth, reads, ask, settle, pass: (ms: number) => void (clock += ms) };
}

describe('FreshCache', () => {
  it('reads once for all who ask at once', async () => {
    const { cache, truth, reads } = setUp();
    truth.set('a', '1');
    const asked = [cache.get('a'), cache.get('a'), cache.get('a')];
    expect(reads).toHaveLength(1);
    reads[0]?.answer();
    expect(await Promise.all(asked)).toEqual(['1', '1', '1']);
  });

  it('never gives out what is older than the limit, counted from the start of the read', async () => {
    const { cache, truth, reads, ask, pass } = setUp();
    truth.set('a', 'old');
    const first = cache.get('a');
    pass(90); // a slow read
    reads.splice(0)[0]?.answer();
    expect(await first).toBe('old');
    truth.set('a', 'new');
    pass(10);
    expect(await ask('a')).toBe('new');
  });

  it('renews a busy key in the background and answers from memory meanwhile', async () => {
    const { cache, truth, reads, ask, settle, pass } = setUp();
    truth.set('a', 'old');
    await ask('a');
    truth.set('a', 'new');
    pass(60);
    expect(await cache.get('a')).toBe('old');
    expect(await cache.get('a')).toBe('old');
    expect(reads).toHaveLength(1);
    reads.splice(0)[0]?.answer();
    await settle();
    expect(await cache.get('a')).toBe('new');
    expect(reads).toHaveLength(0);
  });

  it('forgets at once when told, also what a read under way is about to bring', async () => {
    const { cache, truth, reads, ask, settle } = setUp();
    truth.set('a', 'member');
    const before = cache.get('a'); // the read saw the old state
    truth.delete('a');
    cache.drop('a');
    const after = cache.get('a');
    for (const read of reads.splice(0)) read.answer();
    expect(await before).toBe('member');
    expect(await after).toBeUndefined();
    await settle();
    expect(await ask('a')).toBeUndefined();
  });

  it('forgets what a renewal under way is about to bring', async () => {
    const { cache, truth, reads, ask, settle, pass } = setUp();
    truth.set('a', 'member');
    await ask('a');
    pass(60);
    await cache.get('a'); // starts the renewal, which sees the old state
    truth.delete('a');
    cache.drop('a');
    reads.splice(0)[0]?.answer('member');
    await settle();
    expect(await ask('a')).toBeUndefined();
  });

  it('forgets by prefix', async () => {
    const { truth, ask, cache } = setUp();
    for (const key of ['w1/a', 'w1/b', 'w2/a']) truth.set(key, 'x');
    for (const key of truth.keys()) await ask(key);
    truth.clear();
    cache.dropPrefix('w1/');
    expect([await ask('w1/a'), await ask('w1/b'), await ask('w2/a')]).toEqual([undefined, undefined, 'x']);
  });

  it('keeps neither absence nor failure', async () => {
    const { cache, truth, reads, ask } = setUp();
    expect(await ask('a')).toBeUndefined();
    truth.set('a', '1');
    const failing = cache.get('a');
    reads.splice(0)[0]?.fail();
    await expect(failing).rejects.toThrow('database is away');
    expect(await ask('a')).toBe('1');
  });

  it('serves the old value while a renewal fails, but not past its time', async () => {
    const { cache, truth, reads, ask, settle, pass } = setUp();
    truth.set('a', '1');
    await ask('a');
    pass(60);
    await cache.get('a');
    reads.splice(0)[0]?.fail();
    await settle();
    pass(30);
    expect(await cache.get('a')).toBe('1');
    reads.splice(0);
    pass(10);
    const late = cache.get('a');
    reads.splice(0)[0]?.fail();
    await expect(late).rejects.toThrow();
  });

  it('tells at once what it knows, reads nothing for that, and renews it in time', async () => {
    const { cache, truth, reads, ask, settle, pass } = setUp();
    truth.set('a', '1');
    expect([cache.known('a'), reads.length]).toEqual([undefined, 0]);
    const asked = cache.get('a');
    expect(cache.known('a')).toBeUndefined();
    reads.splice(0)[0]?.answer();
    await asked;
    expect([cache.known('a'), reads.length]).toEqual(['1', 0]);
    truth.set('a', '2');
    pass(60);
    expect([cache.known('a'), reads.length]).toEqual(['1', 1]);
    reads.splice(0)[0]?.answer('2');
    await settle();
    expect(cache.known('a')).toBe('2');
    cache.drop('a');
    expect(cache.known('a')).toBeUndefined();
    await ask('a');
    pass(100);
    expect([cache.known('a'), reads.length]).toEqual([undefined, 0]);
  });
});
