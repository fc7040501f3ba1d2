import { Inject, Injectable } from '@nestjs/common';
import { Answer, type AppRequest } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { givenAgain, keepable } from './kept-answer.js';
import { KeptAnswers } from './kept-answers.js';
import { checkKey, RequestKeys } from './request-key.js';

/**
 * Answers of handlers that read their body themselves: what they were asked for is known at the end only, and takes as long as its
 * sender likes, so no transaction waits for it. Of several that are under way under one key, the first to be done has its answer
 * kept, and the others are given that; they take back what they did.
 */
@Injectable()
export class LateAnswers {
  private readonly keys: RequestKeys;

  constructor(
    private readonly answers: KeptAnswers,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.keys = new RequestKeys(config.encryptionKey);
  }

  /**
   * The key of a request, if it has one; to be asked before its body is read.
   * @throws Problem `validation_failed`
   */
  keyOf({ headers }: AppRequest): string | undefined {
    const key = headers['idempotency-key'];
    return key === undefined ? undefined : checkKey(key);
  }

  /** {@link settle} around work of which nothing has to be taken back when it is done twice; its answer is 200. */
  async once<T>(request: AppRequest, work: () => Promise<T>): Promise<T | Answer> {
    const key = this.keyOf(request);
    const value = await work();
    if (key === undefined) return value;
    const answer = new Answer(value, { status: 200 });
    return (await this.settle(request, key, request.body ?? null, answer)) ?? value;
  }

  /**
   * Keeps the answer, unless there is one under the key: then that one, to be given in its place. `asked` is what the body asked for, as JSON.
   * A problem that is thrown kept nothing; after any other error nobody knows.
   * @throws Problem `idempotency_mismatch`, `idempotency_in_progress` (another is being kept this very moment)
   */
  async settle(request: AppRequest, key: string, asked: unknown, answer: Answer): Promise<Answer | undefined> {
    const keeping = keepable(answer, 201);
    const kept = keeping && (await this.answers.keepFirst(this.keys.of(request, key, asked), keeping));
    return kept && givenAgain(kept);
  }
}
