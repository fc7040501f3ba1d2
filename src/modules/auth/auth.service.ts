import { Injectable } from '@nestjs/common';
import { newId, Problem, type Caller, type PageQuery, type RequestMeta } from '../../common/index.js';
import { AuditedTransaction, type Actor, type AuditEntry } from '../../database/main/index.js';
import { emailTaken, PasswordHasher, toUserDto, UsersService, type UserDto, type UserEntity } from '../users/index.js';
import type { SessionListDto, SignedInDto } from './dto/answers.dto.js';
import type { LoginDto, RegisterDto } from './dto/credentials.dto.js';
import { RefreshService } from './sessions/refresh.service.js';
import { sessionAudit, SessionsService, type OpenSession } from './sessions/sessions.service.js';
import { sessionEnded } from './tokens/problems.js';
import { TokenService } from './tokens/token.service.js';

/** Signing in and staying signed in. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionsService,
    private readonly refreshing: RefreshService,
    private readonly tokens: TokenService,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** A new account and its first session. Throws `email_taken`, `overloaded`; of several calls for one address exactly one succeeds. */
  async register({ email, password, name }: RegisterDto, request: RequestMeta): Promise<SignedInDto> {
    // Saves the work of the hash in the usual case; the unique constraint decides races.
    if (await this.users.isEmailTaken(email)) throw emailTaken();
    const passwordHash = await this.passwords.hash(password);
    const id = newId();
    const { user, session } = await this.transaction.run(actor({ id, name }, request), async (manager) => {
      const user = await this.users.create(manager, { id, email, name, passwordHash });
      const session = await this.sessions.open(manager, id, request);
      return { result: { user, session }, audit: [registered(user), sessionCreated(session, request)], events: [] };
    });
    return this.answer(user, session);
  }

  /**
   * A new session. Throws `invalid_credentials`: one answer, after about the same time, for whatever is wrong; `overloaded`
   * when too many sign in at this moment.
   */
  async login({ email, password }: LoginDto, request: RequestMeta): Promise<SignedInDto> {
    const user = await this.passwords.owner(() => this.users.findWithPassword({ email }), password);
    if (!user) throw invalidCredentials();
    const { id, passwordHash = '' } = user;
    const session = await this.transaction.run(actor(user, request), async (manager) => {
      // A change of the password ends all sessions: one that begins with the old password must not come after it.
      if (!(await this.users.holdPassword(manager, id, passwordHash))) throw invalidCredentials();
      const session = await this.sessions.open(manager, id, request);
      return { result: session, audit: [sessionCreated(session, request)], events: [] };
    });
    return this.answer(user, session);
  }

  /** The session continued with a new pair of tokens. Throws `refresh_token_invalid`, `refresh_token_reused`. */
  async refresh(refreshToken: string, request: RequestMeta): Promise<SignedInDto> {
    const { user, session } = await this.refreshing.rotate(refreshToken, request);
    return this.answer(user, session);
  }

  /** The caller's own account. */
  async me({ principal }: Caller): Promise<UserDto> {
    const user = await this.users.findActive(principal.userId);
    if (!user) throw sessionEnded();
    return toUserDto(user);
  }

  /** The caller's living sessions, newest first. */
  async listSessions(caller: Caller, query: PageQuery): Promise<SessionListDto> {
    const { data, page } = await this.sessions.list(caller, query);
    return {
      data: data.map(({ id, userAgent, ip, createdAt, lastSeenAt }) => ({
        id,
        userAgent,
        ip,
        createdAt: createdAt.toISOString(),
        lastSeenAt: lastSeenAt.toISOString(),
        current: id === caller.principal.sessionId,
      })),
      page,
    };
  }

  private answer(user: UserEntity, { sessionId, refreshToken }: OpenSession): SignedInDto {
    const { accessToken, expiresIn } = this.tokens.issue(user.id, sessionId);
    return { user: toUserDto(user), accessToken, refreshToken, tokenType: 'Bearer', expiresIn };
  }
}

const actor = ({ id, name }: Pick<UserEntity, 'id' | 'name'>, request: RequestMeta): Actor => ({
  id,
  name,
  via: 'session',
  request,
});

const registered = ({ id, email, name }: UserEntity): AuditEntry => ({
  workspaceId: null,
  action: 'user.registered',
  resource: { type: 'user', id, name },
  after: { email, name },
});

const sessionCreated = ({ sessionId }: OpenSession, { userAgent, ip }: RequestMeta): AuditEntry =>
  sessionAudit('session.created', { id: sessionId, userAgent }, { ip });

const invalidCredentials = (): Problem =>
  new Problem('invalid_credentials', { detail: 'E-mail address or password is wrong.' });
