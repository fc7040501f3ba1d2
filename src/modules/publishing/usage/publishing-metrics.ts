import { Injectable } from '@nestjs/common';
import { Metrics, type Observe, type Reading } from '../../../common/index.js';
import { slugLabel } from '../settings/slug.js';
import type { Call } from './call.js';
import { BOUNDS_MS } from './latency.js';

type Outcome = 'fresh' | 'cached' | 'not_modified' | 'refused';

/** Publications that have series of their own, those that are asked first; each has about seventy. */
const MAX_NAMED = 50;
/** No address is written like this. */
const OTHER = '(other)';

/** What was counted of one publication. */
interface Counted {
  readonly name: string;
  readonly calls: Record<Outcome, number>;
  rows: number;
  bytes: number;
}

/**
 * How published views are read on this node, by their addresses, as long as they are few; what comes behind those is told together. By key and hour there is the
 * usage of each.
 */
@Injectable()
export class PublishingMetrics {
  /** By the name that they are told under, which two may share that nobody shall guess. */
  private readonly counted = new Map<string, Counted>();
  private readonly others = nothing(OTHER);
  private readonly took: Observe;
  /** What was called last: where much is called, it is mostly the same. */
  private last: { readonly slug: string; readonly counted: Counted } | undefined;

  constructor(metrics: Metrics) {
    const labels = ['publication'];
    const each = (readings: (counted: Counted) => readonly Reading[]) => (): Reading[] =>
      [...this.counted.values(), this.others].flatMap(readings);
    metrics.counter(
      {
        name: 'live_tables_published_calls_total',
        help: 'Calls of published views, by what came of them.',
        labels: [...labels, 'outcome'],
      },
      each(({ name, calls }) =>
        Object.entries(calls).map(([outcome, value]) => ({ labels: { publication: name, outcome }, value })),
      ),
    );
    metrics.counter(
      { name: 'live_tables_published_rows_total', help: 'Rows that they were answered with.', labels },
      each(({ name, rows }) => [{ labels: { publication: name }, value: rows }]),
    );
    metrics.counter(
      { name: 'live_tables_published_bytes_total', help: 'The same in bytes, before compression.', labels },
      each(({ name, bytes }) => [{ labels: { publication: name }, value: bytes }]),
    );
    this.took = metrics.histogram(
      {
        name: 'live_tables_published_duration_seconds',
        help: 'How long they took, by the same.',
        labels: [...labels, 'outcome'],
      },
      BOUNDS_MS.map((ms) => ms / 1_000),
    );
  }

  add(call: Call): void {
    const outcome = outcomeOf(call);
    const counted = this.of(call.slug);
    counted.calls[outcome]++;
    counted.rows += call.rows;
    counted.bytes += call.bytes;
    if (!call.isStream) this.took(call.ms / 1_000, counted.name, outcome);
  }

  private of(slug: string): Counted {
    if (slug === this.last?.slug) return this.last.counted;
    const counted = this.find(slug);
    this.last = { slug, counted };
    return counted;
  }

  private find(slug: string): Counted {
    const name = slugLabel(slug);
    const known = this.counted.get(name);
    if (known) return known;
    if (this.counted.size >= MAX_NAMED) return this.others;
    const counted = nothing(name);
    this.counted.set(name, counted);
    return counted;
  }
}

const nothing = (name: string): Counted => ({
  name,
  calls: { fresh: 0, cached: 0, not_modified: 0, refused: 0 },
  rows: 0,
  bytes: 0,
});

const outcomeOf = ({ status, isCached }: Call): Outcome => {
  if (status >= 400) return 'refused';
  if (status === 304) return 'not_modified';
  return isCached ? 'cached' : 'fresh';
};
