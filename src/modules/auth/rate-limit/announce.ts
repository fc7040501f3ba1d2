import { Problem, type HeaderSink } from '../../../common/index.js';
import type { Hit } from './rate-limit.storage.js';

/** A limit as the headers tell it. */
export interface Announced {
  readonly name: string;
  readonly limit: number;
  readonly policy: string;
}

/** As the policy header tells it; `ttl` is milliseconds. */
export const policyOf = (name: string, limit: number, ttl: number): string => `"${name}";q=${limit};w=${ttl / 1000}`;

/**
 * Tells how much is left of a limit (draft-ietf-httpapi-ratelimit-headers).
 * @throws Problem `rate_limited` when nothing is
 */
export function announce(reply: HeaderSink, { name, limit, policy }: Announced, hit: Hit): void {
  append(reply, 'ratelimit-policy', policy);
  append(reply, 'ratelimit', `"${name}";r=${Math.max(0, limit - hit.totalHits)};t=${hit.timeToExpire}`);
  if (hit.isBlocked) throw tooMany(hit.timeToBlockExpire);
}

/** Both headers are lists (RFC 9651, section 3.1): a route may count towards several limits. */
function append(reply: HeaderSink, header: string, item: string): void {
  const before = reply.getHeader(header);
  reply.header(header, typeof before === 'string' ? `${before}, ${item}` : item);
}

const tooMany = (seconds: number): Problem =>
  new Problem('rate_limited', {
    detail: `Too many requests. Try again in ${seconds} seconds.`,
    headers: { 'Retry-After': String(seconds) },
  });
