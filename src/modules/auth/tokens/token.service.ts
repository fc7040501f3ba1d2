import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { LRUCache } from 'lru-cache';
import { newId, type Id, type Principal } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { PersonalTokenStates } from '../personal-tokens/personal-token-states.js';
import { isPersonalToken } from '../personal-tokens/token-text.js';
import { SessionStates } from '../sessions/session-states.js';
import { accessClaims, type AccessClaims } from './claims.js';
import { sessionEnded, tokenExpired, tokenInvalid } from './problems.js';

const MAX_KNOWN = 20_000;

/** Issues and checks access tokens, and checks personal ones. An access token that was checked once costs two look-ups in memory from then on. */
@Injectable()
export class TokenService {
  /** Tokens whose signature and content were found right. */
  private readonly known = new LRUCache<string, AccessClaims>({ max: MAX_KNOWN });

  constructor(
    private readonly jwt: JwtService,
    private readonly sessions: SessionStates,
    private readonly personal: PersonalTokenStates,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** A fresh access token for a session, and the seconds for which it holds. */
  issue(userId: Id, sessionId: Id): { readonly accessToken: string; readonly expiresIn: number } {
    const accessToken = this.jwt.sign({ type: 'access', sid: sessionId }, { subject: userId, jwtid: newId() });
    return { accessToken, expiresIn: this.config.jwt.accessSeconds };
  }

  /**
   * Who holds this token. Throws `unauthenticated` or `token_expired`: signature, issuer, audience, type and time
   * are checked, and that the session is alive (at most 3 s old knowledge).
   */
  async verify(accessToken: string): Promise<Principal> {
    if (isPersonalToken(accessToken)) return this.personal.principalOf(accessToken);
    return this.principalOf(this.known.get(accessToken) ?? this.admit(accessToken, this.checked(accessToken)));
  }

  /** Whether whoever came with the token is still signed in; that it has expired since ends no answer that is under way. @throws Problem `unauthenticated` */
  async stillSignedIn(accessToken: string, { userId, sessionId }: Principal): Promise<void> {
    if (isPersonalToken(accessToken)) await this.personal.principalOf(accessToken);
    else if ((await this.sessions.of(userId, sessionId)) === 'dead') throw sessionEnded();
  }

  /** Those of the sessions and personal tokens that are alive now, not from memory: by one query for each of the two kinds. */
  async aliveSessions(ids: readonly Id[]): Promise<ReadonlySet<Id>> {
    const sessions = await this.sessions.alive(ids);
    const others = ids.filter((id) => !sessions.has(id));
    return others.length === 0 ? sessions : new Set([...sessions, ...(await this.personal.alive(others))]);
  }

  /** Whether there is no signature to check: the token was checked before, or is a personal one, which has none. */
  isKnown(accessToken: string): boolean {
    return isPersonalToken(accessToken) || this.known.has(accessToken);
  }

  /** Takes the payload of a token whose signature, issuer, audience and time were checked. Throws `unauthenticated`. */
  admit(accessToken: string, payload: unknown): AccessClaims {
    const claims = accessClaims(payload);
    if (!claims) throw tokenInvalid();
    this.known.set(accessToken, claims);
    return claims;
  }

  private checked(accessToken: string): unknown {
    try {
      return this.jwt.verify<object>(accessToken);
    } catch (error) {
      throw error instanceof Error && error.name === 'TokenExpiredError' ? tokenExpired() : tokenInvalid(error);
    }
  }

  private async principalOf({ sub, sid, exp }: AccessClaims): Promise<Principal> {
    if (exp * 1000 <= Date.now()) throw tokenExpired();
    const state = await this.sessions.of(sub, sid);
    if (state === 'dead') throw sessionEnded();
    return { userId: sub, sessionId: sid, name: state.name, email: state.email, expiresAt: exp };
  }
}
