/**
 * The one catalogue of errors: every `code` that this API can answer with, its status, its title and what to do about it.
 * Codes are never reused and never change their meaning (docs/ERROR_CODES.md is generated from this table).
 */
export const ERRORS = {
  // 400: the request could not be read
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    hint: 'Send JSON (RFC 8259) in UTF-8, at most 64 levels deep and without a "__proto__" key.',
  },
  invalid_syntax: {
    status: 400,
    title: 'Syntax that cannot be read',
    hint: 'Check the syntax of the parameter that is named.',
  },
  cursor_invalid: {
    status: 400,
    title: 'Cursor is not valid',
    hint: 'Send the cursor exactly as page.nextCursor gave it, or leave it out to begin at the first page.',
  },
  cursor_mismatch: {
    status: 400,
    title: 'Cursor belongs to another query',
    hint: 'A cursor goes on with the filter, sort and table that it came from; leave it out for a new query.',
  },
  bad_request: {
    status: 400,
    title: 'Bad request',
    hint: 'The request cannot be read as it is.',
  },
  // 401
  unauthenticated: {
    status: 401,
    title: 'Not signed in',
    hint: 'Send a valid access token: "Authorization: Bearer <accessToken>". Register or log in to get one.',
  },
  token_expired: {
    status: 401,
    title: 'Access token has expired',
    hint: 'Get a new access token with POST /api/v1/auth/refresh, then repeat the request.',
  },
  invalid_credentials: {
    status: 401,
    title: 'E-mail or password is wrong',
    hint: 'Check the e-mail address and the password.',
  },
  refresh_token_invalid: {
    status: 401,
    title: 'Refresh token is not valid',
    hint: 'Log in again.',
  },
  refresh_token_reused: {
    status: 401,
    title: 'Refresh token was used before',
    hint: 'Each refresh token works once. The session was ended, because somebody else may have a copy: log in again.',
  },
  reset_token_invalid: {
    status: 401,
    title: 'Link to reset the password is not valid',
    hint: 'It works once and for an hour: ask for another one with POST /api/v1/auth/password/forgot.',
  },
  api_key_invalid: {
    status: 401,
    title: 'API key is missing or not valid',
    hint: 'Send a key of this published view in X-API-Key, or as "Authorization: Bearer <key>".',
  },
  // 403, 404
  role_too_low: {
    status: 403,
    title: 'Your role does not allow this',
    hint: 'Ask an admin or owner of the workspace for a higher role.',
  },
  token_scope_too_low: {
    status: 403,
    title: 'The scope of this personal token does not allow this',
    hint: 'Make a token of a wider scope with POST /api/v1/users/me/tokens.',
  },
  session_needed: {
    status: 403,
    title: 'Personal tokens may not do this',
    hint: 'Sign in, and send the access token of the session.',
  },
  ruled_out: {
    status: 403,
    title: 'A rule of the table does not allow this',
    hint: 'Ask an admin of the workspace which rules of the table are for you.',
  },
  invitation_for_other: {
    status: 403,
    title: 'The invitation is for another address',
    hint: 'Sign in, or register, with the e-mail address that was invited.',
  },
  read_only_connection: {
    status: 403,
    title: 'The connection is read-only',
    hint: 'An admin can give the connection the access read-write.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    hint: 'Nobody may do this here.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    hint: 'It does not exist or is not visible to you; check the id and the workspace.',
  },
  route_not_found: {
    status: 404,
    title: 'No such route',
    hint: 'Check the method and the path; /api/docs lists all routes.',
  },
  // 408
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    hint: 'Send the request again, faster.',
  },
  // 409
  email_taken: {
    status: 409,
    title: 'E-mail address is taken',
    hint: 'Log in with this address, or use another one.',
  },
  name_taken: {
    status: 409,
    title: 'Name is taken',
    hint: 'Choose another name; upper and lower case count as the same.',
  },
  already_member: {
    status: 409,
    title: 'Already a member',
    hint: 'Change the role of the existing member instead.',
  },
  last_owner: {
    status: 409,
    title: 'A workspace keeps at least one owner',
    hint: 'Make somebody else an owner first.',
  },
  unique_violation: {
    status: 409,
    title: 'Value must be unique',
    hint: 'Another row has this value in a column that must be unique.',
  },
  upsert_ambiguous: {
    status: 409,
    title: 'More than one row matches',
    hint: 'Match on columns that tell rows apart.',
  },
  source_changed: {
    status: 409,
    title: 'The structure of the source has changed',
    hint: 'Read the schema of the connection anew with refresh=true, then repeat.',
  },
  merge_conflict: {
    status: 409,
    title: 'Changed by somebody else',
    hint: 'The same field was changed since baseVersion; read the row again and decide.',
  },
  import_cancelled: {
    status: 409,
    title: 'The import was cancelled',
    hint: 'Somebody ended it with DELETE /api/v1/imports/{importId}; the detail says what of it is written.',
  },
  conflict: {
    status: 409,
    title: 'Conflict',
    hint: 'The request does not fit the present state; read again and repeat.',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'The same request is still running',
    hint: 'Wait for the answer to the first request with this Idempotency-Key.',
  },
  // 410, 412, 413, 415
  changes_gone: {
    status: 410,
    title: 'Changes are no longer kept',
    hint: 'Read the data again and go on from its meta.',
  },
  version_mismatch: {
    status: 412,
    title: 'The row has another version',
    hint: 'Somebody else changed the row; it is in "current". Decide, and repeat with its version.',
  },
  payload_too_large: {
    status: 413,
    title: 'Body is too large',
    hint: 'Send less at once, in several requests.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Media type is not supported',
    hint: 'Send the body in the media type that the route takes: application/json, as a rule.',
  },
  // 416, 417
  range_not_satisfiable: {
    status: 416,
    title: 'Range lies behind the end',
    hint: 'Content-Range says how many bytes there are; ask for some of these, or leave out the header Range.',
  },
  expectation_failed: {
    status: 417,
    title: 'Expectation cannot be met',
    hint: 'Leave out the header Expect, or send "100-continue".',
  },
  // 422: understood, but not acceptable
  validation_failed: {
    status: 422,
    title: 'Validation failed',
    hint: 'The findings are in "errors", each with a JSON pointer to its place.',
  },
  filter_invalid: {
    status: 422,
    title: 'Filter is not valid',
    hint: 'Check fields, operators and values of the filter against the table.',
  },
  formula_invalid: {
    status: 422,
    title: 'Formula is not valid',
    hint: 'Each flaw is in "errors" with the position and length of the part that it is about, in UTF-16 code units.',
  },
  sort_invalid: {
    status: 422,
    title: 'Sort is not valid',
    hint: 'Check the sort keys against the table; at most five.',
  },
  bulk_failed: {
    status: 422,
    title: 'Some operations failed, nothing was written',
    hint: 'All bad operations are in "errors"; mend them and send the whole call again.',
  },
  import_failed: {
    status: 422,
    title: 'The file cannot be imported as it is',
    hint: 'What is wrong is in "errors", by line and column of the file; mend it, or send it with onError=skip.',
  },
  confirmation_required: {
    status: 422,
    title: 'Confirmation is required',
    hint: 'Send "dryRun": true first, and then the confirmToken that comes back.',
  },
  nothing_to_undo: {
    status: 409,
    title: 'There is nothing to undo',
    hint: 'Only what you changed yourself of late is undone, with the same X-Client-Id; other changes are undone with revert.',
  },
  nothing_to_redo: {
    status: 409,
    title: 'There is nothing to redo',
    hint: 'Only what you undid yourself is done again, and only until you change something else.',
  },
  not_revertible: {
    status: 409,
    title: 'This cannot be taken back here',
    hint: 'Changes of workspaces, bases, tables, columns and views can be taken back by their entries in the audit log, changes of rows by the history of their table.',
  },
  confirmation_stale: {
    status: 409,
    title: 'Confirmation is stale',
    hint: 'Ask what it would do once more, and confirm that.',
  },
  rows_in_the_way: {
    status: 409,
    title: 'Rows do not allow this',
    hint: 'The rows or values in the way are counted in "errors", with examples; change them and repeat.',
  },
  host_not_allowed: {
    status: 422,
    title: 'This host is not allowed',
    hint: 'Only public addresses, and the networks that the operator of this server allows, can be reached from here.',
  },
  not_supported_by_source: {
    status: 422,
    title: 'The source cannot do this',
    hint: 'What this kind of database cannot do is named; ask for it in another way.',
  },
  join_too_large: {
    status: 422,
    title: 'Join is too large',
    hint: 'Filter the sources of the view for fewer rows, or join, sort and group by columns of one database.',
  },
  contract_broken: {
    status: 409,
    title: 'This would break the readers of the published view',
    hint: 'They rely on what "errors" names. Leave it as it was, or publish with "asNewVersion": it gets an address of its own, and they keep what they have.',
  },
  newest_version: {
    status: 409,
    title: 'This is the newest version',
    hint: 'Only versions that another has followed end by themselves; the newest ends with the publication (DELETE).',
  },
  view_broken: {
    status: 409,
    title: 'View does not fit its sources any more',
    hint: 'Something that the view refers to was changed or removed; "errors" says what, with a pointer into its definition. Change the definition, or bring it back.',
  },
  answer_too_large: {
    status: 422,
    title: 'The answer of the source is too large',
    hint: 'Ask for fewer rows or fields.',
  },
  constraint_violation: {
    status: 422,
    title: 'The source refused the values',
    hint: 'A rule of the external database (not null, check, foreign key, size) does not allow them.',
  },
  limit_reached: {
    status: 422,
    title: 'A limit is reached',
    hint: 'The limit is named; ask for less.',
  },
  idempotency_mismatch: {
    status: 422,
    title: 'Idempotency key was used with another body',
    hint: 'Use a new Idempotency-Key for another body.',
  },
  // 423, 428, 429
  schema_busy: {
    status: 423,
    title: 'The structure is being changed',
    hint: 'Repeat in a moment.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    hint: 'Wait for as many seconds as Retry-After says.',
  },
  // 431
  headers_too_large: {
    status: 431,
    title: 'Headers are too large',
    hint: 'Send smaller headers; together they may have 16 KiB.',
  },
  // 5xx
  internal_error: {
    status: 500,
    title: 'Internal error',
    hint: 'This is our fault. Report it with the requestId.',
  },
  not_implemented: {
    status: 501,
    title: 'Not available here',
    hint: 'This is not available on this server.',
  },
  source_unreachable: {
    status: 502,
    title: 'The external database cannot be reached',
    hint: 'Check host, port, credentials and TLS of the connection, and whether its server runs.',
  },
  source_failed: {
    status: 502,
    title: 'The external database failed',
    hint: 'The external database gave up, or answered something that cannot be understood. Nothing of it is shown in part.',
  },
  source_busy: {
    status: 503,
    title: 'The external database is too busy',
    hint: 'Too many requests wait for this connection; repeat in a moment.',
  },
  source_timeout: {
    status: 504,
    title: 'The external database took too long',
    hint: 'Ask for less, or for what an index of that database can find.',
  },
  database_unavailable: {
    status: 503,
    title: 'Database is unavailable',
    hint: 'Repeat in a moment; nothing was written unless a 2xx said so.',
  },
  storage_unavailable: {
    status: 503,
    title: 'Storage of files is unavailable',
    hint: 'Repeat in a moment; rows are not affected.',
  },
  overloaded: {
    status: 503,
    title: 'Too busy',
    hint: 'Repeat in a moment.',
  },
} as const satisfies Record<string, { status: number; title: string; hint: string }>;

/** A stable, machine-readable error code. */
export type ErrorCode = keyof typeof ERRORS;

/** Where the problem type URIs live; they identify, they need not resolve (RFC 9457 section 3.1.1). */
export const PROBLEM_BASE = 'https://live-tables.dev/problems/';
