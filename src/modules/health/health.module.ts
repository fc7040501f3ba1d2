import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { DatabaseHealth } from './parts/databases.js';
import { ProcessHealth } from './parts/process.js';
import { RedisHealth } from './parts/redis.js';

/** For load balancers, orchestrators and the curious. */
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [HealthService, DatabaseHealth, RedisHealth, ProcessHealth],
})
export class HealthModule {}
