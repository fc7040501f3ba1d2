import { Problem } from './errors/index.js';

/** `If-Match` with one strong entity tag (RFC 9110 section 13.1.1), or `*`. @throws Problem `bad_request` when it is neither */
export function expectedVersion(ifMatch: string | undefined): { readonly expectedVersion?: number } {
  if (ifMatch === undefined || ifMatch.trim() === '*') return {};
  const version = /^\s*"(0|[1-9]\d{0,8})"\s*$/.exec(ifMatch)?.[1];
  if (version === undefined)
    throw new Problem('bad_request', { detail: 'If-Match is the ETag that was answered, such as "7", or *.' });
  return { expectedVersion: Number(version) };
}
