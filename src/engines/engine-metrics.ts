import { Injectable } from '@nestjs/common';
import { Metrics } from '../common/index.js';
import { ExternalEngines } from './external/index.js';
import { MiniDbWriter } from './mini-db/index.js';

/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30];

/** How writes of rows go together, and how the databases of others do. */
@Injectable()
export class EngineMetrics {
  constructor(metrics: Metrics, writer: MiniDbWriter, external: ExternalEngines) {
    metrics.gauge(
      { name: 'live_tables_writes_waiting', help: 'Writes of rows that wait for the transaction before theirs.' },
      () => writer.waiting,
    );
    const size = metrics.histogram(
      { name: 'live_tables_write_batch_size', help: 'Writes of rows that went together in one transaction.' },
      [1, 2, 4, 8, 16, 32, 64],
    );
    const stage = metrics.histogram(
      {
        name: 'live_tables_write_stage_seconds',
        help: 'Transactions of writes: waiting of the first for its turn, and committing.',
        labels: ['stage'],
      },
      BUCKETS,
    );
    writer.onBatch((writes, waitedMs, ranMs) => {
      size(writes);
      stage(waitedMs / 1_000, 'wait');
      stage(ranMs / 1_000, 'commit');
    });
    metrics.gauge(
      {
        name: 'live_tables_external_databases',
        help: 'External databases: open, in use now, and those that could not be reached the last times.',
        labels: ['state'],
      },
      () => Object.entries(external.figures()).map(([state, value]) => ({ labels: { state }, value })),
    );
  }
}
