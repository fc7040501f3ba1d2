import pg from 'pg';
import { isError, Problem } from '../../../common/index.js';
import { isSaidOf, type Meaning } from '../sql/meaning.js';
import { SessionLost, type Moment } from '../sql/session.js';

const REFUSED = 'The server refused user name and password, or this user may not come from here.';
const BUSY = 'The server takes no more connections.';
const VALUES = 'A rule of the table (not null, check, foreign key, type or size) does not allow these values.';

const NO_TABLE = 'The database takes no such change of this object.';

/** By SQLSTATE (manual, appendix A), or by its class, for the texts of a server tell of what is inside. */
const BY_STATE: Readonly<Record<string, Meaning>> = {
  '28': ['source_unreachable', REFUSED],
  '3D': ['source_unreachable', 'There is no database of this name.'],
  '42501': ['source_failed', 'The user of the connection may not do this in the database.'],
  '53': ['source_busy', 'The server has too little of something that it needs.'],
  '53300': ['source_busy', BUSY],
  '57014': ['source_timeout'],
  '55P03': ['source_timeout', 'Somebody else keeps the row or the table locked.'],
  '57P03': ['source_unreachable', 'The server is starting or stopping.'],
  '40': ['source_busy', 'The server gave up in favour of somebody else who writes the same rows.'],
  '3F000': ['source_changed'],
  '42P01': ['source_changed'],
  '42703': ['source_changed'],
  '42804': ['source_changed'],
  '42809': ['not_supported_by_source', NO_TABLE],
  '55000': ['not_supported_by_source', NO_TABLE],
  '42883': ['source_changed'],
  '428C9': ['constraint_violation', 'The database makes the values of this column itself.'],
  '23505': ['unique_violation', 'Another row has this value, or these values, in a unique key.'],
  '22': ['constraint_violation', VALUES],
  '23': ['constraint_violation', VALUES],
  '44': ['constraint_violation', VALUES],
  P0001: ['constraint_violation', 'A trigger of the table does not allow this change.'],
};

/** Codes of OpenSSL and of Node about certificates and encryption. */
const ABOUT_TLS = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_)/;
const TLS_FAILED =
  'TLS failed: the certificate is not one of this host by an authority that is known here. Check tls.mode and tls.ca.';

/** By what the driver and the system say when no session comes about. */
const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this host and port.',
  EHOSTUNREACH: 'There is no way to this host.',
  ENETUNREACH: 'There is no way to this host.',
  ETIMEDOUT: 'The host does not answer.',
  ENOTFOUND: 'There is no host of this name.',
};

/**
 * Such that the server ends the session with them; the word for how severe an error is comes in the language of the server. With the last three a
 * statement is not prepared any more as it was: a pooler gave us to another of its sessions, or a table has other columns. A new session has it right.
 */
const LAST_WORDS = /^(08|57P|XX|25P0[34]|53300|26000|42P05|0A000)/;

/** Whether the session is as good as before. */
export const sessionSurvives = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && typeof error.code === 'string' && !LAST_WORDS.test(error.code);

const stateOf = (error: unknown): string =>
  error instanceof pg.DatabaseError && typeof error.code === 'string' ? error.code : '';

/** Whether the server does not know something that every PostgreSQL does. */
export const isUnknownThere = (error: unknown): boolean => /^(0A|42)/.test(stateOf(error));

/**
 * What records can be refused with where texts need not be: casts of columns that have become of another type since we looked, functions that send,
 * which may be missing or not allowed, and sizes. All else that a statement is refused with lies in the rows or in what both forms ask of them.
 */
const OF_RECORDS = /^(22003|22007|22008|22P02|42501|42846|42883|54)/;

export const isRefusedAsRecords = (error: unknown): boolean =>
  sessionSurvives(error) && OF_RECORDS.test(stateOf(error));

const codeOf = (error: unknown): string =>
  isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** What a failure means to our callers, while signing in or later. Its own text is a cause for the log, and never an answer. */
export function translate(error: unknown, during: Moment): unknown {
  const first = error instanceof SessionLost && error.cause !== undefined ? error.cause : error;
  if (first instanceof Problem) return first;
  const [code, detail] = meaningOf(first, during);
  return new Problem(code, { ...(detail === undefined ? {} : { detail }), cause: error });
}

function meaningOf(error: unknown, during: Moment): Meaning {
  if (error instanceof pg.DatabaseError) {
    const state = typeof error.code === 'string' ? error.code : '';
    const known = BY_STATE[state] ?? BY_STATE[state.slice(0, 2)];
    return known && isSaidOf(during, known[0]) ? known : ['source_failed'];
  }
  if (during !== 'signing in') return ['source_failed'];
  const told = BY_CODE[codeOf(error)];
  if (told !== undefined) return ['source_unreachable', told];
  if (ABOUT_TLS.test(codeOf(error))) return ['source_unreachable', TLS_FAILED];
  if (isError(error) && error.message === 'The server does not support SSL connections')
    return ['source_unreachable', 'The server does not offer TLS: choose another tls.mode, or set it up there.'];
  return isLost(error)
    ? ['source_unreachable', 'The server closed the connection before anybody was signed in.']
    : ['source_failed', 'What answers at this host and port cannot be understood as a PostgreSQL.'];
}

const isLost = (error: unknown): boolean =>
  error instanceof SessionLost ||
  ['ECONNRESET', 'EPIPE'].includes(codeOf(error)) ||
  (isError(error) && error.message.startsWith('Connection terminated'));
