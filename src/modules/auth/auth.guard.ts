import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard as PassportGuard, type AuthGuardAuthenticateOptions } from '@nestjs/passport';
import {
  must,
  PERMISSION,
  Problem,
  PUBLIC,
  requireScope,
  SIGNED_IN,
  TOKEN_SCOPE,
  type AppRequest,
  type Principal,
  type TokenScope,
} from '../../common/index.js';
import { bearerToken, JwtStrategy } from './tokens/jwt.strategy.js';
import { notSignedIn, tokenExpired, tokenInvalid } from './tokens/problems.js';
import { TokenService } from './tokens/token.service.js';

/**
 * The first global guard: no route without a signed-in person, unless it says `@Public()`; sets `request.principal`.
 * A token that is new to this node goes through passport; afterwards it is answered for from memory.
 */
@Injectable()
export class AuthGuard extends PassportGuard() {
  /** Metadata is read once. By controller and handler, since a handler may be inherited by a controller with another mark. */
  private readonly publicRoutes = new WeakMap<object, Map<object, boolean>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenService,
    strategy: JwtStrategy,
  ) {
    super({ defaultStrategy: strategy.name });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.needsNobody(context)) return true;
    const request = context.switchToHttp().getRequest<AppRequest>();
    const token = bearerToken(request);
    if (token === null) throw notSignedIn();
    request.stillAllowed = () => this.tokens.stillSignedIn(token, must(request.principal, 'somebody was let in'));
    if (!this.tokens.isKnown(token)) return (await super.canActivate(context)) as boolean;
    request.principal = await this.tokens.verify(token);
    this.mustBeForTokens(context, request.principal);
    return true;
  }

  /** Routes in workspaces are judged by the access guard. @throws Problem `session_needed`, `token_scope_too_low` */
  private mustBeForTokens(context: ExecutionContext, { token }: Principal): void {
    if (!token) return;
    const marks = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride(PERMISSION, marks) !== undefined) return;
    const scope = this.reflector.getAllAndOverride<TokenScope | undefined>(TOKEN_SCOPE, marks);
    if (scope === undefined) throw new Problem('session_needed');
    requireScope(token, scope);
  }

  override getAuthenticateOptions(): AuthGuardAuthenticateOptions {
    return { session: false, property: 'principal' };
  }

  override handleRequest<T>(error: unknown, principal: T | false | null, reason: unknown): T {
    if (error) throw error instanceof Error ? error : tokenInvalid(error);
    if (principal) return principal;
    throw reason instanceof Error && reason.name === 'TokenExpiredError' ? tokenExpired() : tokenInvalid(reason);
  }

  /** Whether the route is public. Throws for a route that does not say who may call it. */
  private needsNobody(context: ExecutionContext): boolean {
    const controller = context.getClass();
    const handler = context.getHandler();
    const known = this.publicRoutes.get(controller) ?? new Map<object, boolean>();
    const before = known.get(handler);
    if (before !== undefined) return before;
    const marked = (key: string): unknown => this.reflector.getAllAndOverride(key, [handler, controller]);
    const isPublic = marked(PUBLIC) === true;
    if (!isPublic && marked(SIGNED_IN) !== true && marked(PERMISSION) === undefined) {
      throw new Problem('forbidden', { detail: 'This route does not say who may call it, so nobody may.' });
    }
    this.publicRoutes.set(controller, known.set(handler, isPublic));
    return isPublic;
  }
}
