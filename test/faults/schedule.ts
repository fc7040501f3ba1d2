import { below, type Random } from '../support/random.js';

/** What can go wrong. `node` is the one that it happens to. */
export const FAULTS = [
  'node is killed',
  'node is asked to stop',
  'PostgreSQL crashes',
  'Redis dies',
  'Redis hangs',
  'connections to PostgreSQL are cut',
  'the way to PostgreSQL is a black hole',
  'somebody else’s database is a black hole',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Step {
  readonly fault: Fault;
  readonly node: 0 | 1;
  /** Milliseconds before it, and for which it lasts. */
  readonly pauseMs: number;
  readonly lastsMs: number;
}

/** Steps for about so many milliseconds; each fault comes once before any comes twice. The same for the same seed. */
export function schedule(random: Random, ms: number, faults: readonly Fault[]): readonly Step[] {
  // The first numbers of small seeds are small and alike.
  for (let i = 0; i < 3; i++) random();
  const steps: Step[] = [];
  let deck: Fault[] = [];
  for (let at = 0; ;) {
    if (deck.length === 0) deck = [...faults];
    const [fault] = deck.splice(below(random, deck.length), 1);
    const step = {
      fault: fault ?? 'node is killed',
      node: random() < 0.5 ? 0 : 1,
      pauseMs: 300 + below(random, 900),
      lastsMs: 200 + below(random, 1_800),
    } as const;
    at += step.pauseMs + step.lastsMs;
    if (at > ms && steps.length > 0) return steps;
    steps.push(step);
  }
}
