import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, MoreThan, Repository } from 'typeorm';
import { FreshCache, Metrics, isId, type Id } from '../../../common/index.js';
import { EventBus } from '../../events/index.js';
import { SessionEntity } from './session.entity.js';

/**
 * How long this node may believe a session to be alive when no event reaches it. A socket that was let in on this belief is looked
 * at again within 2 s; together that stays below the 5 s that are promised.
 */
const MAX_AGE_MS = 3_000;
const MAX_ENTRIES = 50_000;

/** Of a living session: whose it is. `dead`: it ended, never was, or its person may not sign in any more. */
export type SessionState = { readonly name: string; readonly email: string } | 'dead';

/** Whether sessions are alive, asked on every request: from memory, at most 3 s old, at once after an event. */
@Injectable()
export class SessionStates implements OnModuleInit, OnModuleDestroy {
  private readonly cache = new FreshCache<SessionState>({
    maxEntries: MAX_ENTRIES,
    maxAgeMs: MAX_AGE_MS,
    load: (key) => this.load(key),
  });
  private stopListening: (() => void)[] = [];

  constructor(
    @InjectRepository(SessionEntity) private readonly sessions: Repository<SessionEntity>,
    private readonly bus: EventBus,
    metrics: Metrics,
  ) {
    metrics.cache('sessions', this.cache);
  }

  onModuleInit(): void {
    this.stopListening = [
      this.bus.on('session.revoked', ({ userId, sessionId }) => this.cache.drop(keyOf(userId, sessionId))),
      this.bus.on('user.changed', ({ userId }) => this.cache.dropPrefix(userId)),
    ];
  }

  onModuleDestroy(): void {
    for (const stop of this.stopListening) stop();
  }

  /** The state of this session of this person. */
  async of(userId: Id, sessionId: Id): Promise<SessionState> {
    return (await this.cache.get(keyOf(userId, sessionId))) ?? 'dead';
  }

  /** Those of the sessions that are alive now: read from the database, all in one query. For what outlives a request. */
  async alive(sessionIds: readonly Id[]): Promise<ReadonlySet<Id>> {
    const sessions = await this.sessions
      .createQueryBuilder('session')
      .select('session.id', 'id')
      .innerJoin('session.user', 'user', `user.status = 'active'`)
      .where('session.id = any(:sessionIds)', { sessionIds: [...sessionIds] })
      .andWhere('session.revokedAt is null and session.expiresAt > :now', { now: new Date() })
      .getRawMany<{ readonly id: Id }>();
    return new Set(sessions.map(({ id }) => id));
  }

  private async load(key: string): Promise<SessionState> {
    const [userId, id] = key.split('/');
    if (!isId(userId) || !isId(id)) return 'dead';
    const session = await this.sessions.findOne({
      where: { id, userId, revokedAt: IsNull(), expiresAt: MoreThan(new Date()), user: { status: 'active' } },
      relations: { user: true },
    });
    return session?.user ? { name: session.user.name, email: session.user.email } : 'dead';
  }
}

/** The person first, so that all sessions of a person share a prefix. */
const keyOf = (userId: Id, sessionId: Id): string => `${userId}/${sessionId}`;
