import { Emitter } from './emitter.js';
import { send, type Fetch } from './http.js';
import type { Schemas } from './openapi.js';
import { ApiError, SignedOutError } from './problem.js';

export type User = Schemas['UserDto'];

/** What has to be kept to go on later; the refresh token is as secret as a password. */
export interface SessionTokens {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the access token ends, milliseconds since 1970 by this machine's clock. */
  readonly expiresAt: number;
}

export interface SessionEvents {
  /** Signed in, renewed (keep it, the refresh token before is spent), or signed out. */
  change: SessionTokens | undefined;
}

/** A token with less than this part of its life left, or this many ms, is renewed before it is used. */
const MARGIN = { part: 0.25, ms: 30_000 };

/**
 * Who is signed in. Renews the access token before it ends. A refresh token works once, and its second use ends the session, so there is
 * never more than one renewal at a time, however many wait for it.
 */
export class Session extends Emitter<SessionEvents> {
  private tokens: SessionTokens | undefined;
  private life = 0;
  private renewal: Promise<string> | undefined;

  constructor(
    private readonly fetch: Fetch,
    private readonly baseUrl: string,
  ) {
    super();
  }

  get user(): User | undefined {
    return this.tokens?.user;
  }

  get current(): SessionTokens | undefined {
    return this.tokens;
  }

  async register(body: Schemas['RegisterDto']): Promise<User> {
    return this.begin(
      (await send(this.fetch, this.baseUrl, 'POST /auth/register', { body })) as Schemas['SignedInDto'],
    );
  }

  async login(body: Schemas['LoginDto']): Promise<User> {
    return this.begin((await send(this.fetch, this.baseUrl, 'POST /auth/login', { body })) as Schemas['SignedInDto']);
  }

  /** Goes on with a session that was kept; nothing is asked of the server. */
  resume(tokens: SessionTokens): void {
    this.life = tokens.expiresAt - Date.now();
    this.set(tokens);
  }

  /** Ends the session on the server, if that can be reached, and here in any case. */
  async logout(): Promise<void> {
    if (!this.tokens) return;
    try {
      const headers = { authorization: `Bearer ${await this.token()}` };
      await send(this.fetch, this.baseUrl, 'POST /auth/logout', { body: {}, headers });
    } catch (error) {
      // It is over already.
      if (!(error instanceof SignedOutError) && !(error instanceof ApiError && error.status === 401)) throw error;
    } finally {
      this.set(undefined);
    }
  }

  /** An access token that is good for a while yet. Throws {@link SignedOutError} where nobody is signed in. */
  async token(): Promise<string> {
    if (!this.tokens) throw new SignedOutError();
    return this.renewsIn() > 0 ? this.tokens.accessToken : this.renew();
  }

  /** Milliseconds until the token should be renewed; negative where it is time. */
  renewsIn(): number {
    if (!this.tokens) return 0;
    return this.tokens.expiresAt - Math.min(MARGIN.ms, this.life * MARGIN.part) - Date.now();
  }

  /** A fresh access token in place of `spent`; at once where somebody else has renewed it meanwhile. */
  renew(spent = this.tokens?.accessToken): Promise<string> {
    if (this.tokens && this.tokens.accessToken !== spent) return Promise.resolve(this.tokens.accessToken);
    this.renewal ??= this.exchange().finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  private async exchange(): Promise<string> {
    const before = this.tokens;
    if (!before) throw new SignedOutError();
    const body = { refreshToken: before.refreshToken };
    try {
      const answer = await send(this.fetch, this.baseUrl, 'POST /auth/refresh', { body });
      // Signed out, or in as somebody else, while this was on its way.
      if (this.tokens !== before) return await this.token();
      this.begin(answer as Schemas['SignedInDto']);
      return (answer as Schemas['SignedInDto']).accessToken;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (this.tokens === before) this.set(undefined);
      throw new SignedOutError(`The session has ended: ${error.message}`);
    }
  }

  private begin({ user, accessToken, refreshToken, expiresIn }: Schemas['SignedInDto']): User {
    this.life = expiresIn * 1000;
    this.set({ user, accessToken, refreshToken, expiresAt: Date.now() + this.life });
    return user;
  }

  private set(tokens: SessionTokens | undefined): void {
    this.tokens = tokens;
    this.emit('change', tokens);
  }
}
