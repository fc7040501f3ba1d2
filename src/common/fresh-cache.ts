import { LRUCache } from 'lru-cache';

interface Entry<V> {
  readonly value: Promise<V | undefined>;
  readonly staleAt: number;
  /** Once it is there. */
  settled?: V;
}

export interface FreshCacheOptions<V> {
  readonly maxEntries: number;
  /** Nothing older is given out; the age counts from the moment at which the read began. */
  readonly maxAgeMs: number;
  /** Reads the truth. What is undefined or fails is not kept. */
  readonly load: (key: string) => Promise<V | undefined>;
  /** For tests; milliseconds that only go forward. */
  readonly now?: () => number;
}

/**
 * Keeps values that may be out of date for a stated time at most. Callers that ask at once share one read; after half of
 * the time a read in the background renews the value, so that a busy key never waits for the database.
 */
export class FreshCache<V extends object | string> {
  private readonly entries: LRUCache<string, Entry<V>>;
  private readonly renewing = new Set<string>();
  private readonly now: () => number;
  /** Calls that were answered from memory, and those that had to read. */
  hits = 0;
  misses = 0;

  constructor(private readonly options: FreshCacheOptions<V>) {
    this.entries = new LRUCache({ max: options.maxEntries });
    this.now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.entries.size;
  }

  /** The value, read at most `maxAgeMs` ago. Errors of the read pass through. */
  get(key: string): Promise<V | undefined> {
    const entry = this.entries.get(key);
    const left = entry ? entry.staleAt - this.now() : 0;
    if (!entry || left <= 0) {
      this.misses++;
      return this.read(key);
    }
    this.hits++;
    if (left < this.options.maxAgeMs / 2) this.renew(key, entry);
    return entry.value;
  }

  /** The value where {@link get} has it in memory; undefined, and nothing is read, where it would have to. */
  known(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (entry?.settled === undefined) return undefined;
    const left = entry.staleAt - this.now();
    if (left <= 0) return undefined;
    this.hits++;
    if (left < this.options.maxAgeMs / 2) this.renew(key, entry);
    return entry.settled;
  }

  /** Forgets the key; a read that is under way is not kept either, since it may have seen the state before. */
  drop(key: string): void {
    this.entries.delete(key);
  }

  /** Forgets all keys that begin with the prefix. Looks at every key: for rare events only. */
  dropPrefix(prefix: string): void {
    for (const key of this.entries.keys()) if (key.startsWith(prefix)) this.entries.delete(key);
  }

  private read(key: string): Promise<V | undefined> {
    const staleAt = this.now() + this.options.maxAgeMs;
    const entry: Entry<V> = { value: this.options.load(key), staleAt };
    this.entries.set(key, entry);
    const forget = (): void => {
      if (this.entries.peek(key) === entry) this.entries.delete(key);
    };
    entry.value.then((value) => {
      if (value === undefined) forget();
      else entry.settled = value;
    }, forget);
    return entry.value;
  }

  private renew(key: string, old: Entry<V>): void {
    if (this.renewing.has(key)) return;
    this.renewing.add(key);
    const staleAt = this.now() + this.options.maxAgeMs;
    const value = this.options.load(key);
    void value
      .then((found) => {
        if (this.entries.peek(key) !== old) return;
        if (found === undefined) this.entries.delete(key);
        else this.entries.set(key, { value, staleAt, settled: found });
      })
      .catch(() => undefined) // the old value serves until its time is over; then the caller sees the error
      .finally(() => this.renewing.delete(key));
  }
}
