import {
  duration,
  flag,
  headerList,
  integer,
  key32,
  keys32,
  list,
  mediaTypes,
  networks,
  objectPrefix,
  oneOf,
  orForever,
  origins,
  proxies,
  share,
  smtpUrl,
  text,
  webAddress,
  type Parser,
} from './parsers.js';
import { SAMPLERS } from './app-config.js';
import { weaknessOfKey, weaknessOfKeys, weaknessOfPassword } from './strength.js';

/** Everything there is to know about one environment variable. */
export interface Setting<T> {
  /** One sentence: what it decides. */
  readonly about: string;
  readonly parse: Parser<T>;
  /** Used when the variable is absent or empty; a text, so that the documentation can show it. */
  readonly fallback?: string | { readonly development: string; readonly production: string };
  /** What stands in for a missing fallback, in words. */
  readonly otherwise?: string;
  readonly requiredInProduction?: true;
  /** Never printed. Holds the check that production applies: the complaint, or undefined. */
  readonly secret?: (value: string) => string | undefined;
  /** Names a way to make a good value; ends the complaint about a bad one. */
  readonly remedy?: string;
  /** The line in `.env.example`; left out there when absent. Production refuses it for a secret. */
  readonly example?: string;
}

const setting = <const Facts extends Setting<unknown>>(facts: Facts): Facts => facts;

const database = (which: string, name: string, examplePort: string, leastPool: number) => ({
  host: setting({
    about: `Host of the ${which} database (PostgreSQL 15 or newer).`,
    parse: text,
    otherwise: 'embedded PostgreSQL; `localhost` when another variable of this database is set',
    requiredInProduction: true,
    example: 'localhost',
  }),
  port: setting({
    about: `Port of the ${which} database.`,
    parse: integer(1, 65_535),
    fallback: '5432',
    example: examplePort,
  }),
  username: setting({
    about: `Role that the server signs in as to the ${which} database; it owns the database and is not a superuser.`,
    parse: text,
    fallback: 'live_tables',
    requiredInProduction: true,
    example: 'live_tables',
  }),
  password: setting({
    about: `Password of that role.`,
    remedy: 'give the role a long random one (alter role … password …)',
    parse: text,
    otherwise: 'no password',
    requiredInProduction: true,
    secret: weaknessOfPassword,
    example: 'live_tables_dev',
  }),
  database: setting({ about: `Name of the ${which} database.`, parse: text, fallback: name, example: name }),
  ssl: setting({
    about: `Connect to the ${which} database over TLS and verify its certificate.`,
    parse: flag,
    fallback: 'false',
    example: 'false',
  }),
  pool: setting({
    about: `Connections to the ${which} database that one node opens at most.`,
    parse: integer(leastPool, 500),
    fallback: '10',
    example: '10',
  }),
});

// Two: a request with an idempotency key holds one connection while it uses another.
const main = database('main', 'live_tables_main', '5432', 2);
const mini = database('mini', 'live_tables_mini_db', '5433', 1);

