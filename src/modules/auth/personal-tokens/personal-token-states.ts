import { timingSafeEqual } from 'node:crypto';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { MoreThan, Repository } from 'typeorm';
import { FreshCache, hashSecretToken, isId, Metrics, type Id, type Principal } from '../../../common/index.js';
import { AuditedTransaction } from '../../../database/main/index.js';
import { EventBus } from '../../events/index.js';
import { personalTokenEnded } from '../tokens/problems.js';
import { PersonalTokenEntity } from './personal-token.entity.js';
import { idInToken } from './token-text.js';

/** As of sessions: with the two seconds after which sockets are looked at again it stays below the 5 s that are promised. */
const MAX_AGE_MS = 3_000;
const MAX_ENTRIES = 50_000;
/** That a token is used is written down this often. */
const NOTED_EVERY_MS = 60_000;

interface Living {
  readonly hash: Buffer;
  readonly principal: Principal;
}

/** Who holds a personal token, asked on every request: from memory, at most 3 s old, at once after an event. */
@Injectable()
export class PersonalTokenStates implements OnModuleInit, OnModuleDestroy {
  private readonly cache = new FreshCache<Living>({
    maxEntries: MAX_ENTRIES,
    maxAgeMs: MAX_AGE_MS,
    load: (id) => this.load(id),
  });
  /** Whose use this node wrote down lately. */
  private readonly noted = new LRUCache<Id, true>({ max: MAX_ENTRIES, ttl: NOTED_EVERY_MS });
  private stopListening: (() => void)[] = [];

  constructor(
    @InjectRepository(PersonalTokenEntity) private readonly tokens: Repository<PersonalTokenEntity>,
    private readonly transaction: AuditedTransaction,
    private readonly bus: EventBus,
    metrics: Metrics,
  ) {
    metrics.cache('personal_tokens', this.cache);
  }

  onModuleInit(): void {
    this.stopListening = [
      this.bus.on('session.revoked', ({ sessionId }) => this.cache.drop(sessionId)),
      // Rare, and which tokens are the person's is not known by the key.
      this.bus.on('user.changed', () => this.cache.dropPrefix('')),
    ];
  }

  onModuleDestroy(): void {
    for (const stop of this.stopListening) stop();
  }

  /** Who holds the token. Throws `unauthenticated` for one that is not alive. */
  async principalOf(token: string): Promise<Principal> {
    const id = idInToken(token);
    const found = id === undefined ? undefined : await this.cache.get(id);
    if (!found || !timingSafeEqual(found.hash, hashSecretToken(token))) throw personalTokenEnded();
    const { principal } = found;
    if (principal.expiresAt * 1000 <= Date.now()) throw personalTokenEnded();
    this.note(principal.sessionId);
    return principal;
  }

  /** Those of these tokens that are alive now: read from the database, all in one query. For what outlives a request. */
  async alive(ids: readonly Id[]): Promise<ReadonlySet<Id>> {
    const found = await this.tokens
      .createQueryBuilder('token')
      .select('token.id', 'id')
      .innerJoin('token.user', 'user', `user.status = 'active'`)
      .where('token.id = any(:ids) and token.expiresAt > :now', { ids: [...ids], now: new Date() })
      .getRawMany<{ readonly id: Id }>();
    return new Set(found.map(({ id }) => id));
  }

  /** Not waited for: no request fails because its trace could not be written. */
  private note(id: Id): void {
    if (this.noted.has(id)) return;
    this.noted.set(id, true);
    void this.transaction
      .withoutAudit((manager) => manager.update(PersonalTokenEntity, { id }, { lastUsedAt: new Date() }))
      .catch(() => this.noted.delete(id));
  }

  private async load(id: string): Promise<Living | undefined> {
    if (!isId(id)) return undefined;
    const token = await this.tokens.findOne({
      where: { id, expiresAt: MoreThan(new Date()), user: { status: 'active' } },
      relations: { user: true },
    });
    if (!token?.user) return undefined;
    const { user, userId, hash, scope, workspaceIds, expiresAt } = token;
    return {
      hash,
      principal: {
        ...{ userId, sessionId: id, name: user.name, email: user.email },
        token: { scope, workspaceIds },
        expiresAt: Math.floor(expiresAt.getTime() / 1000),
      },
    };
  }
}
