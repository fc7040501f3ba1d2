import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, LessThan, MoreThan, Not, Repository } from 'typeorm';
import {
  hashSecretToken,
  idOfCursor,
  idPage,
  newId,
  newSecretToken,
  notFound,
  type Caller,
  type Id,
  type Page,
  type PageQuery,
  type Problem,
  type RequestMeta,
} from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import {
  AuditedTransaction,
  type AuditEntry,
  type OutboxEvent,
  ownActorOf,
  type AuditedManager,
} from '../../../database/main/index.js';
import { RefreshTokenEntity } from './refresh-token.entity.js';
import { sessionEnded } from '../tokens/problems.js';
import { SessionEntity } from './session.entity.js';

export type RevocationReason =
  | 'logout'
  | 'logout_everywhere'
  | 'revoked'
  | 'refresh_token_reused'
  | 'password_changed'
  | 'password_reset'
  | 'account_deleted';

/** All sessions of a person, or one, or all but one. */
export interface SessionsOf {
  readonly userId: Id;
  readonly id?: Id;
  readonly except?: Id;
}

/** What became of {@link SessionsService.end}, for {@link AuditedTransaction}. */
export interface Ended {
  readonly audit: readonly AuditEntry[];
  readonly events: readonly OutboxEvent[];
}

/** A session with the refresh token that continues it; the token is known at this moment only. */
export interface OpenSession {
  readonly sessionId: Id;
  readonly refreshToken: string;
}

/** Sessions of people: opened by a sign-in, continued by refresh tokens, ended by logout, revocation or time. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectRepository(SessionEntity) private readonly sessions: Repository<SessionEntity>,
    private readonly transaction: AuditedTransaction,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** A new session and its first refresh token, within the caller's transaction. */
  async open(manager: AuditedManager, userId: Id, request: RequestMeta): Promise<OpenSession> {
    const now = new Date();
    const sessionId = newId();
    await manager.insert(SessionEntity, {
      id: sessionId,
      userId,
      userAgent: request.userAgent,
      ip: request.ip,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: this.expiry(now),
    });
    return { sessionId, refreshToken: await this.addToken(manager, sessionId, now) };
  }

  /**
   * Continues a living session with a new refresh token, within the caller's transaction. False when it ended meanwhile.
   * Tokens of the session that expired are swept out on the way.
   */
  async prolong(manager: AuditedManager, sessionId: Id): Promise<OpenSession | undefined> {
    const now = new Date();
    const { affected } = await manager.update(
      SessionEntity,
      { id: sessionId, revokedAt: IsNull() },
      { lastSeenAt: now, expiresAt: this.expiry(now) },
    );
    if (affected !== 1) return undefined;
    await manager.delete(RefreshTokenEntity, { sessionId, expiresAt: LessThan(now) });
    return { sessionId, refreshToken: await this.addToken(manager, sessionId, now) };
  }

  /**
   * Ends those of a person's sessions that are alive, within the caller's transaction. What it hands back goes into the
   * transaction's answer; no entries mean that nothing was alive.
   */
  async end(manager: AuditedManager, which: SessionsOf, reason: RevocationReason): Promise<Ended> {
    // Locked in id order: two such calls for one person wait for each other instead of for a deadlock.
    const { userId, id, except } = which;
    const ended = await manager.find(SessionEntity, {
      where: {
        userId,
        ...(id === undefined ? {} : { id }),
        ...(except === undefined ? {} : { id: Not(except) }),
        revokedAt: IsNull(),
      },
      order: { id: 'ASC' },
      lock: { mode: 'for_no_key_update' },
    });
    await manager.update(
      SessionEntity,
      { id: In(ended.map(({ id }) => id)) },
      { revokedAt: new Date(), revokedReason: reason },
    );
    return {
      audit: ended.map((session) => sessionAudit('session.revoked', session, { reason })),
      events: ended.map(({ id, userId }) => ({ topic: 'session.revoked', payload: { sessionId: id, userId } })),
    };
  }

  /** Ends all sessions of a person whose account is being deleted, and erases from where they were used. */
  async forget(manager: AuditedManager, userId: Id): Promise<Ended> {
    const ended = await this.end(manager, { userId }, 'account_deleted');
    await manager.update(SessionEntity, { userId }, { userAgent: '', ip: '' });
    return ended;
  }

  /** Ends the caller's own session, or all of his sessions. */
  async logout(caller: Caller, everywhere: boolean): Promise<void> {
    const { userId, sessionId } = caller.principal;
    const which = everywhere ? { userId } : { userId, id: sessionId };
    await this.revoke(caller, which, everywhere ? 'logout_everywhere' : 'logout', sessionEnded);
  }

  /** Ends one of the caller's own sessions. Throws not_found for any other. */
  async revokeOwn(caller: Caller, id: Id): Promise<void> {
    await this.revoke(caller, { userId: caller.principal.userId, id }, 'revoked', () => notFound('session'));
  }

  /** The caller's living sessions, newest first. */
  async list({ principal }: Caller, { limit, cursor }: PageQuery): Promise<Page<SessionEntity>> {
    const query = this.sessions
      .createQueryBuilder('session')
      .where({ userId: principal.userId, revokedAt: IsNull(), expiresAt: MoreThan(new Date()) })
      .orderBy('session.id', 'DESC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('session.id < :after', { after: idOfCursor(cursor) });
    return idPage(await query.getMany(), limit);
  }

  private async revoke(
    caller: Caller,
    which: SessionsOf,
    reason: RevocationReason,
    ifNone: () => Problem,
  ): Promise<void> {
    await this.transaction.run(ownActorOf(caller), async (manager) => {
      const { audit, events } = await this.end(manager, which, reason);
      const [first, ...rest] = audit;
      if (!first) throw ifNone();
      return { result: undefined, audit: [first, ...rest], events };
    });
  }

  private async addToken(manager: AuditedManager, sessionId: Id, now: Date): Promise<string> {
    const token = newSecretToken();
    await manager.insert(RefreshTokenEntity, {
      id: newId(),
      sessionId,
      tokenHash: hashSecretToken(token),
      createdAt: now,
      expiresAt: this.expiry(now),
    });
    return token;
  }

  private expiry(now: Date): Date {
    return new Date(now.getTime() + this.config.jwt.refreshSeconds * 1000);
  }
}

/** How the audit log tells of a session. */
export const sessionAudit = (
  action: 'session.created' | 'session.refreshed' | 'session.revoked',
  session: { readonly id: Id; readonly userAgent: string },
  after?: object,
): AuditEntry => ({
  workspaceId: null,
  action,
  resource: { type: 'session', id: session.id, name: session.userAgent },
  ...(after ? { after } : {}),
});
