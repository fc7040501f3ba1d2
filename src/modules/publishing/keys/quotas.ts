import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { HeaderSink, Id } from '../../../common/index.js';
import { AuditedTransaction } from '../../../database/main/index.js';
import { EndpointLimits } from '../../auth/index.js';
import type { QuotaPeriod } from './api-key.entity.js';

/** Requests within each period. */
export interface Quota {
  readonly limit: number;
  readonly per: QuotaPeriod;
}

/** A part of a quota that this node may serve. */
interface Share {
  left: number;
  /** Of the quota, what nobody has taken yet. */
  readonly rest: number;
  /** Nothing was left to be had. */
  readonly isEmpty: boolean;
  /** When the period ends, and until when it is not asked again, in milliseconds. */
  readonly endsAt: number;
  readonly goodUntil: number;
  readonly periodSeconds: number;
}

/** A node that dies takes no more of a quota with it than this part, and no more than so many requests. */
const PARTS = 100;
const MAX_SHARE = 1_000;
/** What another node gives back when it stops is seen after this time. */
const EMPTY_FOR_MS = 5_000;
const MAX_KEYS = 20_000;
const NAME = 'quota';

/**
 * Takes `$2` or what is left, by the clock of the database, which is the same for all nodes. Nothing is written when nothing is left.
 * `taken_before` is what was taken in this period.
 */
const TAKE = `
  with period as (
    select date_trunc($3::text, now(), 'UTC') as start, (date_trunc($3::text, now() at time zone 'UTC') + ('1 ' || $3::text)::interval) at time zone 'UTC' as ending
  ), key as (
    select k.id, k.quota_limit, p.start, p.ending, case when k.quota_from = p.start then k.quota_taken else 0 end as taken
    from view_api_keys k, period p where k.id = $1 for update of k
  ), added as (
    update view_api_keys k set quota_from = key.start, quota_taken = key.taken + least($2::int, key.quota_limit - key.taken)
    from key where k.id = key.id and key.taken < key.quota_limit
  )
  select greatest(0, least($2::int, quota_limit - taken)) as share, greatest(0, quota_limit - taken - $2::int) as rest,
    extract(epoch from ending - clock_timestamp()) * 1000 as "endsInMs", extract(epoch from ending - start) as "periodSeconds"
  from key`;

/**
 * Quotas of keys, over all nodes and through restarts: each node takes shares of a hundredth from the main database and serves from these, so that never more
 * than the quota is served in all, most requests cost no question, and Redis is not needed.
 */
@Injectable()
export class Quotas implements OnModuleDestroy {
  private readonly logger = new Logger(Quotas.name);
  private readonly shares = new LRUCache<Id, Share>({ max: MAX_KEYS });
  private readonly underWay = new Map<Id, Promise<Share>>();

  constructor(
    private readonly transaction: AuditedTransaction,
    private readonly limits: EndpointLimits,
  ) {}

  /** Counts one request, and tells in the headers how many are left. @throws Problem `rate_limited` until the period ends */
  async count(reply: HeaderSink, keyId: Id, quota: Quota): Promise<void> {
    while (!this.countKnown(reply, keyId, quota)) await this.renew(keyId, quota);
  }

  /** The same where this node knows what is left; false, and nothing is counted, where it has to ask. @throws Problem `rate_limited` */
  countKnown(reply: HeaderSink, keyId: Id, quota: Quota): boolean {
    const share = this.known(keyId);
    if (!share) return false;
    const { rest, endsAt, periodSeconds } = share;
    const isBlocked = share.left === 0;
    if (!isBlocked) share.left--;
    const seconds = Math.max(1, Math.ceil((endsAt - Date.now()) / 1_000));
    this.limits.tell(
      reply,
      NAME,
      { limit: quota.limit, windowSeconds: periodSeconds },
      {
        totalHits: isBlocked ? quota.limit + 1 : quota.limit - rest - share.left,
        timeToExpire: seconds,
        isBlocked,
        timeToBlockExpire: isBlocked ? seconds : 0,
      },
    );
    return true;
  }

  /** Whether this node may serve one more without a question. */
  hasRoom(keyId: Id): boolean {
    return (this.known(keyId)?.left ?? 0) > 0;
  }

  /** Gives back what was taken and not served. */
  async onModuleDestroy(): Promise<void> {
    const now = Date.now();
    for (const [id, { left, goodUntil }] of this.shares.entries())
      if (left > 0 && goodUntil > now)
        await this.giveBack(id, left).catch((err: unknown) =>
          this.logger.warn({ msg: 'A share of a quota could not be given back', err }),
        );
    this.shares.clear();
  }

  /** The share that the next request is served from, or refused by. */
  private known(keyId: Id): Share | undefined {
    const share = this.shares.get(keyId);
    return share && share.goodUntil > Date.now() && (share.left > 0 || share.isEmpty) ? share : undefined;
  }

  /** One question at a time for each key, however many wait for it. */
  private renew(keyId: Id, quota: Quota): Promise<Share> {
    const before = this.underWay.get(keyId);
    if (before) return before;
    const share = this.fetch(keyId, quota).then((got) => {
      this.shares.set(keyId, got);
      return got;
    });
    this.underWay.set(keyId, share);
    const end = (): unknown => this.underWay.delete(keyId);
    share.then(end, end);
    return share;
  }

  private async fetch(keyId: Id, { limit, per }: Quota): Promise<Share> {
    const size = Math.min(MAX_SHARE, Math.max(1, Math.floor(limit / PARTS)));
    const [taken] = await this.transaction.withoutAudit<Taken[]>((manager) => manager.query(TAKE, [keyId, size, per]));
    const now = Date.now();
    // A key that was revoked in this moment has nothing left.
    const { share = 0, rest = 0, endsInMs = EMPTY_FOR_MS, periodSeconds = 1 } = taken ?? {};
    const endsAt = now + Number(endsInMs);
    const isEmpty = share === 0;
    const goodUntil = isEmpty ? Math.min(endsAt, now + EMPTY_FOR_MS) : endsAt;
    return { left: share, rest, isEmpty, endsAt, goodUntil, periodSeconds: Number(periodSeconds) };
  }

  private async giveBack(keyId: Id, left: number): Promise<void> {
    await this.transaction.withoutAudit((manager) =>
      manager.query(
        `update view_api_keys set quota_taken = greatest(0, quota_taken - $2)
         where id = $1 and quota_from = date_trunc(quota_per, now(), 'UTC')`,
        [keyId, left],
      ),
    );
  }
}

interface Taken {
  readonly share: number;
  readonly rest: number;
  readonly endsInMs: string;
  readonly periodSeconds: string;
}
