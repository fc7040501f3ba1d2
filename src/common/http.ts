import type { Context as TraceContext } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access, Principal, RequestMeta } from './access.js';
import type { Problem } from './errors/index.js';
import type { QueryFacts } from './query-facts.js';

/** Where the API lives; what is not a page or a socket is below it. */
export const API_PREFIX = 'api/v1';

/** The request as the guards leave it. */
export interface AppRequest extends FastifyRequest {
  principal?: Principal;
  access?: Access;
  /** Looks again whether the guards would let it in, for answers that take long, and sets {@link access} anew; rejects with what they would say now. */
  stillAllowed?: () => Promise<void>;
  /** Why the body could not be read. Kept until the guards have spoken, so that a stranger hears 401 and not 400. */
  bodyProblem?: Problem;
  /** Milliseconds that the database took, for `Server-Timing`. */
  databaseMs?: number;
  /** What it was asked to do, for the log of slow queries. */
  queryFacts?: () => QueryFacts;
  /** Its span, where it is traced. */
  trace?: TraceContext;
}
export type AppReply = FastifyReply;

/** A request that was answered, and the answer, as they are told of: whoever made it. */
export type AskedRequest = Pick<AppRequest, 'id' | 'method' | 'url' | 'routeOptions'> &
  Partial<Pick<AppRequest, 'principal' | 'access' | 'databaseMs' | 'queryFacts'>>;
export type GivenReply = Pick<AppReply, 'statusCode' | 'elapsedTime'>;

/** What takes headers of an answer: a reply, or whoever wants to know some of them. */
export interface HeaderSink {
  getHeader(name: string): number | string | string[] | undefined;
  header(name: string, value: string): unknown;
}

/** The edge's facts of a request. `X-Client-Id` counts only when it is short and printable. */
export function requestMeta(request: FastifyRequest): RequestMeta {
  const clientId = request.headers['x-client-id'];
  return {
    requestId: request.id,
    ip: request.ip,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, 255),
    ...(typeof clientId === 'string' && /^[\x21-\x7e]{1,64}$/.test(clientId) ? { clientId } : {}),
  };
}