const SERVER = {
  NODE_ENV: setting({
    about: 'Kind of installation; `production` never starts embedded databases and refuses weak secrets.',
    parse: oneOf('development', 'test', 'production'),
    fallback: 'development',
    example: 'development',
  }),
  PORT: setting({
    about: 'Port of the API; 0 takes any free one.',
    parse: integer(0, 65_535),
    fallback: '3000',
    example: '3000',
  }),
  HOST: setting({
    about: 'Address that the server listens on; `0.0.0.0` is every interface.',
    parse: text,
    fallback: { development: '127.0.0.1', production: '0.0.0.0' },
    example: '127.0.0.1',
  }),
  LOG_LEVEL: setting({
    about: 'The least important kind of log line that is written.',
    parse: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    fallback: 'info',
    example: 'info',
  }),
  SLOW_QUERY_MS: setting({
    about:
      'Reads and writes of rows, of views, published ones too, and of external databases, exports and imports, that take a database at least so many milliseconds are told in the log, with the shape of what was asked; 0 is none.',
    parse: integer(0, 3_600_000),
    fallback: '1000',
    example: '1000',
  }),
  CORS_ORIGIN: setting({
    about: 'Origins that browsers may call from, separated by commas; `*` is any origin, without credentials.',
    parse: origins,
    fallback: { development: '*', production: '' },
    otherwise: 'none',
    example: 'http://localhost:5173,http://localhost:3000',
  }),
  TRUST_PROXY: setting({
    about: 'How many proxies stand in front of the server, or their addresses; only then `X-Forwarded-For` counts.',
    parse: proxies,
    fallback: '0',
    example: '0',
  }),
  BODY_LIMIT_BYTES: setting({
    about: 'Largest body of a request, in bytes.',
    parse: integer(1_024, 1_073_741_824),
    fallback: '4194304',
    example: '4194304',
  }),
  IMPORT_MAX_BYTES: setting({
    about:
      "Largest file of rows that can be imported, in bytes; until it is through it lies in the system's folder for temporary files.",
    parse: integer(1_024, 1_099_511_627_776),
    fallback: '1073741824',
    example: '1073741824',
  }),
  REQUEST_TIMEOUT: setting({
    about: 'How long a request may take to arrive whole, headers and body; after that it is cut off with 408.',
    parse: duration(1, 3_600),
    fallback: '60s',
    example: '60s',
  }),
  RESPONSE_LIMIT_BYTES: setting({
    about: 'Largest answer made of rows, in bytes; a larger one is refused, and says what to ask for instead.',
    parse: integer(1_024, 1_073_741_824),
    fallback: '67108864',
    example: '67108864',
  }),
  METRICS_TOKEN: setting({
    about: 'Bearer token that `/metrics` asks for, by which Prometheus reads the numbers of this node.',
    remedy: 'make one with: openssl rand -base64 48',
    parse: text,
    otherwise: 'open to everybody in development, not there in production',
    secret: weaknessOfKey,
    example: '',
  }),
  LIVE_PAGE: setting({
    about: 'Whether there is a page at `/live` that shows a table live and edits it; it asks people to sign in.',
    parse: flag,
    fallback: 'true',
    example: 'true',
  }),
  DATA_DIR: setting({
    about: 'Folder for what the embedded form keeps: databases and generated secrets.',
    parse: text,
    fallback: '.data',
    example: '.data',
  }),
  ENV_FILE: setting({
    about: 'File with further settings, read at start; what the process was given itself wins.',
    parse: text,
    fallback: '.env',
  }),
};

const MAIN = {
  DB_HOST: main.host,
  DB_PORT: main.port,
  DB_USERNAME: main.username,
  DB_PASSWORD: main.password,
  DB_DATABASE: main.database,
  DB_SSL: main.ssl,
  DB_POOL_SIZE: main.pool,
};

const MINI = {
  MINI_DB_HOST: mini.host,
  MINI_DB_PORT: mini.port,
  MINI_DB_USERNAME: mini.username,
  MINI_DB_PASSWORD: mini.password,
  MINI_DB_DATABASE: mini.database,
  MINI_DB_SSL: mini.ssl,
  MINI_DB_POOL_SIZE: mini.pool,
};

const SECRETS = {
  JWT_SECRET: setting({
    about: 'Key that signs access tokens; the same on every node.',
    remedy: 'make one with: openssl rand -base64 48',
    parse: text,
    otherwise: 'generated once, kept in `secrets.json` in DATA_DIR',
    requiredInProduction: true,
    secret: weaknessOfKey,
    example: 'development-only-change-me-jwt-signing-key-0001',
  }),
  JWT_SECRETS_PREVIOUS: setting({
    about:
      'Former values of JWT_SECRET, separated by commas: tokens that they signed hold until they end, nothing new is signed.',
    remedy: 'leave out keys whose tokens have ended',
    parse: list,
    fallback: '',
    otherwise: 'none',
    secret: weaknessOfKeys,
    example: '',
  }),
  JWT_ACCESS_TOKEN_EXPIRATION: setting({
    about: 'Life of an access token.',
    parse: duration(5, 86_400),
    fallback: '15m',
    example: '15m',
  }),
  JWT_REFRESH_TOKEN_EXPIRATION: setting({
    about: 'Life of a refresh token; a session that is not refreshed for so long has ended.',
    parse: duration(60, 31_536_000),
    fallback: '30d',
    example: '30d',
  }),
  ENCRYPTION_KEY: setting({
    about: 'Key of everything that is stored encrypted, 64 hexadecimal digits; the same on every node.',
    remedy: 'make one with: openssl rand -hex 32',
    parse: key32,
    otherwise: 'generated once, kept in `secrets.json` in DATA_DIR',
    requiredInProduction: true,
    secret: weaknessOfKey,
    example: '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
  }),
  ENCRYPTION_KEYS_PREVIOUS: setting({
    about:
      'Other values of ENCRYPTION_KEY, separated by commas: what they encrypted can be read, nothing new is encrypted. `npm run keys:rotate` makes them dispensable.',
    remedy: 'leave out keys that nothing is encrypted under',
    parse: keys32,
    fallback: '',
    otherwise: 'none',
    secret: weaknessOfKeys,
    example: '',
  }),
};

