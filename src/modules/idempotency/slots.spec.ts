import { describe, expect, it } from '@jest/globals';
import { Slots } from './slots.js';

/** All that can happen now has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const gate = () => {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
};

describe('slots', () => {
  it('let in only so many at once, and the others in order', async () => {
    const slots = new Slots(2, 60_000);
    const gates = [gate(), gate(), gate(), gate()];
    const entered: number[] = [];
    const all = gates.map(({ passed }, n) =>
      slots.use(async () => {
        entered.push(n);
        await passed;
      }),
    );
    await settled();
    expect(entered).toEqual([0, 1]);
    for (const [n, { open }] of gates.entries()) {
      open();
      await all[n];
      await settled();
      expect(entered.length).toBe(Math.min(n + 3, 4));
    }
    expect(entered).toEqual([0, 1, 2, 3]);
  });

  it('give up on whoever waits too long, and go on', async () => {
    const slots = new Slots(1, 10);
    const { passed, open } = gate();
    const first = slots.use(() => passed);
    await expect(slots.use(() => Promise.resolve())).rejects.toMatchObject({ code: 'overloaded' });
    open();
    await first;
    expect(await slots.use(() => Promise.resolve('in'))).toBe('in');
  });

  it('are free again after an error', async () => {
    const slots = new Slots(1, 1_000);
    await expect(slots.use(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(await slots.use(() => Promise.resolve('in'))).toBe('in');
  });
});
