import type { OpenAPIObject } from '@nestjs/swagger';
import { ERRORS, Problem, X_ACCESS, X_PROBLEMS, type ErrorCode } from '../common/index.js';
import { EXAMPLE_ID, operationsOf, type Operation, type Response } from './operations.js';

/** The bearer scheme's name in the document. */
export const BEARER = 'bearer';

/**
 * Writes into every operation what its decorators imply: the lock of routes that need a token, and all error responses, one
 * per status with one example per code. It is derived here so that no controller can forget it.
 */
export function describeProblems(document: OpenAPIObject): void {
  for (const { path, operation } of operationsOf(document)) describe(operation, path);
}

function describe(operation: Operation, path: string): void {
  const access = extension(operation, X_ACCESS);
  if (access === 'public') delete operation.security;
  else operation.security = [{ [BEARER]: [] }];
  const codes = new Set([...impliedBy(operation, path, access), ...own(operation)]);
  for (const [status, sameStatus] of byStatus(codes)) operation.responses[status] = problemResponse(sameStatus, path);
}

function impliedBy(operation: Operation, path: string, access: unknown): ErrorCode[] {
  const inWorkspace = access !== 'public' && access !== 'signed-in';
  return [
    ...(access === 'public' ? [] : (['unauthenticated', 'token_expired'] as const)),
    ...(inWorkspace && access !== 'viewer' ? (['role_too_low'] as const) : []),
    ...(access !== 'public' && path.includes('{') ? (['not_found'] as const) : []),
    ...(operation.requestBody ? (['malformed_json', 'payload_too_large', 'unsupported_media_type'] as const) : []),
    // Also where nothing is taken: an unknown query parameter is refused.
    'validation_failed',
    ...(path.includes('/health') ? [] : (['rate_limited', 'database_unavailable'] as const)),
    'internal_error',
  ];
}

const extension = (operation: Operation, name: string): unknown =>
  (operation as unknown as Record<string, unknown>)[name];
const own = (operation: Operation): ErrorCode[] => (extension(operation, X_PROBLEMS) ?? []) as ErrorCode[];

function byStatus(codes: ReadonlySet<ErrorCode>): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

function problemResponse(codes: readonly ErrorCode[], path: string): Response {
  return {
    description: codes.map((code) => `${ERRORS[code].title} (\`${code}\`)`).join('; '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/ProblemDto' },
        examples: Object.fromEntries(
          codes.map((code) => [code, { summary: ERRORS[code].title, value: example(code, path) }]),
        ),
      },
    },
  };
}

function example(code: ErrorCode, path: string): object {
  const errors =
    code === 'validation_failed'
      ? [{ pointer: '/name', code: 'is_not_empty', detail: 'name should not be empty' }]
      : undefined;
  const where = { instance: path.replaceAll(/\{\w+\}/g, EXAMPLE_ID), requestId: EXAMPLE_ID };
  return new Problem(code, { errors, detail: errors?.[0]?.detail }).body(where);
}
