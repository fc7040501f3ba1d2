import {
  Inject,
  Injectable,
  RequestMethod,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { HTTP_CODE_METADATA, INTERCEPTORS_METADATA, METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { CLAIMS_IDEMPOTENCY_KEY, IGNORES_IDEMPOTENCY_KEY, type AppRequest } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { AuditedTransaction, type RequestKey } from '../../database/main/index.js';
import { givenAgain, keepable } from './kept-answer.js';
import { KeptAnswers } from './kept-answers.js';
import { checkKey, RequestKeys } from './request-key.js';
import { Slots } from './slots.js';

const METHODS: ReadonlySet<unknown> = new Set([RequestMethod.POST, RequestMethod.PATCH, RequestMethod.DELETE]);
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
    private readonly discovery: DiscoveryService,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.keys = new RequestKeys(config.encryptionKey);
    const half = Math.max(1, Math.floor(config.mainDb.poolSize / 2));
    const ofThePublic = Math.floor(half / 2);
    this.slots = new Slots(half - ofThePublic, WAIT_MS);
    this.publicSlots = ofThePublic > 0 ? new Slots(ofThePublic, WAIT_MS) : this.slots;
  }

  /**
   * Binds it to the handlers that write and do not say that they see to keys themselves. Not to all: with a single interceptor the framework makes
   * observables of every request, which was a twentieth of what reading a page costs.
   */
  bind(): void {
    const scanner = new MetadataScanner();
    for (const { metatype } of this.discovery.getControllers()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Readonly<Record<string, object>>;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        if (handler && this.concerns(metatype, handler)) this.bindTo(handler);
      }
    }
  }

  private concerns(controller: object, handler: object): boolean {
    if (!METHODS.has(Reflect.getMetadata(METHOD_METADATA, handler))) return false;
    return [handler, controller].every((marked) => Reflect.getMetadata(IGNORES_IDEMPOTENCY_KEY, marked) !== true);
  }

  /** Handlers are classes' and outlive an application: the one of an earlier has no say any more. */
  private bindTo(handler: object): void {
    const bound = (Reflect.getMetadata(INTERCEPTORS_METADATA, handler) ?? []) as readonly object[];
    const others = bound.filter((each) => !(each instanceof IdempotencyInterceptor));
    Reflect.defineMetadata(INTERCEPTORS_METADATA, [this, ...others], handler);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<AppRequest>();
    const key = request.headers['idempotency-key'];
    if (key === undefined) return next.handle();
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
