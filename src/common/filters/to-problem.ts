import { HttpException } from '@nestjs/common';
import { isError, Problem, type ErrorCode } from '../errors/index.js';
import { databaseProblem } from './database-failure.js';

/** Errors that Fastify raises itself, by their code. */
const FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_BAD_URL: 'bad_request',
  FST_ERR_MAX_PARAM_LENGTH: 'route_not_found',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
  FST_ERR_HANDLER_TIMEOUT: 'overloaded',
};

/** What a bare status means when nothing better is known. */
const STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'bad_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  408: 'request_timeout',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'validation_failed',
  429: 'rate_limited',
  431: 'headers_too_large',
  501: 'not_implemented',
  503: 'overloaded',
};

/**
 * Whatever was thrown, as a {@link Problem}. Only texts that we wrote ourselves reach the caller; the original is kept as
 * `cause`, for the log.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return (
    fastifyProblem(error) ??
    httpProblem(error) ??
    databaseProblem(error) ??
    new Problem('internal_error', { cause: error })
  );
}

function fastifyProblem(error: unknown): Problem | undefined {
  // Nest hands Fastify's client errors over wrapped in an HttpException.
  const original = error instanceof HttpException ? error.cause : error;
  const code = isError(original) && 'code' in original ? FASTIFY[String(original.code)] : undefined;
  return code === undefined ? undefined : new Problem(code, { cause: error });
}

function httpProblem(error: unknown): Problem | undefined {
  const status = error instanceof HttpException ? error.getStatus() : clientStatus(error);
  if (status === undefined) return undefined;
  const code = STATUS[status] ?? (status < 500 ? 'bad_request' : 'internal_error');
  return new Problem(code, { cause: error });
}

/** A 4xx that Fastify or Node put on a plain error, such as a body that was cut off. */
function clientStatus(error: unknown): number | undefined {
  if (!isError(error) || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