const REDIS = {
  REDIS_HOST: setting({
    about:
      'Host of Redis, or of a Redis Cluster; nothing is lost without it, several nodes only hear of each other later.',
    parse: text,
    otherwise: 'no Redis, one node',
    example: 'localhost',
  }),
  REDIS_PORT: setting({ about: 'Port of Redis.', parse: integer(1, 65_535), fallback: '6379', example: '6379' }),
  REDIS_USERNAME: setting({
    about: 'User of Redis (ACL), where it is not the one that Redis calls `default`.',
    parse: text,
    otherwise: 'the default user',
    example: '',
  }),
  REDIS_PASSWORD: setting({
    about: 'Password of Redis.',
    parse: text,
    otherwise: 'no password',
    secret: weaknessOfPassword,
    example: '',
  }),
  REDIS_TLS: setting({
    about: 'Connect to Redis over TLS and verify its certificate.',
    parse: flag,
    fallback: 'false',
    example: 'false',
  }),
};

const MAIL = {
  SMTP_URL: setting({
    about: 'Mail server, such as `smtp://user:password@mail.example.com:587`.',
    parse: smtpUrl,
    otherwise: 'mails are written to the log in development and not sent in production',
    // Never printed. What the mail server asks for is not ours to judge.
    secret: () => undefined,
    example: '',
  }),
  MAIL_FROM: setting({
    about: 'Sender of mails.',
    parse: text,
    fallback: 'Live Tables <no-reply@localhost>',
    example: 'Live Tables <no-reply@localhost>',
  }),
  APP_URL: setting({
    about: 'Address of the interface; links in mails (`/invitations/…`, `/reset-password?token=…`) begin with it.',
    parse: webAddress,
    otherwise: 'the first origin of CORS_ORIGIN, else the address of this server',
    example: 'http://localhost:5173',
  }),
};

const FILES = {
  FILES_DIR: setting({
    about: 'Folder for attached files; on several nodes it has to be the same (shared) folder, or S3 is used.',
    parse: text,
    otherwise: '`files` in DATA_DIR',
    example: '',
  }),
  FILES_MAX_BYTES: setting({
    about: 'Largest file that can be attached, in bytes.',
    parse: integer(1, 5_368_709_120),
    fallback: '26214400',
    example: '26214400',
  }),
  FILES_TYPES: setting({
    about: 'Media types that can be attached, separated by commas, such as `image/*,application/pdf`.',
    parse: mediaTypes,
    fallback: '',
    otherwise: 'any',
    example: '',
  }),
  FILES_URL_SECONDS: setting({
    about: 'For how many seconds an address to download a file works.',
    parse: integer(5, 604_800),
    fallback: '900',
    example: '900',
  }),
  FILES_S3_BUCKET: setting({
    about: 'Bucket for attached files; with it they go to S3, or what speaks its protocol, and not to FILES_DIR.',
    parse: text,
    otherwise: 'files are kept in FILES_DIR',
    example: '',
  }),
  FILES_S3_ENDPOINT: setting({
    about: 'Address of a server that speaks the protocol of S3.',
    parse: webAddress,
    otherwise: 'AWS',
    example: '',
  }),
  FILES_S3_REGION: setting({
    about: 'Region of the bucket.',
    parse: text,
    fallback: 'us-east-1',
    example: 'us-east-1',
  }),
  FILES_S3_ACCESS_KEY: setting({
    about: 'Name of the key for the bucket.',
    parse: text,
    otherwise: 'what the AWS SDK finds, such as the role of the machine',
    example: '',
  }),
  FILES_S3_SECRET_KEY: setting({
    about: 'The key itself.',
    parse: text,
    otherwise: 'as FILES_S3_ACCESS_KEY',
    // Never printed. It is made by the store, and not ours to judge.
    secret: () => undefined,
    example: '',
  }),
  FILES_S3_PREFIX: setting({
    about: 'What the names of all objects begin with, for a bucket that is shared.',
    parse: objectPrefix,
    fallback: '',
    otherwise: 'nothing',
    example: '',
  }),
};

const KEEPING = {
  TRASH_RETENTION: setting({
    about:
      'For how long a deleted workspace, base, table, column or row can be brought back; then it is purged with all its data.',
    parse: duration(60, 315_360_000),
    fallback: '30d',
    example: '30d',
  }),
  CHANGE_LOG_RETENTION: setting({
    about:
      'For how long the change log of rows is kept, which is their history as well; `forever`, or a time span. Who is further behind reads the rows anew.',
    parse: orForever(duration(86_400, 3_153_600_000)),
    fallback: 'forever',
    example: 'forever',
  }),
};

