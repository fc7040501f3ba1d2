import { describe, expect, it } from '@jest/globals';
import { judge, type Evidence } from '../faults/judge.js';
import { schedule, FAULTS } from '../faults/schedule.js';
import { History } from '../faults/history.js';
import { randomOf } from '../support/random.js';

const row = (id: string, version: number, name: string, qty = 0) => ({
  ...{ id, version, fields: { name, qty } },
  ...{ createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' },
});

/** Everything as it should be: a row that was changed once, a bulk call of two, a counter at three, one follower at the end. */
function evidence(over: Partial<Evidence> = {}): Evidence {
  const history = new History();
  history.created.set('a', new Set(['1']));
  history.acknowledge('1', 2);
  history.bulks.set('b', 2);
  history.increments = 3;
  const rows = [row('1', 2, 'a', -1), row('2', 1, 'b'), row('3', 1, 'b'), row('4', 4, 'counter', 3)];
  return {
    history,
    rows,
    held: new Map(rows.map(({ id, ...held }) => [id, held])),
    head: 7,
    followers: [{ flaws: [], resets: [], position: { epoch: 'e', seq: 7 } }],
    ...{ counterId: '4', bulkSize: 2, wrong: [], unclean: [], revokedMs: 100 },
    ...over,
  };
}
const brokenBy = (over: Partial<Evidence>) =>
  Object.entries(judge(evidence(over))).flatMap(([promise, findings]) => (findings.length > 0 ? [promise] : []));
const without = (id: string) => evidence().rows.filter((each) => each.id !== id);
const told = (change: (history: History) => unknown) => {
  const { history } = evidence();
  change(history);
  return { history };
};

describe('the judge of the fault suite', () => {
  it('finds nothing where nothing is broken', () => {
    expect(brokenBy({})).toEqual([]);
  });

  it.each<[string, Partial<Evidence>, string]>([
    ['a row that was told is gone', { rows: without('1') }, 'a 2xx is durable'],
    ['a change that was told is gone', told((history) => history.acknowledge('1', 3)), 'a 2xx is durable'],
    ['a bulk call is there by halves', { rows: without('3') }, 'all or nothing, and the log is the table'],
    [
      'the log has another value',
      { held: new Map([['1', row('1', 2, 'a', 9)]]) },
      'all or nothing, and the log is the table',
    ],
    ['a row was made twice', { rows: [...evidence().rows, row('5', 1, 'a')] }, 'retries are safe'],
    ['two ids were told for one', told((history) => history.created.get('a')?.add('9')), 'retries are safe'],
    [
      'a bulk call that was told is not there',
      { rows: without('3').filter(({ id }) => id !== '2') },
      'retries are safe',
    ],
    ['an increment was lost', told((history) => history.increments++), 'lost updates are avoidable'],
    ['a follower was left behind', { head: 8 }, 'no silent gap, nothing twice'],
    [
      'a follower got something twice',
      { followers: [{ flaws: ['6→7 behind 7'], resets: [], position: { epoch: 'e', seq: 7 } }] },
      'no silent gap, nothing twice',
    ],
    [
      'there was a 500',
      told((history) => history.wrong.push('500')),
      'the process stays up, and answers no error of its own',
    ],
    ['a node ended', { wrong: ['ended'] }, 'the process stays up, and answers no error of its own'],
    ['a stop took too long', { unclean: ['{}'] }, 'a stop is clean'],
    ['somebody who was removed stayed', { revokedMs: undefined }, 'revocation is real'],
  ])('finds that %s', (_, over, promise) => {
    expect(brokenBy(over)).toContain(promise);
  });
});

describe('a schedule', () => {
  it('is the same for the same seed, another for another, and holds each fault before any comes twice', () => {
    const of = (seed: number) => schedule(randomOf(seed), 60_000, FAULTS);
    expect(of(3)).toEqual(of(3));
    expect(of(3)).not.toEqual(of(4));
    const first = of(3).slice(0, FAULTS.length);
    expect(new Set(first.map(({ fault }) => fault)).size).toBe(FAULTS.length);
  });
});
