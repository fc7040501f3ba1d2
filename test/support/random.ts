import { must } from '../../src/common/index.js';

/** A number from 0 to below 1, the same ones for the same seed. */
export type Random = () => number;

/** Park and Miller's generator: few bits, but all of them good. */
export function randomOf(seed: number): Random {
  let state = (Math.abs(seed) % 2_147_483_646) + 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

export const below = (random: Random, end: number): number => Math.floor(random() * end);

export const pick = <T>(random: Random, list: readonly T[]): T =>
  must(list[below(random, list.length)], 'a list that is not empty');

/** Some of the list, each once, in any order. */
export function some<T>(random: Random, list: readonly T[], most: number): T[] {
  const left = [...list];
  const taken: T[] = [];
  for (let n = below(random, most + 1); n > 0 && left.length > 0; n--)
    taken.push(...left.splice(below(random, left.length), 1));
  return taken;
}
