import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { must, Problem, sealerFor, type Sealer } from '../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../config/index.js';
import { AuditedTransaction, REPEATABLE_MS, type AuditedManager, type RequestKey } from '../../database/main/index.js';
import type { KeptAnswer } from './kept-answer.js';

const SWEEP_EVERY_MS = 10 * 60_000;
const SWEEP_BATCH = 1_000;
/** In the place of an answer while somebody works on one. */
const PENDING: KeptAnswer = { status: 0, headers: {} };
/** A claim ends so long after a process that does not renew it any more. */
const CLAIM_MS = 30_000;
const RENEW_EVERY_MS = CLAIM_MS / 3;

/** The table of answers that can be given again. Swept of what is older than a day, by every node. */
@Injectable()
export class KeptAnswers implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(KeptAnswers.name);
  /** Answers hold tokens and links that are shown once. */
  private readonly sealer: Sealer;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly transaction: AuditedTransaction,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.sealer = sealerFor('idempotency answer v1', encryptionKeysOf(config));
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweepQuietly(), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Makes the key one's own until the end of the transaction. Throws `idempotency_in_progress` when it is somebody else's, on any node. */
  async lock(manager: AuditedManager, { name }: RequestKey): Promise<void> {
    const number = name.readBigInt64BE().toString();
    const [row] = await manager.query<{ readonly got: boolean }[]>('select pg_try_advisory_xact_lock($1) as got', [
      number,
    ]);
    if (row?.got !== true) throw inProgress();
  }

  /**
   * The answer that was given under the key. A statement of its own behind the lock, so that it sees what the last owner of the
   * lock committed. Throws `idempotency_mismatch` when something else was asked for then, `idempotency_in_progress` while it is claimed.
   */
  async find(manager: AuditedManager, { name, request }: RequestKey): Promise<KeptAnswer | undefined> {
    const [row] = await manager.query<{ readonly request: Buffer; readonly answer: Buffer }[]>(
      'select request, answer from idempotency_keys where name = $1 and expires_at > $2',
      [name, new Date()],
    );
    if (!row) return undefined;
    if (!row.request.equals(request)) throw new Problem('idempotency_mismatch');
    const text = this.sealer.open(name.toString('hex'), row.answer);
    const answer = JSON.parse(must(text, 'its name is made with the same key')) as KeptAnswer;
    if (answer.status === PENDING.status) throw inProgress();
    return answer;
  }

  /** {@link find} for a look from outside; nobody is kept from the key. */
  peek(key: RequestKey): Promise<KeptAnswer | undefined> {
    return this.transaction.withoutAudit((manager) => this.find(manager, key));
  }

  async keep(
    manager: AuditedManager,
    { name, request }: RequestKey,
    answer: KeptAnswer,
    ms = REPEATABLE_MS,
  ): Promise<void> {
    await manager.query(
      `insert into idempotency_keys (name, request, answer, expires_at) values ($1, $2, $3, $4)
       on conflict (name) do update set request = excluded.request, answer = excluded.answer, expires_at = excluded.expires_at`,
      [name, request, this.sealer.seal(name.toString('hex'), JSON.stringify(answer)), new Date(Date.now() + ms)],
    );
  }

  /** Keeps the answer in a transaction of its own, unless there is one: then that. Throws like {@link lock} and {@link find}. */
  keepFirst(key: RequestKey, answer: KeptAnswer): Promise<KeptAnswer | undefined> {
    return this.transaction.withoutAudit(async (manager) => {
      await this.lock(manager, key);
      const kept = await this.find(manager, key);
      if (!kept) await this.keep(manager, key, answer);
      return kept;
    });
  }

  /**
   * Makes the key one's own for as long as `work` takes, without a transaction around it, and keeps what it comes to; when it fails, the key
   * is free again. Of a process that ends meanwhile it is free a little later. Throws like {@link lock} and {@link find}.
   */
  async claimed(key: RequestKey, work: () => Promise<KeptAnswer | undefined>): Promise<KeptAnswer | undefined> {
    const kept = await this.transaction.withoutAudit(async (manager) => {
      await this.lock(manager, key);
      const found = await this.find(manager, key);
      if (!found) await this.keep(manager, key, PENDING, CLAIM_MS);
      return found;
    });
    if (kept) return kept;
    const renewing = setInterval(() => void this.renewQuietly(key), RENEW_EVERY_MS);
    let answer: KeptAnswer | undefined;
    try {
      answer = await work();
    } finally {
      clearInterval(renewing);
      await this.transaction.withoutAudit((manager) =>
        answer ? this.keep(manager, key, answer) : this.forget(manager, key),
      );
    }
    return undefined;
  }

  private forget(manager: AuditedManager, { name }: RequestKey): Promise<unknown> {
    return manager.query('delete from idempotency_keys where name = $1', [name]);
  }

  /** Only ever later: the answer may be there already. */
  private async renewQuietly({ name }: RequestKey): Promise<void> {
    try {
      await this.transaction.withoutAudit((manager) =>
        manager.query('update idempotency_keys set expires_at = $2 where name = $1 and expires_at < $2', [
          name,
          new Date(Date.now() + CLAIM_MS),
        ]),
      );
    } catch (error) {
      this.logger.warn(`a claim could not be renewed: ${error instanceof Error ? error.message : 'unknown error'}`);
    }
  }

  /** Forgets answers whose time is over, a bounded number at once; nodes that sweep together share the work. Returns how many it were. */
  async sweep(): Promise<number> {
    let swept = 0;
    for (let batch = SWEEP_BATCH; batch === SWEEP_BATCH; swept += batch) batch = await this.sweepSome();
    return swept;
  }

  private sweepSome(): Promise<number> {
    return this.transaction.withoutAudit(async (manager) => {
      const [row] = await manager.query<{ readonly count: number }[]>(
        `with over as (select name from idempotency_keys where expires_at <= $1 limit $2 for update skip locked),
              gone as (delete from idempotency_keys where name in (select name from over) returning 1)
         select count(*)::int as count from gone`,
        [new Date(), SWEEP_BATCH],
      );
      return row?.count ?? 0;
    });
  }

  private async sweepQuietly(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      this.logger.warn(`old answers could not be swept: ${error instanceof Error ? error.message : 'unknown error'}`);
    }
  }
}

const inProgress = (): Problem => new Problem('idempotency_in_progress', { headers: { 'retry-after': '1' } });
