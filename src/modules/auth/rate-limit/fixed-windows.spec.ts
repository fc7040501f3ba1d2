import { expect, it } from '@jest/globals';
import { FixedWindows } from './fixed-windows.js';

it('lets exactly the limit pass in a window, then opens again', async () => {
  let now = 1_000;
  const windows = new FixedWindows(() => now);
  const hit = (key = 'a') => windows.increment(key, 10_000, 2);
  expect(await hit()).toEqual({ totalHits: 1, timeToExpire: 10, isBlocked: false, timeToBlockExpire: 0 });
  now += 4_500;
  expect((await hit()).isBlocked).toBe(false);
  expect(await hit()).toEqual({ totalHits: 3, timeToExpire: 6, isBlocked: true, timeToBlockExpire: 6 });
  expect((await hit('b')).isBlocked).toBe(false);
  now += 5_500;
  expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
});
