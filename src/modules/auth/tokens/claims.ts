import { isId, type Id } from '../../../common/index.js';

/** What we put into an access token; names and roles are looked up, so that they are never out of date. */
export interface AccessClaims {
  readonly type: 'access';
  /** The person. */
  readonly sub: Id;
  /** The session. */
  readonly sid: Id;
  /** Seconds since the epoch. */
  readonly exp: number;
}

/** The claims of a token whose signature is right, or undefined when it is not an access token of ours. */
export function accessClaims(payload: unknown): AccessClaims | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { type, sub, sid, exp }: { type?: unknown; sub?: unknown; sid?: unknown; exp?: unknown } = payload;
  if (type !== 'access' || !isId(sub) || !isId(sid) || typeof exp !== 'number') return undefined;
  return { type, sub, sid, exp };
}
