import { must } from '../../src/common/index.js';
import type { Column } from '../harness/index.js';
import { below, pick, some, type Random } from './random.js';

const CHOICES = ['red', 'blue', 'green'];
const WORDS = ['', 'a', 'é', '😀', '%', 'a,b', '"', '\n', '$inc'];
const decimal = (random: Random, scale: number): string => ((below(random, 20_000) - 10_000) / 100).toFixed(scale);
const moment = (random: Random): string => new Date(below(random, 4_000_000) * 1_000_000).toISOString();

interface Values {
  readonly value: (random: Random) => unknown;
  /** Changes that go on from what is there, for those types that have them. */
  readonly change?: (random: Random) => unknown;
}

/** Valid values, by the type of the column. */
const VALUES: Readonly<Record<string, Values>> = {
  text: { value: (random) => pick(random, WORDS) },
  long_text: { value: (random) => pick(random, WORDS).repeat(below(random, 40)) },
  integer: { value: (random) => below(random, 200) - 100, change: (random) => ({ $inc: below(random, 9) - 4 }) },
  decimal: { value: (random) => decimal(random, 2), change: (random) => ({ $inc: decimal(random, 2) }) },
  currency: { value: (random) => decimal(random, 1), change: (random) => ({ $inc: below(random, 5) }) },
  percent: { value: (random) => decimal(random, 2) },
  rating: { value: (random) => 1 + below(random, 5) },
  duration: { value: (random) => below(random, 90_000), change: () => ({ $inc: 60 }) },
  boolean: { value: (random) => random() < 0.5 },
  date: { value: (random) => moment(random).slice(0, 10) },
  datetime: { value: moment },
  single_select: { value: (random) => pick(random, CHOICES) },
  multi_select: {
    value: (random) => some(random, CHOICES, 3),
    change: (random) => ({ $add: some(random, CHOICES, 2), $remove: some(random, CHOICES, 1) }),
  },
  json: { value: (random) => pick<unknown>(random, [{ $add: [1], b: [null, 'é'] }, [], 'x', 0, false]) },
  url: { value: (random) => `https://example.org/${below(random, 50)}` },
  email: { value: (random) => `n${below(random, 50)}@example.org` },
  phone: { value: (random) => `+49 30 ${below(random, 50)}` },
};

/** A value of the column; sometimes none and, where `changes`, sometimes a change of what is there. */
export function randomValue(random: Random, { type }: Column, changes: boolean): unknown {
  const { value, change } = must(VALUES[type], `values of ${type} can be made up`);
  if (random() < 0.1) return null;
  return changes && change && random() < 0.5 ? change(random) : value(random);
}

export const isRandom = ({ type }: Column): boolean => type in VALUES;
