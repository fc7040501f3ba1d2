import { timingSafeEqual } from 'node:crypto';
import { Controller, Get, Headers, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Answer, hashSecretToken, Metrics, notFound, Problem, Public, Traits } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';

/** Where Prometheus looks by itself. */
export const METRICS_PATH = 'metrics';

/** The numbers of this node, for Prometheus. In production only with a token: they tell how much an installation is used. */
@ApiExcludeController()
@Public()
@SkipThrottle()
@Controller(METRICS_PATH)
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** @throws Problem `not_found` where they are not served, `unauthenticated` without the token */
  @Get()
  @Traits({ quiet: true, cors: { origin: false } })
  async read(@Headers('authorization') authorization?: string): Promise<Answer<string>> {
    const { served, token } = this.config.metrics;
    if (!served) throw notFound('page');
    if (token !== undefined && !isBearer(authorization, token))
      throw new Problem('unauthenticated', {
        detail: 'Send the METRICS_TOKEN of this server: "Authorization: Bearer <token>".',
        headers: { 'www-authenticate': 'Bearer' },
      });
    return new Answer(await this.metrics.text(), {
      headers: { 'content-type': this.metrics.contentType, 'cache-control': 'no-store' },
    });
  }
}

/** Hashes are compared, for they are of one length. */
const isBearer = (header: string | undefined, token: string): boolean =>
  timingSafeEqual(hashSecretToken(header ?? ''), hashSecretToken(`Bearer ${token}`));
