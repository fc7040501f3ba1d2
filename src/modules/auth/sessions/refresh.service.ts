import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { hashSecretToken, must, Problem, type RequestMeta } from '../../../common/index.js';
import { AuditedTransaction, type Actor, type Audited, type AuditedManager } from '../../../database/main/index.js';
import type { UserEntity } from '../../users/index.js';
import { RefreshTokenEntity } from './refresh-token.entity.js';
import type { SessionEntity } from './session.entity.js';
import { sessionAudit, SessionsService, type OpenSession } from './sessions.service.js';

/** A session that goes on, and whose it is. */
export interface ContinuedSession {
  readonly user: UserEntity;
  readonly session: OpenSession;
}

/** A refresh token with the session and the person that it stands for. */
interface Presented {
  readonly token: RefreshTokenEntity;
  readonly session: SessionEntity;
  readonly user: UserEntity;
}

/** Exchanges refresh tokens: each works once, and a second use means that somebody else has a copy (RFC 9700, section 4.14.2). */
@Injectable()
export class RefreshService {
  constructor(
    @InjectRepository(RefreshTokenEntity) private readonly tokens: Repository<RefreshTokenEntity>,
    private readonly sessions: SessionsService,
    private readonly transaction: AuditedTransaction,
  ) {}

  /**
   * A new refresh token for a live one. Throws `refresh_token_invalid`, and `refresh_token_reused` for the second use of
   * a token, after the whole session was ended. Of any number of calls at once, on any nodes, exactly one succeeds.
   */
  async rotate(refreshToken: string, request: RequestMeta): Promise<ContinuedSession> {
    const presented = await this.find(refreshToken);
    const { user } = presented;
    const actor: Actor = { id: user.id, name: user.name, via: 'session', request };
    const session = await this.transaction.run(actor, (manager) => this.exchange(manager, presented));
    // Thrown only now: the end of the session is committed although the answer is an error.
    if (!session) throw reused();
    return { user, session };
  }

  /** The session continued, or undefined when the token was used before and the session has been ended for it. */
  private async exchange(
    manager: AuditedManager,
    { token, session }: Presented,
  ): Promise<Audited<OpenSession | undefined>> {
    if (!(await claim(manager, token))) {
      const which = { userId: session.userId, id: session.id };
      const { audit, events } = await this.sessions.end(manager, which, 'refresh_token_reused');
      const [first, ...rest] = audit;
      if (!first) throw reused(); // ended already, nothing to write
      return { result: undefined, audit: [first, ...rest], events };
    }
    const continued = await this.sessions.prolong(manager, session.id);
    if (!continued) throw invalidToken();
    return { result: continued, audit: [sessionAudit('session.refreshed', session)], events: [] };
  }

  private async find(refreshToken: string): Promise<Presented> {
    const token = await this.tokens.findOne({
      where: { tokenHash: hashSecretToken(refreshToken) },
      relations: { session: { user: true } },
    });
    if (!token) throw invalidToken();
    const session = must(token.session, 'a refresh token has a session');
    const user = must(session.user, 'a session has a person');
    const alive = session.revokedAt === null && user.status === 'active' && token.expiresAt > new Date();
    if (!alive && token.usedAt === null) throw invalidToken();
    return { token, session, user };
  }
}

/** Marks the token as used; true for the one caller that did it. The row lock of the update decides races. */
async function claim(manager: AuditedManager, { id }: RefreshTokenEntity): Promise<boolean> {
  const { affected } = await manager
    .createQueryBuilder()
    .update(RefreshTokenEntity)
    .set({ usedAt: new Date() })
    .where({ id, usedAt: IsNull() })
    .returning('id')
    .execute();
  return affected === 1;
}

const invalidToken = (): Problem =>
  new Problem('refresh_token_invalid', {
    detail: 'The refresh token is unknown, expired, or its session has ended. Sign in again.',
  });

const reused = (): Problem =>
  new Problem('refresh_token_reused', {
    detail: 'A refresh token works once. Since this one was used twice, its session has been ended. Sign in again.',
  });
