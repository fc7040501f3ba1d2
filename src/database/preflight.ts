import pg from 'pg';
import type { AppConfig, PostgresSettings } from '../config/index.js';
import { isLent, type Sitting } from './lent-session.js';

/** A database cannot be used; the message is one sentence that says what to do. It names no password. */
export class DatabaseUnusable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseUnusable';
  }
}

interface Facts {
  readonly version: number;
  readonly encoding: string;
  readonly may_create: boolean;
  readonly superuser: boolean;
  readonly replica: boolean;
  readonly read_only: boolean;
  /** Whether the session is as was said when it began. */
  readonly as_told: boolean;
  /** Whether it is ours from its beginning to its end. */
  readonly ours: boolean;
}

/** What stands between us and PostgreSQL, and what to do about it. */
const behindPooler = (prefix: string, what: string): string =>
  `is behind a connection pooler that ${what}: set ${prefix}_HOST and ${prefix}_PORT to PostgreSQL itself`;

/** PostgreSQL 15: the first whose `public` schema is closed to strangers, and the oldest that is tested. */
const OLDEST = 15;

/** Looks at both databases before anything relies on them. Throws {@link DatabaseUnusable} for the first that will not do. */
export async function checkDatabases(config: AppConfig): Promise<void> {
  const production = config.environment === 'production';
  const findings = await Promise.all([
    findingOf('main', 'DB', config.mainDb, production),
    findingOf('mini', 'MINI_DB', config.miniDb, production),
  ]);
  for (const finding of findings) if (finding) throw finding;
}

async function findingOf(
  which: string,
  prefix: string,
  settings: PostgresSettings,
  production: boolean,
): Promise<DatabaseUnusable | undefined> {
  const place = `${which} database ${settings.database} at ${settings.host}:${settings.port}`;
  try {
    const complaint = judge(await patiently(() => askFacts(settings)), prefix, settings.username, production);
    return complaint === undefined ? undefined : new DatabaseUnusable(`The ${place} ${complaint}.`);
  } catch (error) {
    return new DatabaseUnusable(`The ${place} ${reason(error, prefix, settings)}.`, error);
  }
}

function judge(facts: Facts, prefix: string, username: string, production: boolean): string | undefined {
  if (facts.version < OLDEST * 10_000)
    return `runs PostgreSQL ${Math.floor(facts.version / 10_000)}: use version ${OLDEST} or newer`;
  if (facts.encoding !== 'UTF8') return `is encoded in ${facts.encoding}: create it with encoding UTF8`;
  if (!facts.ours)
    return behindPooler(prefix, 'gives one session to several clients in turn, so that locks and settings do not hold');
  if (!facts.as_told)
    return behindPooler(prefix, 'drops the settings of a session (options, statement_timeout), on which all relies');
  if (facts.replica)
    return `is on a read replica, or a standby that was not promoted: set ${prefix}_HOST and ${prefix}_PORT to the server that takes writes`;
  if (facts.read_only)
    return 'takes no writes: reset default_transaction_read_only, or find out why it was set (a full disk, with some providers)';
  if (!facts.may_create)
    return `does not let ${username} create schemas: make it the owner (alter database … owner to ${username})`;
  if (production && facts.superuser)
    return `would be used as the superuser ${username}, which production refuses: set ${prefix}_USERNAME to a role without superuser rights that owns the database`;
  return undefined;
}

/** A server that is just starting answers 57P03, or nothing yet, or breaks off; it is given this long. */
const STARTING_MS = 30_000;

/** So long it may take to connect, and to answer. */
const ANSWER_MS = 5_000;

/** What `pg` says where that was not enough: of the connection, of the answer. */
const TIMEOUTS: readonly string[] = ['timeout expired', 'Query read timeout'];
/** The last two: the same of a connection for a pool. */
const NOT_YET: readonly string[] = [
  '57P03',
  'ECONNRESET',
  'Connection terminated unexpectedly',
  ...TIMEOUTS,
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
];

/** Whether a database may answer if it is asked again in a moment. */
export const isNotYet = (error: unknown): boolean => NOT_YET.includes(codeOf(error));

/** Tries what may be repeated, for as long as a database may take to start. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const until = Date.now() + STARTING_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isNotYet(error) || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** Said at the beginning of a session, and found again in it. */
const TOLD = { name: 'live_tables.start', value: 'told' };

const FACTS = `select current_setting('server_version_num')::int as version,
        pg_encoding_to_char(encoding) as encoding,
        has_database_privilege(datname, 'create') as may_create,
        current_setting('is_superuser')::bool as superuser,
        pg_is_in_recovery() as replica,
        current_setting('transaction_read_only')::bool as read_only,
        current_setting('${TOLD.name}', true) is not distinct from '${TOLD.value}'
          and current_setting('statement_timeout') = '${ANSWER_MS / 1_000}s' as as_told
   from pg_database where datname = current_database()`;

const askFacts = (settings: PostgresSettings): Promise<Facts> =>
  connected(settings, async (client) => {
    const ours = await isOurs(client, settings);
    const [facts] = (await client.query<Omit<Facts, 'ours'>>(FACTS)).rows;
    if (!facts) throw new Error('the server did not answer');
    return { ...facts, ours };
  });

async function isOurs(client: pg.Client, settings: PostgresSettings): Promise<boolean> {
  const session = sittingOf(client);
  const process = await session.process();
  return connected(settings, async (second) => !(await isLent(session, process, sittingOf(second))));
}

/** What is refused to it is told by {@link reason}. */
const sittingOf = (client: pg.Client): Sitting => ({
  process: async () => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid,
  transaction: () => client.query('begin').then(() => true),
});

/** A connection for what is asked before there are pools. */
export async function connected<T>(settings: PostgresSettings, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: settings.host,
    port: settings.port,
    user: settings.username,
    password: settings.password,
    database: settings.database,
    ssl: settings.tls,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
    statement_timeout: ANSWER_MS,
    options: `-c ${TOLD.name}=${TOLD.value}`,
    application_name: 'live-tables start',
  });
  // What happens to the connection after the answer is of no interest, and must not end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    void client.end().catch(() => undefined);
  }
}

function reason(error: unknown, prefix: string, { host, username }: PostgresSettings): string {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `cannot be reached: start PostgreSQL (docker compose up -d), correct ${prefix}_HOST and ${prefix}_PORT, or remove the ${prefix}_ settings to use the embedded one`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot be found: no address is known for ${host}, correct ${prefix}_HOST`;
    case '28P01':
    case '28000':
      return `refuses to sign in ${username}: correct ${prefix}_USERNAME and ${prefix}_PASSWORD`;
    case '3D000':
      return `does not exist: create it, owned by ${username}, or correct ${prefix}_DATABASE`;
    case '08P01':
      return behindPooler(prefix, 'refuses what a session is told when it begins, or begin itself');
    case '53300':
      return `has no connection left: raise its max_connections, or lower ${prefix}_POOL_SIZE on every node`;
    case TIMEOUTS[0]:
    case TIMEOUTS[1]:
      return `takes connections and does not answer: see what keeps PostgreSQL there, or correct ${prefix}_HOST and ${prefix}_PORT`;
    default:
      return `cannot be used (${code}): see that PostgreSQL runs there and that ${prefix}_HOST, ${prefix}_PORT and ${prefix}_SSL are right`;
  }
}

/** Trying several addresses of one name fails as a bundle; its first error tells what happened. */
function codeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return String(first);
  return (first as NodeJS.ErrnoException).code ?? first.message;
}
