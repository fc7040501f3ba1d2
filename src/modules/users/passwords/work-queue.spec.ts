import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WorkQueue } from './work-queue.js';

const LIMITS = { atOnce: 2, maxWaiting: 3, patienceMs: 10_000 };

/** A work that ends when it is told to. */
function job() {
  let end: (how: 'done' | Error) => void = () => undefined;
  const ended = new Promise<string>((resolve, reject) => {
    end = (how) => (how === 'done' ? resolve(how) : reject(how));
  });
  const work = jest.fn(() => ended);
  return { work, end };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const settled = () => jest.advanceTimersByTimeAsync(0);

describe('the queue', () => {
  it('runs so many at a time and the others in order, also after one that failed', async () => {
    const queue = new WorkQueue(LIMITS);
    const jobs = Array.from({ length: 5 }, job);
    const answers = jobs.map(({ work }) => queue.run(work).catch(String));
    const begun = () => jobs.map(({ work }) => work.mock.calls.length);
    await settled();
    expect(begun()).toEqual([1, 1, 0, 0, 0]);
    jobs[1]?.end(new Error('no'));
    await settled();
    expect(begun()).toEqual([1, 1, 1, 0, 0]);
    jobs[0]?.end('done');
    await settled();
    expect(begun()).toEqual([1, 1, 1, 1, 0]);
    for (const { end } of jobs) end('done');
    expect(await Promise.all(answers)).toEqual(['done', 'Error: no', 'done', 'done', 'done']);
    expect(begun()).toEqual([1, 1, 1, 1, 1]);
  });

  it('refuses at once what would wait behind too many', async () => {
    const queue = new WorkQueue(LIMITS);
    const jobs = Array.from({ length: 5 }, job);
    const answers = jobs.map(({ work }) => queue.run(work));
    const late = job();
    await expect(queue.run(late.work)).rejects.toMatchObject({ code: 'overloaded', headers: { 'retry-after': '5' } });
    for (const { end } of jobs) end('done');
    await Promise.all(answers);
    expect(late.work).not.toHaveBeenCalled();
    await expect(queue.run(() => Promise.resolve('next'))).resolves.toBe('next');
  });

  it('refuses what has waited too long, never begins it, and goes on with the next', async () => {
    const queue = new WorkQueue({ ...LIMITS, atOnce: 1 });
    const [slow, late, next] = [job(), job(), job()];
    const running = queue.run(slow.work);
    const refused = queue.run(late.work).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(6_000);
    const patient = queue.run(next.work);
    await jest.advanceTimersByTimeAsync(4_000);
    expect(await refused).toMatchObject({ code: 'overloaded' });
    slow.end('done');
    next.end('done');
    expect(await Promise.all([running, patient])).toEqual(['done', 'done']);
    expect(late.work).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });
});
