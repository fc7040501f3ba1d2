import { Global, Module } from '@nestjs/common';
import { RedisModule } from '../../database/redis/index.js';
import { EventBus } from './event-bus.js';
import { EventMetrics } from './event-metrics.js';
import { OutboxRelay } from './outbox-relay.js';

/** The bus that every module may publish to and listen on. */
@Global()
@Module({ imports: [RedisModule], providers: [EventBus, OutboxRelay, EventMetrics], exports: [EventBus] })
export class EventsModule {}
