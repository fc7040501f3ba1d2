import { Problem } from '../../../common/index.js';

// RFC 6750, section 3: a 401 of a bearer-protected resource says so.
const HEADERS = { 'WWW-Authenticate': 'Bearer' };
const INVALID = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };

export const notSignedIn = (): Problem =>
  new Problem('unauthenticated', { detail: 'Send an access token: Authorization: Bearer <token>.', headers: HEADERS });

export const tokenInvalid = (cause?: unknown): Problem =>
  new Problem('unauthenticated', { detail: 'The access token is not valid.', headers: INVALID, cause });

export const tokenExpired = (): Problem =>
  new Problem('token_expired', { detail: 'Use the refresh token to get a new access token.', headers: INVALID });

export const personalTokenEnded = (): Problem =>
  new Problem('unauthenticated', {
    detail: 'This personal token is not valid: it was revoked, has expired, or never was.',
    headers: INVALID,
  });

export const sessionEnded = (): Problem =>
  new Problem('unauthenticated', { detail: 'This session has ended. Sign in again.', headers: INVALID });
