import { Injectable } from '@nestjs/common';
import { Metrics, type Reading } from '../common/index.js';
import { MainDatabase } from './main/index.js';
import { MiniDatabase } from './mini/index.js';
import type { PoolLoad } from './pool-load.js';

/** Seconds; statements of rows take a millisecond or a few. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30];

/** What is to be known of both pools, and of the work in the mini-DB. */
@Injectable()
export class DatabaseMetrics {
  constructor(
    metrics: Metrics,
    private readonly main: MainDatabase,
    private readonly mini: MiniDatabase,
  ) {
    const labels = ['database'];
    metrics.gauge(
      {
        name: 'live_tables_db_connections',
        help: 'Open connections to a database, by whether they are used.',
        labels: ['database', 'state'],
      },
      () => [
        ...this.each(({ open, idle }) => open - idle).map((reading) => inState(reading, 'busy')),
        ...this.each(({ idle }) => idle).map((reading) => inState(reading, 'idle')),
      ],
    );
    metrics.gauge(
      { name: 'live_tables_db_connections_max', help: 'Connections that this node opens at most.', labels },
      () => this.each(({ max }) => max),
    );
    metrics.gauge({ name: 'live_tables_db_waiting', help: 'Callers that wait for a connection.', labels }, () =>
      this.each(({ waiting }) => waiting),
    );
    const observe = metrics.histogram(
      {
        name: 'live_tables_mini_db_work_seconds',
        help: 'Work in the mini database that succeeded: waiting for a connection, and running.',
        labels: ['work', 'stage'],
      },
      BUCKETS,
    );
    mini.onWork((work, waitedMs, ranMs) => {
      observe(waitedMs / 1_000, work, 'wait');
      observe(ranMs / 1_000, work, 'run');
    });
  }

  private each(figure: (load: PoolLoad) => number): Reading[] {
    return [
      { labels: { database: 'main' }, value: figure(this.main.load()) },
      { labels: { database: 'mini' }, value: figure(this.mini.load()) },
    ];
  }
}

const inState = ({ labels, value }: Reading, state: string): Reading => ({ labels: { ...labels, state }, value });
