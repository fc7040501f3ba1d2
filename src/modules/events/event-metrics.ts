import { Injectable } from '@nestjs/common';
import { Metrics } from '../../common/index.js';
import { Outbox } from '../../database/main/index.js';
import { RedisClient } from '../../database/redis/index.js';

/** How events of metadata, and hints between nodes, get on. */
@Injectable()
export class EventMetrics {
  constructor(metrics: Metrics, outbox: Outbox, redis: RedisClient) {
    metrics.gauge(
      { name: 'live_tables_outbox_events', help: 'Committed events that no node has published yet.' },
      async () => (await outbox.backlog()).events,
    );
    metrics.gauge(
      { name: 'live_tables_outbox_oldest_seconds', help: 'For how long the oldest of them waits.' },
      async () => (await outbox.backlog()).oldestSeconds,
    );
    metrics.gauge(
      { name: 'live_tables_redis_up', help: 'Whether Redis answers; none when it is not configured.' },
      () => (redis.configured ? Number(redis.isUp) : []),
    );
  }
}
