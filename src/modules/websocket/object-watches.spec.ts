import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ObjectWatches } from './object-watches.js';

const EVERY_MS = 1_000;
const objectOf = (name: string, connectionId = 'c1') => ({ workspaceId: 'w1', connectionId, name });

function world() {
  /** What each object answers: a digest, a failure, or nothing ever (null). */
  const answers = new Map<string, string | Error | null>();
  const asked: string[] = [];
  const changed: string[] = [];
  const aborted: string[] = [];
  const watches = new ObjectWatches(
    ({ name }, signal) => {
      asked.push(name);
      const answer = answers.has(name) ? answers.get(name) : 'as ever';
      if (answer instanceof Error) return Promise.reject(answer);
      if (typeof answer === 'string') return Promise.resolve(answer);
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          aborted.push(name);
          reject(new Error('aborted'));
        }),
      );
    },
    EVERY_MS,
    ({ name }) => changed.push(name),
  );
  return { answers, asked, changed, aborted, watches };
}
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

describe('watched objects', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    Logger.overrideLogger(false);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('are looked at once per interval, however many follow them, until the last has gone', async () => {
    const { asked, watches } = world();
    for (let n = 0; n < 3; n++) watches.acquire(objectOf('a'));
    await pass(2_500);
    expect(asked).toHaveLength(3);
    watches.release(objectOf('a'));
    watches.release(objectOf('a'));
    await pass(1_000);
    expect(asked).toHaveLength(4);
    watches.release(objectOf('a'));
    await pass(10_000);
    expect(asked).toHaveLength(4);
  });

  it('are told of when they are different, once each time', async () => {
    const { answers, changed, watches } = world();
    watches.acquire(objectOf('a'));
    await pass(2_000);
    expect(changed).toEqual([]);
    answers.set('a', 'another');
    await pass(3_000);
    expect(changed).toEqual(['a']);
  });

  it('are asked less and less often while they fail, and told of when nobody knows what was missed at first', async () => {
    const { answers, asked, changed, watches } = world();
    answers.set('a', new Error('away'));
    watches.acquire(objectOf('a'));
    await pass(15_500); // at 0, 2, 6 and 14 s
    expect(asked).toHaveLength(4);
    answers.delete('a');
    await pass(16_000);
    expect(changed).toEqual(['a']);
    const before = asked.length;
    await pass(3_000);
    expect(asked.length - before).toBe(3);
  });

  it('of one connection take turns, and wait for no other connection', async () => {
    const { answers, asked, aborted, watches } = world();
    answers.set('slow', null);
    for (const name of ['slow', 'behind it']) watches.acquire(objectOf(name));
    watches.acquire(objectOf('elsewhere', 'c2'));
    await pass(1_500);
    expect(asked).toEqual(['slow', 'elsewhere', 'elsewhere']);
    watches.release(objectOf('slow'));
    await pass(100);
    expect([aborted, asked.includes('behind it')]).toEqual([['slow'], true]);
  });

  it('are left in peace at the end', async () => {
    const { answers, asked, aborted, watches } = world();
    answers.set('slow', null);
    watches.acquire(objectOf('slow'));
    watches.acquire(objectOf('quick', 'c2'));
    await pass(10);
    watches.end();
    watches.acquire(objectOf('late'));
    await pass(10_000);
    expect([asked, aborted]).toEqual([['slow', 'quick'], ['slow']]);
  });
});
