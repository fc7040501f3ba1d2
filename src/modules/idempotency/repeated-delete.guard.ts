import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AnsweredBefore, Problem, type AppRequest } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import type { RequestKey } from '../../database/main/index.js';
import { givenAgain } from './kept-answer.js';
import { KeptAnswers } from './kept-answers.js';
import { isKey, RequestKeys } from './request-key.js';

/**
 * A repeated `DELETE` no longer finds what it deleted, and the guards behind this one would say so. Whoever deleted it, and is
 * still signed in, is answered as the first time. Only answers without a body are given past those guards: they tell nothing.
 */
@Injectable()
export class RepeatedDeleteGuard implements CanActivate {
  private readonly keys: RequestKeys;

  constructor(
    private readonly answers: KeptAnswers,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.keys = new RequestKeys(config.encryptionKey);
  }

  /** Not asynchronous for all the others: a promise for each request costs more than the question. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<AppRequest>();
    const key = request.headers['idempotency-key'];
    if (request.method !== 'DELETE' || !request.principal || !isKey(key)) return true;
    return this.unlessDone(this.keys.of(request, key));
  }

  private async unlessDone(key: RequestKey): Promise<true> {
    const kept = await this.answers.peek(key).catch(onlyMismatch);
    if (kept && kept.body === undefined) throw new AnsweredBefore(givenAgain(kept));
    return true;
  }
}

/** Another request under the same key is judged by the guards first, like any other. */
function onlyMismatch(error: unknown): undefined {
  if (error instanceof Problem && error.code === 'idempotency_mismatch') return undefined;
  throw error;
}
