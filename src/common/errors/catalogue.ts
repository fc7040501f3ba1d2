/**
 * The one catalogue of errors: every `code` that this API can answer with, its status and its title.
 * Codes are never reused and never change their meaning (docs/ERROR_CODES.md is generated from this table).
 */
export const ERRORS = {
  // 400: the request could not be read
  malformed_json: { status: 400, title: 'Malformed JSON' },
  invalid_syntax: { status: 400, title: 'Syntax that cannot be read' },
  cursor_invalid: { status: 400, title: 'Cursor is not valid' },
  cursor_mismatch: { status: 400, title: 'Cursor belongs to another query' },
  bad_request: { status: 400, title: 'Bad request' },
  // 401
  unauthenticated: { status: 401, title: 'Not signed in' },
  token_expired: { status: 401, title: 'Access token has expired' },
  invalid_credentials: { status: 401, title: 'E-mail or password is wrong' },
  refresh_token_invalid: { status: 401, title: 'Refresh token is not valid' },
  refresh_token_reused: { status: 401, title: 'Refresh token was used before' },
  // 403, 404
  role_too_low: { status: 403, title: 'Your role does not allow this' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  route_not_found: { status: 404, title: 'No such route' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  // 408
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  // 409
  email_taken: { status: 409, title: 'E-mail address is taken' },
  name_taken: { status: 409, title: 'Name is taken' },
  already_member: { status: 409, title: 'Already a member' },
  last_owner: { status: 409, title: 'A workspace keeps at least one owner' },
  unique_violation: { status: 409, title: 'Value must be unique' },
  upsert_ambiguous: { status: 409, title: 'More than one row matches' },
  merge_conflict: { status: 409, title: 'Changed by somebody else' },
  conflict: { status: 409, title: 'Conflict' },
  idempotency_in_progress: { status: 409, title: 'The same request is still running' },
  // 410, 412, 413, 415
  changes_gone: { status: 410, title: 'Changes are no longer kept' },
  version_mismatch: { status: 412, title: 'The row has another version' },
  payload_too_large: { status: 413, title: 'Body is too large' },
  unsupported_media_type: { status: 415, title: 'Media type is not supported' },
  // 422: understood, but not acceptable
  validation_failed: { status: 422, title: 'Validation failed' },
  filter_invalid: { status: 422, title: 'Filter is not valid' },
  sort_invalid: { status: 422, title: 'Sort is not valid' },
  bulk_failed: { status: 422, title: 'Some operations failed, nothing was written' },
  limit_reached: { status: 422, title: 'A limit is reached' },
  idempotency_mismatch: { status: 422, title: 'Idempotency key was used with another body' },
  // 423, 428, 429
  schema_busy: { status: 423, title: 'The structure is being changed' },
  rate_limited: { status: 429, title: 'Too many requests' },
  // 431
  headers_too_large: { status: 431, title: 'Headers are too large' },
  // 5xx
  internal_error: { status: 500, title: 'Internal error' },
  not_implemented: { status: 501, title: 'Not available here' },
  database_unavailable: { status: 503, title: 'Database is unavailable' },
  overloaded: { status: 503, title: 'Too busy' },
} as const satisfies Record<string, { status: number; title: string }>;

/** A stable, machine-readable error code. */
export type ErrorCode = keyof typeof ERRORS;

/** Where the problem type URIs live; they identify, they need not resolve (RFC 9457 section 3.1.1). */
export const PROBLEM_BASE = 'https://live-tables.dev/problems/';