const TRACES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting({
    about: 'Address of an OpenTelemetry collector (OTLP over HTTP); traces go to `/v1/traces` below it.',
    parse: webAddress,
    otherwise: 'no traces',
    example: '',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: setting({
    about: 'Whole address that traces are sent to, where it is another one.',
    parse: webAddress,
    otherwise: '`/v1/traces` below OTEL_EXPORTER_OTLP_ENDPOINT',
    example: '',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting({
    about: 'Headers that go with them, such as a key of the collector: `name=value,name=value`.',
    parse: headerList,
    otherwise: 'none',
    // Whatever the collector gave out: there is nothing to judge.
    secret: () => undefined,
    example: '',
  }),
  OTEL_SERVICE_NAME: setting({
    about: 'Name under which the collector shows this installation.',
    parse: text,
    fallback: 'live-tables',
    example: 'live-tables',
  }),
  OTEL_TRACES_SAMPLER: setting({
    about:
      'Which traces are kept; `parentbased_…` follows the `traceparent` of a request, where there is one. The ratio is that of OTEL_TRACES_SAMPLER_ARG.',
    parse: oneOf(...SAMPLERS),
    fallback: 'parentbased_always_on',
    example: 'parentbased_always_on',
  }),
  OTEL_TRACES_SAMPLER_ARG: setting({
    about: 'Share of the traces that are kept, from 0 to 1.',
    parse: share,
    fallback: '1',
    example: '1',
  }),
  OTEL_SDK_DISABLED: setting({
    about:
      'Whether there are no traces all the same, such as where the other variables are set for all programs of a machine.',
    parse: flag,
    fallback: 'false',
    example: 'false',
  }),
};

const STRUCTURE = {
  INDEX_ADVICE: setting({
    about: 'What becomes of the advice on indexes: `suggest` lists it, `auto` also adds what is used often.',
    parse: oneOf('suggest', 'auto'),
    fallback: 'suggest',
    example: 'suggest',
  }),
  CONVERSION_BACKGROUND_ROWS: setting({
    about:
      'A column of a table with more rows is given another type in the background, while its rows are read and written.',
    parse: integer(0, 10_000_000),
    fallback: '50000',
    example: '50000',
  }),
};

const EXTERNAL = {
  CONNECTIONS_ALLOWED_NETWORKS: setting({
    about:
      'Networks besides the public internet in which external databases and receivers of webhooks may be reached, separated by commas, such as `10.20.0.0/16`.',
    parse: networks,
    fallback: { development: '127.0.0.0/8,::1', production: '' },
    otherwise: 'none',
    example: '127.0.0.0/8,::1',
  }),
  EXTERNAL_CONNECT_TIMEOUT: setting({
    about: 'How long it may take to be connected and signed in to an external database.',
    parse: duration(1, 120),
    fallback: '10s',
    example: '10s',
  }),
  EXTERNAL_STATEMENT_TIMEOUT: setting({
    about: 'How long one statement in an external database may take.',
    parse: duration(1, 3_600),
    fallback: '30s',
    example: '30s',
  }),
  EXTERNAL_MAX_BYTES: setting({
    about: 'Most that an external database may send for one answer, in bytes.',
    parse: integer(65_536, 1_073_741_824),
    fallback: '33554432',
    example: '33554432',
  }),
  EXTERNAL_POOL_SIZE: setting({
    about: 'Sessions that one node opens at most in one external database.',
    parse: integer(1, 100),
    fallback: '5',
    example: '5',
  }),
  EXTERNAL_MAX_OPEN: setting({
    about:
      'External databases that one node holds open at the same time; those that one person has connected are half of them at most.',
    parse: integer(1, 10_000),
    fallback: '100',
    example: '100',
  }),
  EXTERNAL_IDLE_TIMEOUT: setting({
    about: 'After how long a session that nobody uses is ended.',
    parse: duration(1, 86_400),
    fallback: '60s',
    example: '60s',
  }),
  EXTERNAL_MAX_OBJECTS: setting({
    about: 'Tables, views and collections of an external database that are looked at.',
    parse: integer(1, 100_000),
    fallback: '2000',
    example: '2000',
  }),
  VIEWS_MAX_PER_WORKSPACE: setting({
    about: 'Views that a workspace may have, private ones included; those in the trash do not count.',
    parse: integer(1, 1_000_000),
    fallback: '1000',
    example: '1000',
  }),
  LIVE_MAX_PER_WORKSPACE: setting({
    about:
      'Channels of one workspace that the sockets of one node follow together; whoever wants to follow more is refused.',
    parse: integer(1, 10_000_000),
    fallback: '20000',
    example: '20000',
  }),
  JOIN_MAX_ROWS: setting({
    about:
      'Rows of external databases that are copied at most to join, sort or group over several databases, for one answer.',
    parse: integer(1, 100_000_000),
    fallback: '1000000',
    example: '1000000',
  }),
  JOIN_MAX_BYTES: setting({
    about: 'The same in bytes.',
    parse: integer(1_024, 100_000_000_000),
    fallback: '268435456',
    example: '268435456',
  }),
  WEBHOOKS_PLAIN_HTTP: setting({
    about: 'Whether webhooks may be sent to addresses that begin with `http://`: readable on their way, though signed.',
    parse: flag,
    fallback: { development: 'true', production: 'false' },
    example: 'true',
  }),
  EXTERNAL_POLL_INTERVAL: setting({
    about:
      'How often a table of an external database that somebody follows is looked at, to tell of changes that others make there; 0 is never. A look counts all its rows.',
    parse: duration(0, 86_400),
    fallback: '0',
    example: '0',
  }),
  EXTERNAL_SCHEMA_MAX_AGE: setting({
    about: 'For how long the schema of an external database is taken to be as it was found.',
    parse: duration(1, 2_592_000),
    fallback: '1h',
    example: '1h',
  }),
};

const LIMITS = {
  RATE_LIMIT_LIMIT: setting({
    about: 'Requests that one person (or address, when not signed in) may make in the window.',
    parse: integer(1, 1_000_000_000),
    fallback: { development: '6000', production: '3000' },
    example: '6000',
  }),
  RATE_LIMIT_WINDOW_SECONDS: setting({
    about: 'Length of that window.',
    parse: integer(1, 86_400),
    fallback: '60',
    example: '60',
  }),
  RATE_LIMIT_AUTH_LIMIT: setting({
    about: 'Attempts to register, sign in or refresh that one address may make in the window.',
    parse: integer(1, 1_000_000_000),
    fallback: { development: '100', production: '20' },
    example: '100',
  }),
  RATE_LIMIT_AUTH_WINDOW_SECONDS: setting({
    about: 'Length of that window.',
    parse: integer(1, 86_400),
    fallback: '60',
    example: '60',
  }),
  RATE_LIMIT_EXTERNAL_LIMIT: setting({
    about:
      'Requests to external databases, views of theirs among them, that one person may make in RATE_LIMIT_WINDOW_SECONDS.',
    parse: integer(1, 1_000_000_000),
    fallback: { development: '3000', production: '600' },
    example: '3000',
  }),
  RATE_LIMIT_CONNECT_LIMIT: setting({
    about:
      'Hosts that one person may have tried (to test, make or change a connection to a database, or a webhook) in RATE_LIMIT_WINDOW_SECONDS.',
    parse: integer(1, 1_000_000_000),
    fallback: { development: '300', production: '30' },
    example: '300',
  }),
};

/**
 * Every environment variable, once. Parsing, defaults, the rules of production, `.env.example` and `docs/ENVIRONMENT.md`
 * all come from here (`npm run docs:env`).
 */
export const SETTINGS = {
  ...SERVER,
  ...MAIN,
  ...MINI,
  ...SECRETS,
  ...REDIS,
  ...MAIL,
  ...FILES,
  ...KEEPING,
  ...TRACES,
  ...STRUCTURE,
  ...EXTERNAL,
  ...LIMITS,
};

/** The same table under its headings, for people. */
export const SECTIONS: readonly {
  readonly title: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
}[] = [
  { title: 'Server', settings: SERVER },
  { title: 'Main database (people, workspaces, metadata, audit)', settings: MAIN },
  { title: 'Mini database (rows and their change log)', settings: MINI },
  { title: 'Sign-in and encryption', settings: SECRETS },
  { title: 'Redis (optional: several nodes hear of changes at once)', settings: REDIS },
  { title: 'Mail (optional)', settings: MAIL },
  { title: 'Attached files', settings: FILES },
  { title: 'Keeping', settings: KEEPING },
  { title: 'Traces (optional)', settings: TRACES },
  { title: 'Indexes and column types', settings: STRUCTURE },
  { title: 'External databases', settings: EXTERNAL },
  { title: 'Rate limits', settings: LIMITS },
];

/** Name of a known environment variable. */
export type SettingName = keyof typeof SETTINGS;
/** The parsed values; undefined where there is neither a value nor a fallback. */
export type Settings = {
  readonly [Name in SettingName]:
    | ReturnType<(typeof SETTINGS)[Name]['parse']>
    | ((typeof SETTINGS)[Name] extends { readonly fallback: unknown } ? never : undefined);
};
