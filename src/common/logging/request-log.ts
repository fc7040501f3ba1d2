import type { Logger } from 'pino';
import { traitsOf } from '../decorators/index.js';
import type { AskedRequest, GivenReply } from '../http.js';
import { safeUrl } from '../redact.js';

/** Slower than this is worth a line also where a line per request would be noise. */
const SLOW_MS = 1000;

/**
 * One line for each answered request. With `everything` false only what went wrong or was slow is told.
 * Nothing of headers or bodies is logged, and of URLs only what {@link requestPath} lets through.
 */
export function requestLog(logger: Logger, everything: boolean): (request: AskedRequest, reply: GivenReply) => void {
  return (request, reply) => {
    const status = reply.statusCode;
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    const isOrdinary = status < 400 && ms < SLOW_MS;
    if (isOrdinary && (!everything || traitsOf(request.routeOptions).quiet)) return;
    const level = status >= 500 ? 'error' : 'info';
    if (!logger.isLevelEnabled(level)) return;
    logger[level]({
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      url: requestPath(request),
      status,
      ms,
      userId: request.principal?.userId,
      workspaceId: request.access?.workspaceId,
    });
  };
}

/** The URL, unless a secret is part of its path: then the route's pattern stands for it. */
const requestPath = (request: AskedRequest): string => {
  const { url } = request.routeOptions;
  return url?.includes(':token') ? url : safeUrl(request.url);
};
