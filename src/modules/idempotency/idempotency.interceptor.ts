import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { HTTP_CODE_METADATA } from '@nestjs/common/constants.js';
import { Reflector } from '@nestjs/core';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { CLAIMS_IDEMPOTENCY_KEY, IGNORES_IDEMPOTENCY_KEY, type AppRequest } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { AuditedTransaction, type RequestKey } from '../../database/main/index.js';
import { givenAgain, keepable } from './kept-answer.js';
import { KeptAnswers } from './kept-answers.js';
import { checkKey, RequestKeys } from './request-key.js';
import { Slots } from './slots.js';

const METHODS: ReadonlySet<string> = new Set(['POST', 'PATCH', 'DELETE']);
const WAIT_MS = 20_000;

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * Requests with an `Idempotency-Key` are done once (ADR 6): what the handler writes and the answer that is kept for repetitions
 * are one transaction of the main database. Runs behind the guards, so whoever may not call is not answered from memory either.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly keys: RequestKeys;
  /** Each request holds a connection while its handler takes others: with more than half of the pool, all could wait for each other. */
  private readonly slots: Slots;
  /** Of their own for those who are not signed in: a rush of sign-ins must not hold up anybody's writes. */
  private readonly publicSlots: Slots;

  constructor(
    private readonly reflector: Reflector,
    private readonly transaction: AuditedTransaction,
    private readonly answers: KeptAnswers,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.keys = new RequestKeys(config.encryptionKey);
    const half = Math.max(1, Math.floor(config.mainDb.poolSize / 2));
    const ofThePublic = Math.floor(half / 2);
    this.slots = new Slots(half - ofThePublic, WAIT_MS);
    this.publicSlots = ofThePublic > 0 ? new Slots(ofThePublic, WAIT_MS) : this.slots;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<AppRequest>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || !METHODS.has(request.method) || this.isMarked(context, IGNORES_IDEMPOTENCY_KEY))
      return next.handle();
    const requestKey = this.keys.of(request, checkKey(key));
    const status = this.statusOf(context, request);
    const handle = () => lastValueFrom(next.handle());
    if (this.isMarked(context, CLAIMS_IDEMPOTENCY_KEY)) return from(this.claimed(requestKey, status, handle));
    const slots = request.principal ? this.slots : this.publicSlots;
    return from(slots.use(() => this.once(requestKey, status, handle)));
  }

  private async claimed(key: RequestKey, status: number, handle: () => Promise<unknown>): Promise<unknown> {
    let value: unknown;
    const kept = await this.answers.claimed(key, async () => keepable((value = await handle()), status));
    return kept ? givenAgain(kept) : value;
  }

  private async once(key: RequestKey, status: number, handle: () => Promise<unknown>): Promise<unknown> {
    const outcome = await this.transaction.enclose(key, async (manager): Promise<Outcome> => {
      await this.answers.lock(manager, key);
      const kept = await this.answers.find(manager, key);
      if (kept) return { value: givenAgain(kept) };
      // An error is not thrown here: what the handler had committed when it failed stays, as it would without a key.
      const outcome = await handle().then(
        (value): Outcome => ({ value }),
        (error: unknown): Outcome => ({ error }),
      );
      const answer = 'value' in outcome ? keepable(outcome.value, status) : undefined;
      if (answer) await this.answers.keep(manager, key, answer);
      return outcome;
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  private isMarked(context: ExecutionContext, mark: string): boolean {
    const marked = [context.getHandler(), context.getClass()];
    return this.reflector.getAllAndOverride<true | undefined>(mark, marked) === true;
  }

  private statusOf(context: ExecutionContext, { method }: AppRequest): number {
    const own = this.reflector.get<number | undefined>(HTTP_CODE_METADATA, context.getHandler());
    return own ?? (method === 'POST' ? 201 : 200);
  }
}
