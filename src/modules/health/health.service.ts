import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult, type HealthIndicatorFunction } from '@nestjs/terminus';
import { Answer } from '../../common/index.js';
import type { HealthDto } from './health.dto.js';
import { DatabaseHealth } from './parts/databases.js';
import { ProcessHealth } from './parts/process.js';
import { RedisHealth } from './parts/redis.js';
import { SchemaHealth } from './parts/schema.js';

@Injectable()
export class HealthService {
  constructor(
    private readonly terminus: HealthCheckService,
    private readonly databases: DatabaseHealth,
    private readonly redis: RedisHealth,
    private readonly schema: SchemaHealth,
    private readonly process: ProcessHealth,
  ) {}

  /** Everything that can be said of this node. 503 when a part is down. */
  report(): Promise<Answer<HealthDto>> {
    return this.answer([...this.databases.check(), () => this.redis.check(), ...this.process.check()]);
  }

  /**
   * Whether requests should be sent here: the databases answer and the node is not stopping. Says beside it how the last
   * comparison of the structure with the metadata ended, which keeps no request away.
   */
  readiness(): Promise<Answer<HealthDto>> {
    return this.answer([...this.databases.check(), () => this.schema.check()]);
  }

  private async answer(parts: HealthIndicatorFunction[]): Promise<Answer<HealthDto>> {
    const { failed, status, info = {}, error = {}, details } = await this.run(parts);
    const body = {
      status,
      timestamp: new Date().toISOString(),
      uptime: Math.round(process.uptime()),
      info,
      error,
      details,
    };
    return new Answer(body, { status: failed ? 503 : 200 });
  }

  /** terminus throws its findings when a part is down; here they are an answer like any other. */
  private async run(parts: HealthIndicatorFunction[]): Promise<HealthCheckResult & { readonly failed: boolean }> {
    try {
      return { ...(await this.terminus.check(parts)), failed: false };
    } catch (thrown) {
      if (!(thrown instanceof ServiceUnavailableException)) throw thrown;
      return { ...(thrown.getResponse() as HealthCheckResult), failed: true };
    }
  }
}
