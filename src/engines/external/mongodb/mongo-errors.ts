import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { Problem, type ErrorCode } from '../../../common/index.js';

type Meaning = readonly [ErrorCode, string?];

const REFUSED = 'The server refused user name and password.';
const VALUES = 'A rule of the collection (validation, type or size) does not allow these values.';
const TOO_LARGE: Meaning = ['answer_too_large', 'The source has to gather more for this than it can hold at once.'];
const TOO_OLD: Meaning = ['not_supported_by_source', 'The version of this MongoDB cannot do this; 5.0 and later can.'];

/** By MongoDB's error codes, for the texts of a server tell of what is inside. */
const BY_CODE: Readonly<Record<number, Meaning>> = {
  11: ['source_unreachable', REFUSED],
  13: ['source_failed', 'The user of the connection may not do this in the database.'],
  14: ['constraint_violation', VALUES],
  18: ['source_unreachable', REFUSED],
  26: ['source_changed'],
  28: ['constraint_violation', 'A field on the way holds a value that has no fields.'],
  50: ['source_timeout'],
  66: ['constraint_violation', 'The id of a document cannot be changed.'],
  73: ['source_changed'],
  112: ['source_busy', 'The server gave up in favour of somebody else who writes the same documents.'],
  121: ['constraint_violation', VALUES],
  146: TOO_LARGE,
  166: ['not_supported_by_source', 'A view cannot be written.'],
  168: TOO_OLD,
  262: ['source_timeout'],
  292: TOO_LARGE,
  8000: ['source_unreachable', REFUSED],
  10107: ['source_failed', 'This server takes no writes: it is not the primary of its replica set.'],
  10334: TOO_LARGE,
  11000: ['unique_violation', 'Another document has this value, or these values, in a unique index.'],
  13435: ['source_failed', 'This server takes no reads now.'],
  16945: TOO_LARGE,
  17419: ['constraint_violation', VALUES],
  31325: TOO_OLD,
  40324: TOO_OLD,
  72: ['not_supported_by_source', 'The source does not know one of the options that this needs.'],
};

const TLS_FAILED =
  'TLS failed: the certificate is not one of this host by an authority that is known here. Check tls.mode and tls.ca.';

/** By what the system says when no connection comes about. */
const BY_SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this host and port.',
  EHOSTUNREACH: 'There is no way to this host.',
  ENETUNREACH: 'There is no way to this host.',
  ETIMEDOUT: 'The host does not answer.',
  ENOTFOUND: 'There is no host of this name.',
  ERR_TLS_CERT_ALTNAME_INVALID: TLS_FAILED,
  DEPTH_ZERO_SELF_SIGNED_CERT: TLS_FAILED,
  SELF_SIGNED_CERT_IN_CHAIN: TLS_FAILED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TLS_FAILED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TLS_FAILED,
  CERT_HAS_EXPIRED: TLS_FAILED,
};

export const isRefusedSignIn = (error: unknown): boolean =>
  error instanceof MongoServerError && [11, 18, 8000].includes(Number(error.code));

/** What a failure means to our callers. Its own text is a cause for the log, and never an answer. */
export function translate(error: unknown, during: 'signing in' | 'asking'): Problem {
  if (error instanceof Problem) return error;
  const [code, detail] = meaningOf(error, during);
  return new Problem(code, { ...(detail === undefined ? {} : { detail }), cause: error });
}

function meaningOf(error: unknown, during: 'signing in' | 'asking'): Meaning {
  if (error instanceof MongoServerError) return BY_CODE[Number(error.code)] ?? ['source_failed'];
  const told = BY_SYSTEM[systemCode(error)];
  if (told !== undefined) return ['source_unreachable', told];
  const name = error instanceof MongoError ? error.name : '';
  if (name === 'MongoNetworkTimeoutError' || name === 'MongoOperationTimeoutError') return ['source_timeout'];
  if (name === 'MongoWaitQueueTimeoutError') return ['source_busy'];
  if (during === 'asking' && !(error instanceof MongoServerSelectionError)) return ['source_failed'];
  if (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    systemCode(error) === 'ECONNRESET'
  )
    return ['source_unreachable', 'The server closed the connection before anybody was signed in.'];
  return ['source_failed', 'What answers at this host and port cannot be understood as a MongoDB.'];
}

const systemCode = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
