import { Injectable } from '@nestjs/common';
import { Metrics } from '../../common/index.js';
import { Backlog } from './backlog.js';
import { Connections } from './connections.js';
import { Rooms } from './rooms.js';
import { Subscriptions } from './subscriptions.js';

/** The sockets of this node and what they are sent. */
@Injectable()
export class LiveMetrics {
  constructor(metrics: Metrics, connections: Connections, { feeds }: Subscriptions, { sent }: Rooms, backlog: Backlog) {
    metrics.gauge({ name: 'live_tables_sockets', help: 'Sockets that are connected.' }, () => connections.size);
    metrics.gauge(
      {
        name: 'live_tables_live_backlog_bytes',
        help: 'Replays and answers that sockets have not read yet; above 64 MiB the slowest are cut.',
      },
      () => backlog.bytes,
    );
    metrics.gauge({ name: 'live_tables_subscriptions', help: 'Channels that they follow.', labels: ['kind'] }, () => {
      const followed = connections.where().flatMap(({ subscriptions }) => [...subscriptions.values()]);
      return (['table', 'view', 'workspace', 'object'] as const).map((kind) => ({
        labels: { kind },
        value: followed.filter((each) => each.kind === kind).length,
      }));
    });
    metrics.gauge(
      { name: 'live_tables_live_tables', help: 'Tables that somebody follows here.' },
      () => feeds.figures().tables,
    );
    metrics.gauge(
      {
        name: 'live_tables_live_lag_changes',
        help: 'Changes that are in the log of a followed table and were not sent yet; of the table that is furthest behind.',
      },
      () => feeds.figures().lag,
    );
    metrics.counter(
      { name: 'live_tables_live_events_total', help: 'Changes that were sent to who follows.' },
      () => sent.events,
    );
    metrics.counter(
      { name: 'live_tables_live_deliveries_total', help: 'The same, counted for each socket.' },
      () => sent.deliveries,
    );
    metrics.counter(
      { name: 'live_tables_live_resets_total', help: 'Times that all who follow a table here had to read it anew.' },
      () => sent.resets,
    );
  }
}
