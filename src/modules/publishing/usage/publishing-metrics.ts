import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../common/index.js';
import { CallCounter } from './call-counter.js';

/** How published views are read on this node, all of them together; for one view there is its usage. */
@Injectable()
export class PublishingMetrics {
  constructor(metrics: Metrics, { totals }: CallCounter) {
    metrics.counter(
      {
        name: 'live_tables_published_calls_total',
        help: 'Calls of published views, by what came of them.',
        labels: ['outcome'],
      },
      () => [
        { labels: { outcome: 'fresh' }, value: totals.fresh },
        { labels: { outcome: 'cached' }, value: totals.cached },
        { labels: { outcome: 'not_modified' }, value: totals.notModified },
        { labels: { outcome: 'refused' }, value: totals.refused },
      ],
    );
    metrics.counter(
      { name: 'live_tables_published_rows_total', help: 'Rows that they were answered with.' },
      () => totals.rows,
    );
    metrics.counter({ name: 'live_tables_published_bytes_total', help: 'The same in bytes.' }, () => totals.bytes);
  }
}
