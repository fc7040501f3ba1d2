import { isError, Problem } from '../errors/index.js';

/** Errors of the network that mean: the database cannot be reached. */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
]);

/**
 * SQLSTATE classes and codes (PostgreSQL manual, appendix A) that mean: not now, whatever the statement was. 25006: what answers is a replica, or is not
 * promoted yet; our own read-only transactions write nothing.
 */
const UNAVAILABLE = /^(08...|25006|53[0-4]00|57P0[1-5]|58030)$/;

/** The same for: try again, somebody else was in the way or the statement took too long. */
const AGAIN = /^(40001|40P01|55P03|57014|25P03)$/;

/** pg and TypeORM say these without a code: the first where a pool connects, the second where a client of its own does. */
const MESSAGES = [
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Connection terminated',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
  'Cannot use a pool after calling end on the pool',
  'Client was closed and is not queryable',
];
// The last one: TypeORM's way to say that the connection of a transaction broke between two statements.
const NAMES = new Set(['CannotExecuteNotConnectedError', 'QueryRunnerAlreadyReleasedError']);

const RETRY_AFTER = { 'retry-after': '1' };

/** 503 when the error is a failure of our own database rather than of the request, else undefined. */
export function databaseProblem(error: unknown): Problem | undefined {
  const kind = kindOf(error, 0);
  if (kind === undefined) return undefined;
  const code = kind === 'unavailable' ? 'database_unavailable' : 'overloaded';
  return new Problem(code, { headers: RETRY_AFTER, cause: error });
}

function kindOf(error: unknown, depth: number): 'unavailable' | 'again' | undefined {
  if (!isError(error) || depth > 5) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (NETWORK.has(code) || UNAVAILABLE.test(code) || NAMES.has(error.name)) return 'unavailable';
  if (AGAIN.test(code)) return 'again';
  if (MESSAGES.some((message) => error.message.startsWith(message))) return 'unavailable';
  return kindOf(innerOf(error), depth + 1);
}

/** "localhost" that refuses on IPv4 and on IPv6 arrives as an AggregateError; TypeORM wraps the driver's error. */
function innerOf(error: Error): unknown {
  if ('errors' in error && Array.isArray(error.errors)) return error.errors[0];
  return 'driverError' in error ? error.driverError : error.cause;
}
