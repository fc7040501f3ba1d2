import { Injectable } from '@nestjs/common';
import { Metrics, type Observe } from '../../../common/index.js';
import type { Call } from './call.js';
import { BOUNDS_MS } from './latency.js';

type Outcome = 'fresh' | 'cached' | 'not_modified' | 'refused';

/**
 * How published views are read on this node, all of them together: whoever operates the server need not know the views, and labels by view and key would have no
 * bound. For one view, by key and hour, there is its usage.
 */
@Injectable()
export class PublishingMetrics {
  private readonly calls: Record<Outcome, number> = { fresh: 0, cached: 0, not_modified: 0, refused: 0 };
  private rows = 0;
  private bytes = 0;
  private readonly took: Observe;

  constructor(metrics: Metrics) {
    const labels = ['outcome'];
    metrics.counter(
      { name: 'live_tables_published_calls_total', help: 'Calls of published views, by what came of them.', labels },
      () => Object.entries(this.calls).map(([outcome, value]) => ({ labels: { outcome }, value })),
    );
    metrics.counter(
      { name: 'live_tables_published_rows_total', help: 'Rows that they were answered with.' },
      () => this.rows,
    );
    metrics.counter({ name: 'live_tables_published_bytes_total', help: 'The same in bytes.' }, () => this.bytes);
    this.took = metrics.histogram(
      { name: 'live_tables_published_duration_seconds', help: 'How long they took, by the same.', labels },
      BOUNDS_MS.map((ms) => ms / 1_000),
    );
  }

  add(call: Call): void {
    const outcome = outcomeOf(call);
    this.calls[outcome]++;
    this.rows += call.rows;
    this.bytes += call.bytes;
    if (!call.isStream) this.took(call.ms / 1_000, outcome);
  }
}

const outcomeOf = ({ status, isCached }: Call): Outcome => {
  if (status >= 400) return 'refused';
  if (status === 304) return 'not_modified';
  return isCached ? 'cached' : 'fresh';
};
