import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TablesModule } from '../tables/index.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { HttpMetrics } from './metrics/http-metrics.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { DatabaseHealth } from './parts/databases.js';
import { ProcessHealth } from './parts/process.js';
import { RedisHealth } from './parts/redis.js';
import { SchemaHealth } from './parts/schema.js';

/** For load balancers, orchestrators and the curious. */
@Module({
  imports: [TablesModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, MetricsController],
  providers: [HealthService, DatabaseHealth, RedisHealth, SchemaHealth, ProcessHealth, HttpMetrics],
})
export class HealthModule {}
