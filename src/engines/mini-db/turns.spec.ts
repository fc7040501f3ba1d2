import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '../../common/index.js';
import { fuzz } from '../../../test/query/index.js';
import { Turns } from './turns.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('Turns', () => {
  it('lets so many of one table run at a time, in order, and every one in the end, also behind one that fails', async () => {
    const jobs = fc.array(fc.record({ table: fc.constantFrom('a', 'b'), fails: fc.boolean(), ticks: fc.nat(3) }), {
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 3 }), async (given, atOnce) => {
        const turns = new Turns(atOnce, 10_000);
        const running = { a: 0, b: 0 };
        const begun: number[] = [];
        const outcomes = await Promise.allSettled(
          given.map(({ table, fails, ticks }, i) =>
            turns.run(table, async () => {
              begun.push(i);
              expect(++running[table]).toBeLessThanOrEqual(atOnce);
              for (let n = 0; n < ticks; n++) await tick();
              running[table]--;
              if (fails) throw new Error('no');
            }),
          ),
        );
        expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(given.map(({ fails }) => fails));
        for (const table of ['a', 'b']) {
          const order = begun.filter((i) => given[i]?.table === table);
          expect(order).toEqual(order.toSorted((x, y) => x - y));
        }
      }),
      fuzz(50),
    );
  });

  it('does not begin what has waited too long, and goes on with the next', async () => {
    const turns = new Turns(1, 20);
    const id = newId();
    let finish: () => void = () => undefined;
    const first = turns.run(id, () => new Promise<void>((resolve) => (finish = resolve)));
    let begun = false;
    const late = turns.run(id, () => {
      begun = true;
      return Promise.resolve();
    });
    await expect(late).rejects.toMatchObject({ code: 'overloaded' });
    finish();
    await first;
    await expect(turns.run(id, () => Promise.resolve('next'))).resolves.toBe('next');
    expect(begun).toBe(false);
  });
});
