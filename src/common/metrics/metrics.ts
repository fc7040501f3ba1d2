import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Registry, type Metric } from 'prom-client';
import { Buckets } from './buckets.js';

/** A number with what it is of. Labels come from small sets that have a bound: never an id, a path as it was asked for, or a text of somebody. */
export interface Reading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What is told of a series. */
export interface Series {
  /** In the manner of Prometheus: snake case, base units, `_total` behind counters. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly labels?: readonly string[];
}

/** A cache that counts for itself. */
export interface CacheFigures {
  readonly size: number;
  readonly hits: number;
  readonly misses: number;
}

/** Takes one measurement, with the values of its labels in their order. */
export type Observe = (value: number, ...labels: readonly string[]) => void;

/**
 * The numbers of one application in the manner of Prometheus. Whoever owns a number says how it is read ({@link gauge}, {@link counter}); that
 * happens when somebody looks, and costs nothing otherwise. Only what has to be measured as it happens is handed in ({@link histogram}).
 */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  private readonly caches = new Map<string, CacheFigures>();

  constructor() {
    const ofCaches = (figure: keyof CacheFigures) => (): Reading[] =>
      [...this.caches].map(([cache, figures]) => ({ labels: { cache }, value: figures[figure] }));
    const labels = ['cache'];
    this.gauge({ name: 'live_tables_cache_entries', help: 'Entries of a cache.', labels }, ofCaches('size'));
    this.counter({ name: 'live_tables_cache_hits_total', help: 'Found in a cache.', labels }, ofCaches('hits'));
    this.counter({ name: 'live_tables_cache_misses_total', help: 'Not found in a cache.', labels }, ofCaches('misses'));
  }

  /** Media type of {@link text}. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Everything that there is to tell now, as Prometheus reads it. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Adds what Node.js tells of its process. For one application in a process: its observers end with the process only. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A number that goes up and down. A `read` that rejects leaves it out. */
  gauge({ name, help, labels = [] }: Series, read: () => Read): void {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      async collect() {
        this.reset();
        for (const { labels: of = {}, value } of await readings(read)) this.set(of, value);
      },
    });
  }

  /** A number that only grows while the process lives, counted by its owner. */
  counter({ name, help, labels = [] }: Series, read: () => Read): void {
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      async collect() {
        this.reset();
        for (const { labels: of = {}, value } of await readings(read)) this.inc(of, value);
      },
    });
  }

  /** Measurements, counted by the bucket that they fall into; times are in seconds. */
  histogram({ name, help, labels = [] }: Series, bounds: readonly number[]): Observe {
    const buckets = new Buckets(name, help, labels, bounds);
    // Its `get` is all that the registry asks for.
    this.registry.registerMetric(buckets as unknown as Metric);
    return (value, ...of) => buckets.add(value, of);
  }

  /** A cache, under a name of its own. */
  cache(name: string, figures: CacheFigures): void {
    this.caches.set(name, figures);
  }
}

type Read = number | readonly Reading[] | Promise<number | readonly Reading[]>;

/** Prometheus waits for ten seconds as a rule, and for nothing else than all of it. */
const PATIENCE_MS = 2_000;

/** Nothing where the number cannot be had, or not in time, such as that of a database that is down: the others are told all the same. */
async function readings(read: () => Read): Promise<readonly Reading[]> {
  let patience: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<readonly Reading[]>((resolve) => {
      patience = setTimeout(resolve, PATIENCE_MS, []);
    });
    const found = await Promise.race([read(), late]);
    return typeof found === 'number' ? [{ value: found }] : found;
  } catch {
    return [];
  } finally {
    clearTimeout(patience);
  }
}
