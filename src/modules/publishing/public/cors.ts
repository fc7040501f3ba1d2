import type { AppReply, AppRequest } from '../../../common/index.js';
import type { Publication } from './publication.js';

const EXPOSED = 'ETag, Link, Age, Deprecation, Sunset, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id';

/** Lets the pages read that the publication names (Fetch standard, section 3.2); never with cookies, of which there are none. */
export function allowOrigin({ corsOrigins }: Publication, request: AppRequest, reply: AppReply): void {
  const anybody = corsOrigins.includes('*');
  if (!anybody && corsOrigins.length > 0) vary(reply, 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !(anybody || corsOrigins.includes(origin))) return;
  void reply
    .header('access-control-allow-origin', anybody ? '*' : origin)
    .header('access-control-expose-headers', EXPOSED);
}

/** What a browser asks before it lets a page send a key. */
export function answerPreflight(reply: AppReply): void {
  if (reply.getHeader('access-control-allow-origin') === undefined) return;
  void reply
    .header('access-control-allow-methods', 'GET, HEAD')
    .header('access-control-allow-headers', 'Accept, Authorization, If-None-Match, Last-Event-ID, X-API-Key')
    .header('access-control-max-age', '600');
}

/** Answers differ by these headers of requests: a cache between here and the reader has to know. */
export function vary(reply: AppReply, ...names: readonly string[]): void {
  const before = reply.getHeader('vary');
  if (before === undefined) {
    void reply.header('vary', names.join(', '));
    return;
  }
  const known = typeof before === 'string' ? before.split(/,\s*/) : [];
  const all = new Map([...known, ...names].map((name) => [name.toLowerCase(), name]));
  void reply.header('vary', [...all.values()].join(', '));
}
