import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { RedisClient } from '../../../database/redis/index.js';

/** Redis, without which everything works, only slower between nodes: hence never down, at worst degraded. */
@Injectable()
export class RedisHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  async check(): Promise<HealthIndicatorResult> {
    const part = this.indicators.check('redis');
    const { redis } = this.config;
    if (!redis) return part.up({ mode: 'embedded' });
    const { up, responseTime, reason } = await this.redis.status();
    const place = { host: redis.host, port: redis.port };
    return up ? part.up({ responseTime, ...place }) : part.degraded({ ...place, message: reason ?? 'does not answer' });
  }
}
