import { Inject, Injectable } from '@nestjs/common';
import { InjectThrottlerStorage, type ThrottlerStorage } from '@nestjs/throttler';
import type { AppReply, Id, LimitName } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { announce, policyOf } from './announce.js';

const NAME = 'external' satisfies LimitName;

/** The limit of what asks external databases, for routes of which only some requests do: those that all do are marked with it. */
@Injectable()
export class ExternalLimit {
  constructor(
    @InjectThrottlerStorage() private readonly storage: ThrottlerStorage,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** Counts a request of a person, together with those of marked routes. @throws Problem `rate_limited` */
  async count(reply: AppReply, userId: Id): Promise<void> {
    const { externalLimit: limit, windowSeconds } = this.config.rateLimit;
    const ttl = windowSeconds * 1_000;
    const hit = await this.storage.increment(`${NAME}:${userId}`, ttl, limit, 0, NAME);
    announce(reply, { name: NAME, limit, policy: policyOf(NAME, limit, ttl) }, hit);
  }
}
