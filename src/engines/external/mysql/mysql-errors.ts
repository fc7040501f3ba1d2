import { isError, Problem } from '../../../common/index.js';
import { isSaidOf, type Meaning } from '../sql/meaning.js';
import { SessionLost, type Moment } from '../sql/session.js';

const REFUSED = 'The server refused user name and password, or this user may not come from here.';
const VALUES = 'A rule of the table (not null, check, foreign key, type or size) does not allow these values.';

/** By the server's numbers (manuals: Server Error Message Reference; MariaDB Error Codes), for their texts tell of what is inside. */
const BY_NUMBER: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  ...each([1045, 1698, 1130, 1129, 1227, 1820, 1862, 3118, 4151], 'source_unreachable', REFUSED),
  ...each([1044], 'source_unreachable', 'The user may not use this database.'),
  ...each([1049], 'source_unreachable', 'There is no database of this name.'),
  ...each([3159, 4166], 'source_unreachable', 'The server takes encrypted connections only: choose another tls.mode.'),
  ...each([1040, 1203, 1226], 'source_busy', 'The server takes no more connections.'),
  ...each([1020, 1213], 'source_busy', 'The server gave up in favour of somebody else who writes the same rows.'),
  ...each([1054, 1109, 1146, 1356], 'source_changed'),
  ...each([3024, 1969, 1317, 1205], 'source_timeout'),
  ...each(
    [1062, 1169, 1586, 1859],
    'unique_violation',
    'Another row has this value, or these values, in a unique key.',
  ),
  ...each(
    [
      1048, 1138, 1216, 1217, 1263, 1264, 1265, 1292, 1364, 1366, 1369, 1406, 1411, 1416, 1423, 1451, 1452, 1526, 1644,
      1690, 1748, 1906, 3105, 3140, 3819, 4025,
    ],
    'constraint_violation',
    VALUES,
  ),
  ...each(
    [1288, 1348, 1393, 1394, 1395, 1471],
    'not_supported_by_source',
    'The database takes no such change of this object.',
  ),
  ...each([1142, 1143, 1370], 'source_failed', 'The user of the connection may not do this in the database.'),
  ...each([1290, 1792, 1836], 'source_failed', 'The server takes no writes.'),
  ...each([1153], 'source_failed', 'The server does not take so much at once.'),
]);

function each(numbers: readonly number[], ...meaning: Meaning): [number, Meaning][] {
  return numbers.map((number) => [number, meaning]);
}

/** By what the driver and the system say when no session comes about. */
const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this host and port.',
  EHOSTUNREACH: 'There is no way to this host.',
  ENETUNREACH: 'There is no way to this host.',
  ETIMEDOUT: 'The host does not answer.',
  ENOTFOUND: 'There is no host of this name.',
  HANDSHAKE_NO_SSL_SUPPORT: 'The server does not offer TLS: choose another tls.mode, or set it up there.',
  HANDSHAKE_SSL_ERROR:
    'TLS failed: the certificate is not one of this host by an authority that is known here. Check tls.mode and tls.ca.',
  MYSQL_CLEAR_PASSWORD_NOT_ENABLED:
    'The server asks for the password in clear, which is given with tls.mode verify-full only.',
  AUTH_SWITCH_PLUGIN_ERROR: 'The server asks for a way to sign in that is not supported here.',
};

/** The number of an error that the server itself sent; those of the system are negative. */
export function serverErrno(error: unknown): number | undefined {
  return isError(error) && 'errno' in error && typeof error.errno === 'number' && error.errno > 0 && 'sqlState' in error
    ? error.errno
    : undefined;
}

/** Such that the server ends the session with them. */
const LAST_WORDS: ReadonlySet<number> = new Set([1053, 1077, 1079, 1152, 1159, 1161, 1184, 1927, 3169, 4031]);

/** Whether the session is as good as before. */
export function sessionSurvives(error: unknown): boolean {
  const number = serverErrno(error);
  return number !== undefined && !LAST_WORDS.has(number);
}

/** Texts of which the server does not know by which collation to compare them, or that it cannot bring into one character set. */
const OF_COLLATIONS: ReadonlySet<number> = new Set([1267, 1270, 1271, 3988]);

export const isOfCollations = (error: unknown): boolean => OF_COLLATIONS.has(serverErrno(error) ?? 0);

const codeOf = (error: unknown): string =>
  isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** What a failure means to our callers, while signing in or later. Its own text is a cause for the log, and never an answer. */
export function translate(error: unknown, during: Moment): unknown {
  const first = error instanceof SessionLost && error.cause !== undefined ? error.cause : error;
  if (first instanceof Problem) return first;
  const [code, detail] = meaningOf(first, during);
  return new Problem(code, { detail, cause: error });
}

function meaningOf(error: unknown, during: Moment): Meaning {
  const known = BY_NUMBER.get(serverErrno(error) ?? 0);
  if (known) return isSaidOf(during, known[0]) ? known : ['source_failed'];
  if (during !== 'signing in') return ['source_failed'];
  const told = BY_CODE[codeOf(error)];
  if (told) return ['source_unreachable', told];
  return isLost(error)
    ? ['source_unreachable', 'The server closed the connection before anybody was signed in.']
    : ['source_failed', 'What answers at this host and port cannot be understood as a MySQL or MariaDB.'];
}

const isLost = (error: unknown): boolean =>
  error instanceof SessionLost || ['ECONNRESET', 'EPIPE', 'PROTOCOL_CONNECTION_LOST'].includes(codeOf(error));
