import { hashSecretToken, type AppRequest } from '../../../common/index.js';
import type { Publication, PublicKey } from './publication.js';

/** Longer than any key of ours. */
const MAX_KEY = 200;

/** The key that a request brings, if it opens the publication now and from there. */
export function keyOf({ keys }: Publication, request: AppRequest): PublicKey | undefined {
  const given = keyIn(request);
  if (given === undefined || given.length > MAX_KEY) return undefined;
  const key = keys.get(hashSecretToken(given).toString('base64url'));
  return key && key.expiresAt > Date.now() && key.isAllowedFrom(request.ip) ? key : undefined;
}

function keyIn({ headers }: AppRequest): string | undefined {
  const own = headers['x-api-key'];
  if (own !== undefined) return typeof own === 'string' ? own : undefined;
  return /^Bearer +(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
}
