import { Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { KeptAnswers } from './kept-answers.js';
import { LateAnswers } from './late-answers.js';
import { RepeatedDeleteGuard } from './repeated-delete.guard.js';

/**
 * Retries that are safe: `Idempotency-Key` on every write whose rows are in the main database. Brings a global guard that has to come between those of
 * auth (who calls) and workspaces (what is there): import this module between them.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [KeptAnswers, LateAnswers, { provide: APP_GUARD, useClass: RepeatedDeleteGuard }, IdempotencyInterceptor],
  exports: [LateAnswers],
})
export class IdempotencyModule {
  /** Before the routes are made, which is before any hook of modules. */
  constructor(interceptor: IdempotencyInterceptor) {
    interceptor.bind();
  }
}
