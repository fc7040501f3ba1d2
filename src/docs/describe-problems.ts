import type { OpenAPIObject } from '@nestjs/swagger';
import { ERRORS, Problem, X_ACCESS, X_PROBLEMS, type ErrorCode } from '../common/index.js';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Response = Exclude<Operation['responses'][string], { $ref: string } | undefined>;

const METHODS = ['get', 'post', 'patch', 'put', 'delete'] as const;

/** The bearer scheme's name in the document. */
export const BEARER = 'bearer';

/**
 * Writes into every operation what its decorators imply: the lock of routes that need a token, and all error responses, one
 * per status with one example per code. It is derived here so that no controller can forget it.
 */
export function describeProblems(document: OpenAPIObject): OpenAPIObject {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) describe(operation, path);
    }
  }
  return document;
}

function describe(operation: Operation, path: string): void {
  const access = extension(operation, X_ACCESS);
  if (access === 'public') delete operation.security;
  else operation.security = [{ [BEARER]: [] }];
  const codes = new Set([...impliedBy(operation, path, access), ...own(operation)]);
  for (const [status, sameStatus] of byStatus(codes)) operation.responses[status] = problemResponse(sameStatus, path);
}

function impliedBy(operation: Operation, path: string, access: unknown): ErrorCode[] {
  const takesInput = operation.requestBody !== undefined || operation.parameters?.some(isQuery) === true;
  const inWorkspace = access !== 'public' && access !== 'signed-in';
  return [
    ...(access === 'public' ? [] : (['unauthenticated', 'token_expired'] as const)),
    ...(inWorkspace && access !== 'viewer' ? (['role_too_low'] as const) : []),
    ...(access !== 'public' && path.includes('{') ? (['not_found'] as const) : []),
    ...(operation.requestBody ? (['malformed_json', 'payload_too_large', 'unsupported_media_type'] as const) : []),
    ...(takesInput ? (['validation_failed'] as const) : []),
    ...(path.includes('/health') ? [] : (['rate_limited', 'database_unavailable'] as const)),
    'internal_error',
  ];
}

const isQuery = (parameter: object): boolean => 'in' in parameter && parameter.in === 'query';
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

const EXAMPLE_ID = '01980a3e-7c1b-7d2e-9f00-5a4b3c2d1e0f';
