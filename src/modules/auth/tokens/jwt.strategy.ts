import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { newId, type AppRequest, type Principal } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { JWT_RULES } from './jwt-rules.js';
import { tokenInvalid } from './problems.js';
import { SigningKeys } from './signing-keys.js';
import { TokenService } from './token.service.js';

/** The token of an `Authorization: Bearer` header, or null. */
export const bearerToken = ExtractJwt.fromAuthHeaderAsBearerToken() as (
  request: Pick<AppRequest, 'headers'>,
) => string | null;

type SecretFound = (problem: unknown, secret?: Buffer) => void;

/** Checks a token that this node has not seen yet; the rules are those of {@link JWT_RULES}. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) implements OnModuleDestroy {
  constructor(
    private readonly tokens: TokenService,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    const keys = new SigningKeys(config);
    super({
      jwtFromRequest: bearerToken,
      secretOrKeyProvider: (_request: unknown, token: string, done: SecretFound) => {
        try {
          // Its typings know no KeyObject; it hands the key to jsonwebtoken, which does.
          done(null, keys.secretOf(token) as unknown as Buffer);
        } catch (problem) {
          done(problem);
        }
      },
      algorithms: [JWT_RULES.algorithm],
      issuer: JWT_RULES.issuer,
      audience: JWT_RULES.audience,
      passReqToCallback: true,
    });
    // Passport keeps one registry per process, by name: two applications in one process must not answer for each other.
    this.name = `jwt:${newId()}`;
    passport.use(this);
  }

  onModuleDestroy(): void {
    passport.unuse(this.name);
  }

  /** Called by passport after the signature, issuer, audience and time were found right. */
  validate(request: AppRequest, payload: unknown): Promise<Principal> {
    const token = bearerToken(request);
    if (token === null) throw tokenInvalid();
    this.tokens.admit(token, payload);
    return this.tokens.verify(token);
  }
}
