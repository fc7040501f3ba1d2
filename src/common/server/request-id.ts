import type { IncomingMessage } from 'node:http';
import { newId } from '../ids.js';

const PRINTABLE = /^[\x20-\x7e]{1,128}$/;

/** The caller's `X-Request-Id` when it is printable ASCII of at most 128 characters, else a new UUIDv7. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && PRINTABLE.test(given) ? given : newId();
}
