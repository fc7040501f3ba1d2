import type { OpenAPIObject } from '@nestjs/swagger';
import {
  ERRORS,
  notFound,
  PERMISSIONS,
  Problem,
  roleTooLow,
  TOKEN_SCOPES,
  X_ACCESS,
  X_HONOURS_RULES,
  X_PROBLEMS,
  X_TOKEN_SCOPE,
  X_VIEWED_AS,
  type ErrorCode,
} from '../common/index.js';
import { permissionOf, tooWeakFor } from './describe-access.js';
import {
  EXAMPLE_ID,
  extensionOf,
  isLimited,
  operationsOf,
  takesIdempotencyKey,
  type Operation,
  type Placed,
  type Response,
} from './operations.js';

/** The bearer scheme's name in the document. */
export const BEARER = 'bearer';
/** That of personal tokens. */
export const PERSONAL_TOKEN = 'personalToken';

/**
 * Writes into every operation what its decorators imply: the lock of routes that need a token, and all error responses, one
 * per status with one example per code. It is derived here so that no controller can forget it.
 */
export function describeProblems(document: OpenAPIObject): void {
  for (const placed of operationsOf(document)) describe(placed);
  // RFC 9457, 3.2: some problems have members of their own, and clients must ignore those that they do not know.
  for (const name of ['ProblemDto', 'ProblemItemDto'])
    Object.assign(document.components?.schemas?.[name] ?? {}, { additionalProperties: true });
}

function describe(placed: Placed): void {
  const { operation } = placed;
  const access = extensionOf(operation, X_ACCESS);
  if (access === 'public') delete operation.security;
  else
    operation.security = [
      { [BEARER]: [] },
      ...(extensionOf(operation, X_TOKEN_SCOPE) === undefined ? [] : [{ [PERSONAL_TOKEN]: [] }]),
    ];
  const codes = new Set([...impliedBy(placed, access), ...own(operation)]);
  for (const [status, sameStatus] of byStatus(codes)) operation.responses[status] = problemResponse(sameStatus, placed);
}

function impliedBy({ method, path, operation }: Placed, access: unknown): ErrorCode[] {
  const inWorkspace = access !== 'public' && access !== 'signed-in';
  return [
    ...(access === 'public' ? [] : (['unauthenticated', 'token_expired'] as const)),
    ...(inWorkspace && access !== 'viewer' ? (['role_too_low'] as const) : []),
    ...(access === 'public' ? [] : refusalOfTokens(operation)),
    ...(extensionOf(operation, X_VIEWED_AS) === true ? (['role_too_low'] as const) : []),
    ...(isClosedByRules(path, operation) ? (['ruled_out'] as const) : []),
    ...(access !== 'public' && path.includes('{') ? (['not_found'] as const) : []),
    ...(takesIdempotencyKey(method, path) ? (['idempotency_mismatch', 'idempotency_in_progress'] as const) : []),
    // Also where no body is taken: one that is sent is read.
    ...(['post', 'patch', 'put'].includes(method) || operation.requestBody
      ? (['malformed_json', 'payload_too_large', 'unsupported_media_type'] as const)
      : []),
    // Also where nothing is taken: an unknown query parameter is refused.
    'validation_failed',
    ...(isLimited(path) ? (['rate_limited', 'database_unavailable'] as const) : []),
    'internal_error',
  ];
}

/** Which refusal personal tokens may meet: of every scope, of the weaker ones, or none. */
function refusalOfTokens(operation: Operation): ErrorCode[] {
  const scope = extensionOf(operation, X_TOKEN_SCOPE);
  if (scope === undefined) return ['session_needed'];
  return scope === TOKEN_SCOPES[0] ? [] : ['token_scope_too_low'];
}

/** Owners and admins are never kept from anything by rules. */
const isClosedByRules = (path: string, operation: Operation): boolean =>
  /\{(table|base)Id\}/.test(path) &&
  ['viewer', 'editor'].includes(String(extensionOf(operation, X_ACCESS))) &&
  extensionOf(operation, X_HONOURS_RULES) !== true;

const own = (operation: Operation): ErrorCode[] => (extensionOf(operation, X_PROBLEMS) ?? []) as ErrorCode[];

function byStatus(codes: ReadonlySet<ErrorCode>): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

function problemResponse(codes: readonly ErrorCode[], placed: Placed): Response {
  return {
    description: codes.map((code) => `${ERRORS[code].title} (\`${code}\`)`).join('; '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/ProblemDto' },
        examples: Object.fromEntries(
          codes.map((code) => [code, { summary: ERRORS[code].title, value: example(code, placed) }]),
        ),
      },
    },
  };
}

function example(code: ErrorCode, { path, operation }: Placed): object {
  const errors =
    code === 'validation_failed'
      ? [{ pointer: '/name', code: 'is_not_empty', detail: 'name should not be empty' }]
      : undefined;
  const where = { instance: path.replaceAll(/\{\w+\}/g, EXAMPLE_ID), requestId: EXAMPLE_ID };
  return new Problem(code, { errors, detail: errors?.[0]?.detail ?? refusalOf(code, path, operation) }).body(where);
}

/** What somebody hears who may not, in the words of the access guard; undefined for everything else. */
function refusalOf(code: ErrorCode, path: string, operation: Operation): string | undefined {
  const permission = permissionOf(operation);
  if (permission === undefined) return undefined;
  if (code === 'not_found')
    return notFound(
      /\{(\w+?)Id\}/
        .exec(path)?.[1]
        ?.replace(/^trashed/, '')
        .toLowerCase() ?? 'It',
    ).detail;
  const role = tooWeakFor(permission);
  return code === 'role_too_low' && role ? roleTooLow(PERMISSIONS[permission], role).detail : undefined;
}
