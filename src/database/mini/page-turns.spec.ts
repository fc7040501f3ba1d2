import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { must } from '../../common/index.js';
import { isOnThisMachine, PageTurns } from './page-turns.js';

type Turn = Awaited<ReturnType<PageTurns['begin']>>;

/** Some that have asked, each with its turn when it came. */
function asking(turns: PageTurns, count: number) {
  return Array.from({ length: count }, () => {
    const one: { turn?: Turn; error?: unknown } = {};
    void Promise.resolve(turns.begin()).then(
      (turn) => (one.turn = turn),
      (error: unknown) => (one.error = error),
    );
    return one;
  });
}

const turnOf = (one: { turn?: Turn } | undefined): Turn => must(one?.turn, 'its turn has come');
const begun = (all: readonly { turn?: Turn }[]): string => all.map(({ turn }) => (turn ? '+' : '-')).join('');

describe('turns of pages', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const soon = (): Promise<void> => jest.advanceTimersByTimeAsync(0);

  it('begin at once up to as many as there may be, and then in the order in which they were asked for', async () => {
    const turns = new PageTurns(2);
    const all = asking(turns, 4);
    await soon();
    expect(begun(all)).toBe('++--');
    turns.end(turnOf(all[1]));
    await soon();
    expect(begun(all)).toBe('+++-');
    turns.end(turnOf(all[0]));
    turns.end(turnOf(all[2]));
    const later = asking(turns, 2);
    await soon();
    expect([begun(all), begun(later)]).toEqual(['++++', '+-']);
  });

  it('do not count any more after 5 ms, and their end lets nobody in a second time', async () => {
    const turns = new PageTurns(2);
    const all = asking(turns, 6);
    await jest.advanceTimersByTimeAsync(4);
    expect(begun(all)).toBe('++----');
    await jest.advanceTimersByTimeAsync(1);
    expect(begun(all)).toBe('++++--');
    turns.end(turnOf(all[0]));
    turns.end(turnOf(all[1]));
    await soon();
    expect(begun(all)).toBe('++++--');
    await jest.advanceTimersByTimeAsync(5);
    expect(begun(all)).toBe('++++++');
  });

  it('are given up after 5 seconds, as by the pool', async () => {
    const turns = new PageTurns(1);
    const all = asking(turns, 3_000);
    await jest.advanceTimersByTimeAsync(5_010);
    const refused = all.filter(({ error }) => error !== undefined);
    expect(refused.length).toBeGreaterThan(1_000);
    expect(all.every(({ turn, error }) => (turn === undefined) !== (error === undefined))).toBe(true);
    expect(refused[0]?.error).toEqual(new Error('timeout exceeded when trying to connect'));
    expect(jest.getTimerCount()).toBe(0);
  });
});

it('are taken where the database is on this machine', () => {
  const here = ['localhost', '127.0.0.1', '::1', '/var/run/postgresql'].map(isOnThisMachine);
  const elsewhere = ['postgres', '10.0.0.7', 'db.example.org', '128.0.0.1', '::2'].map(isOnThisMachine);
  expect([here.every(Boolean), elsewhere.some(Boolean)]).toEqual([true, false]);
});
