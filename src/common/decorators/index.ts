export * from './api-problems.js';
export * from './limited-by.js';
export * from './route-traits.js';
import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { must } from '../assert.js';
import type { Access, Caller, TokenScope } from '../access.js';
import { requestMeta, type AppRequest } from '../http.js';
import { PERMISSIONS, SCOPES, type Permission } from '../permissions.js';

export const PUBLIC = 'access:public';
export const SIGNED_IN = 'access:signed-in';
export const PERMISSION = 'access:permission';
export const TOKEN_SCOPE = 'access:token-scope';
export const IGNORES_IDEMPOTENCY_KEY = 'idempotency:ignored';
export const CLAIMS_IDEMPOTENCY_KEY = 'idempotency:claimed';

/** Member of an operation in the OpenAPI document: who may call it (`public`, `signed-in` or the least role). */
export const X_ACCESS = 'x-access';
/** Member of an operation in the OpenAPI document: the permission that it needs. */
export const X_PERMISSION = 'x-permission';
/** Member of an operation in the OpenAPI document: the weakest scope of a personal token that opens it; absent where none does. */
export const X_TOKEN_SCOPE = 'x-token-scope';
/** Member of an operation in the OpenAPI document: it shows members whom rules of a table concern what they may see, and is not closed to them. */
export const X_HONOURS_RULES = 'x-honours-rules';
/** Member of an operation in the OpenAPI document: it takes `?as=<memberId>`. */
export const X_VIEWED_AS = 'x-viewed-as';

/** No token needed. Every route carries exactly one of {@link Public}, {@link SignedIn}, {@link Requires}; a route without any is refused. */
export const Public = () => applyDecorators(SetMetadata(PUBLIC, true), ApiExtension(X_ACCESS, 'public'));

/**
 * Any signed-in person; the route concerns no workspace. Personal tokens are refused, unless `tokens` says from which scope on they are
 * taken: what belongs to the account and its sessions is nothing for programs.
 */
export const SignedIn = ({ tokens }: { readonly tokens?: TokenScope } = {}) =>
  applyDecorators(
    SetMetadata(SIGNED_IN, true),
    ApiExtension(X_ACCESS, 'signed-in'),
    ...(tokens === undefined ? [] : [SetMetadata(TOKEN_SCOPE, tokens), ApiExtension(X_TOKEN_SCOPE, tokens)]),
  );

/** This permission in the workspace that the route's id parameter leads to. */
export const Requires = (permission: Permission) =>
  applyDecorators(
    SetMetadata(PERMISSION, permission),
    ApiExtension(X_ACCESS, PERMISSIONS[permission]),
    ApiExtension(X_PERMISSION, permission),
    ApiExtension(X_TOKEN_SCOPE, SCOPES[permission]),
  );

/**
 * No transaction of the main database is held open around the handler for the key: for writes of rows, which are in another database, and for handlers
 * that look after the key themselves.
 */
export const IgnoresIdempotencyKey = () => SetMetadata(IGNORES_IDEMPOTENCY_KEY, true);

/**
 * The key is claimed before the handler and answered under afterwards, each in a short transaction of its own: for handlers that wait for
 * somebody else, who may take as long as he likes. What they write in the main database is not undone when they fail.
 */
export const ClaimsIdempotencyKey = () => SetMetadata(CLAIMS_IDEMPOTENCY_KEY, true);

const requestOf = (context: ExecutionContext): AppRequest => context.switchToHttp().getRequest<AppRequest>();

/** The {@link Access} that the access guard granted. */
export const CurrentAccess = createParamDecorator((_: unknown, context: ExecutionContext): Access =>
  must(requestOf(context).access, 'the access guard ran before the handler'),
);

/** The signed-in {@link Caller} of a route outside any workspace. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = requestOf(context);
  return { principal: must(request.principal, 'the auth guard ran before the handler'), request: requestMeta(request) };
});

/** Facts of the request, for public routes. */
export const CurrentRequest = createParamDecorator((_: unknown, context: ExecutionContext) =>
  requestMeta(requestOf(context)),
);
