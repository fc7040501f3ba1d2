import type { RedisClient } from '../../../database/redis/index.js';
import { Breaker } from './breaker.js';
import type { Window } from './window.js';

/** Runs the script in Redis; undefined when there is no answer in time. */
export type RunScript = RedisClient['evaluate'];

/** A sign-in waits no longer than this for Redis. */
const DEADLINE_MS = 200;
/** After a failure Redis is left alone for so long. */
const PAUSE_MS = 1_000;
/** How far apart the nodes' knowledge of a generous limit may be: in time, and as a part of the limit. */
const SYNC_MS = 250;
const SYNC_PART = 1 / 40;
/** What a node lets pass of a limit without knowing that the others know: with two nodes, a tenth is served past it at most. */
const AHEAD_PART = 1 / 20;
/** Redis does nothing else while a script runs; this many keys take it about a millisecond. */
const KEYS_AT_ONCE = 500;
/** Windows that may wait to be told to the others; those past it count on this node alone. */
const MAX_DIRTY = 100_000;

/** Per key: adds hits, begins the window when there is none, and gives the total and the milliseconds that are left. */
const ADD = `
local answer = {}
for i, key in ipairs(KEYS) do
  local total = redis.call('INCRBY', key, ARGV[2 * i - 1])
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = ARGV[2 * i]
    redis.call('PEXPIRE', key, left)
  end
  answer[2 * i - 1] = total
  answer[2 * i] = tonumber(left)
end
return answer`;

/** The counts of all nodes, added up in Redis. Without an answer from there, each node's own counts stand as they are. */
export class SharedCounts {
  private readonly breaker: Breaker;
  private dirty = new Set<Window>();
  private timer: NodeJS.Timeout | undefined;

  /** @param nameOf the name of a key in Redis */
  constructor(
    private readonly run: RunScript,
    private readonly nameOf: (key: string) => string,
    private readonly now: () => number,
  ) {
    this.breaker = new Breaker(PAUSE_MS, now);
  }

  /** Tells the others of the window's hits and gives those of all: exact, in one round trip. Undefined when Redis is silent. */
  async exchange(window: Window): Promise<number | undefined> {
    const [total] = (await this.add([window])) ?? [];
    return total;
  }

  /** The same a moment later and together with others: a request that is only counted does not wait for Redis. */
  exchangeSoon(window: Window, limit: number): void {
    // In a rush a quarter of a second is long: two nodes would serve twice the limit.
    if (window.untold >= limit * SYNC_PART) void this.add([window]);
    if (window.untold > 0) this.soon(window);
  }

  /** Whether the others have to be asked before `ahead` calls that they do not know of are let pass. Nobody is asked while Redis is silent. */
  mustAsk(ahead: number, limit: number): boolean {
    return ahead > limit * AHEAD_PART && this.breaker.isWhole;
  }

  private soon(window: Window): void {
    if (this.dirty.size >= MAX_DIRTY) return;
    this.dirty.add(window);
    this.timer ??= setTimeout(() => void this.flush(), SYNC_MS).unref();
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    const open = [...this.dirty].filter(({ endsAt }) => endsAt > this.now());
    this.dirty = new Set();
    for (let at = 0; at < open.length; at += KEYS_AT_ONCE) {
      const some = open.slice(at, at + KEYS_AT_ONCE);
      if (!(await this.add(some))) some.forEach((window) => this.soon(window));
    }
  }

  /** The totals, in the order of the windows; undefined when Redis was not asked or did not answer. */
  private async add(windows: readonly Window[]): Promise<readonly number[] | undefined> {
    if (!this.breaker.mayTry()) return undefined;
    const taken = windows.map((window) => window.take());
    const args = windows.flatMap(({ endsAt }, i) => [taken[i] ?? 0, Math.max(1, endsAt - this.now())]);
    const names = windows.map(({ key }) => this.nameOf(key));
    const answer = numbers(await this.run(ADD, names, args, DEADLINE_MS), args.length);
    this.breaker.report(answer !== undefined);
    if (!answer) {
      windows.forEach((window, i) => window.keep(taken[i] ?? 0));
      return undefined;
    }
    const totals = windows.map((_, i) => answer[2 * i] ?? 0);
    windows.forEach((window, i) => {
      window.adopt(taken[i] ?? 0, totals[i] ?? 0, this.now() + (answer[2 * i + 1] ?? 0));
    });
    return totals;
  }
}

function numbers(answer: unknown, length: number): readonly number[] | undefined {
  if (!Array.isArray(answer) || answer.length !== length) return undefined;
  return answer.every((item) => typeof item === 'number') ? answer : undefined;
}
