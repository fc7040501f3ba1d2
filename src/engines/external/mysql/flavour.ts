import { Problem } from '../../../common/index.js';
import type { ExternalLimits } from '../external-engine.js';

/** Which of the two families a server is of, and its version as we say it: never text of the server. */
export interface Flavour {
  readonly family: 'MySQL' | 'MariaDB';
  readonly version: string;
}

const LEAST = { MySQL: [8, 0], MariaDB: [10, 5] } as const;

/**
 * By what a server says when it greets. MariaDB puts `5.5.5-` in front of its own version, for the sake of old replicas.
 * @throws Problem `not_supported_by_source` where it is older than what we speak
 */
export function flavourOf(greeting: string): Flavour {
  const family = /mariadb/i.test(greeting) ? 'MariaDB' : 'MySQL';
  const match = /^(?:5\.5\.5-)?(\d{1,3})\.(\d{1,3})\.(\d{1,4})/.exec(greeting);
  if (!match) throw new Problem('source_failed', { detail: 'The server does not greet as a MySQL or MariaDB does.' });
  const [, major = '', minor = '', patch = ''] = match;
  const [leastMajor, leastMinor] = LEAST[family];
  if (Number(major) < leastMajor || (Number(major) === leastMajor && Number(minor) < leastMinor))
    throw new Problem('not_supported_by_source', {
      detail: `The server is ${family} ${major}.${minor}; MySQL 8.0, MariaDB 10.5 or newer are needed.`,
    });
  return { family, version: `${family} ${major}.${minor}.${patch}` };
}

/**
 * What statements of ours rely on, whatever the server was set up with. Writes are strict: what does not fit is refused, never bent. Without
 * NO_ZERO_DATE, so that pages go on behind a date that is none (values of ours are always dates).
 */
const SQL_MODE = [
  'ANSI_QUOTES',
  'NO_BACKSLASH_ESCAPES',
  'PIPES_AS_CONCAT',
  'NO_UNSIGNED_SUBTRACTION',
  'NO_AUTO_VALUE_ON_ZERO',
  'STRICT_ALL_TABLES',
  'ERROR_FOR_DIVISION_BY_ZERO',
  'NO_ENGINE_SUBSTITUTION',
].join();

/**
 * What every session begins with. It can only read: whoever writes opens a transaction that says so.
 * https://mariadb.com/kb/en/aborting-statements/ and the manual of MySQL about max_execution_time, which there stops reads only.
 */
export function sessionSettings({ family }: Flavour, { statementMs, maxBytes }: ExternalLimits): readonly string[] {
  const seconds = Math.max(1, Math.ceil(statementMs / 1000));
  const timeout =
    family === 'MariaDB'
      ? `max_statement_time=${(statementMs / 1000).toFixed(3)}`
      : `max_execution_time=${Math.ceil(statementMs)}`;
  return [
    `set names utf8mb4 collate utf8mb4_bin, session sql_mode='${SQL_MODE}', session time_zone='+00:00', ` +
      `session ${timeout}, session innodb_lock_wait_timeout=${seconds}, session lock_wait_timeout=${seconds}, ` +
      `session group_concat_max_len=${Math.min(maxBytes, 2 ** 30)}, session sql_auto_is_null=0`,
    'set session transaction read only',
  ];
}
