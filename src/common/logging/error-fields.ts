import { isError } from '../errors/index.js';

/** An error as a log line carries it. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields | string;
}

/**
 * Only these members, and no others: database errors also carry the statement, its parameters and the offending row, which
 * are people's data and password hashes.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields | string {
  if (!isError(error)) return typeof error === 'string' ? error : `thrown: ${typeof error}`;
  const inner: unknown = 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : error.cause;
  return {
    type: error.name,
    message: error.message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(inner === undefined || depth > 4 ? {} : { cause: errorFields(inner, depth + 1) }),
  };
}
