import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard as PassportGuard, type AuthGuardAuthenticateOptions } from '@nestjs/passport';
import { Problem, PUBLIC, ROLE, SIGNED_IN, type AppRequest } from '../../common/index.js';
import { bearerToken, JwtStrategy } from './tokens/jwt.strategy.js';
import { notSignedIn, tokenExpired, tokenInvalid } from './tokens/problems.js';
import { TokenService } from './tokens/token.service.js';

/**
 * The first global guard: no route without a signed-in person, unless it says `@Public()`; sets `request.principal`.
 * A token that is new to this node goes through passport; afterwards it is answered for from memory.
 */
@Injectable()
export class AuthGuard extends PassportGuard() {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenService,
    strategy: JwtStrategy,
  ) {
    super({ defaultStrategy: strategy.name });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const marked = (key: string): unknown =>
      this.reflector.getAllAndOverride(key, [context.getHandler(), context.getClass()]);
    if (marked(PUBLIC) === true) return true;
    if (marked(SIGNED_IN) !== true && marked(ROLE) === undefined) {
      throw new Problem('forbidden', { detail: 'This route does not say who may call it, so nobody may.' });
    }
    const request = context.switchToHttp().getRequest<AppRequest>();
    const token = bearerToken(request);
    if (token === null) throw notSignedIn();
    if (!this.tokens.isKnown(token)) return (await super.canActivate(context)) as boolean;
    request.principal = await this.tokens.verify(token);
    return true;
  }

  override getAuthenticateOptions(): AuthGuardAuthenticateOptions {
    return { session: false, property: 'principal' };
  }

  override handleRequest<T>(error: unknown, principal: T | false | null, reason: unknown): T {
    if (error) throw error instanceof Error ? error : tokenInvalid(error);
    if (principal) return principal;
    throw reason instanceof Error && reason.name === 'TokenExpiredError' ? tokenExpired() : tokenInvalid(reason);
  }
}
