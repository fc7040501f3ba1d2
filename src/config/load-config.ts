import { readFileSync } from 'node:fs';
import path from 'node:path';
import { must } from '../common/assert.js';
import type {
  AppConfig,
  ExternalSettings,
  FileSettings,
  PostgresSettings,
  S3Settings,
  TracingSettings,
} from './app-config.js';
import { projectRoot } from './environment.js';
import { ConfigError, readSettings, type ReadSettings } from './read-settings.js';
import type { GeneratedSecrets } from './secrets-file.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What an installation without configuration brings itself. */
export interface Provided {
  /** The embedded databases that run; each stands in where the environment names none. */
  readonly main?: PostgresSettings;
  readonly mini?: PostgresSettings;
  readonly secrets?: Pick<GeneratedSecrets, 'jwtSecret' | 'encryptionKey'>;
}

/** What has to be brought before {@link loadConfig} can answer. */
export interface Needs {
  readonly main: boolean;
  readonly mini: boolean;
  readonly secrets: boolean;
  readonly dataDir: string;
  /** Connections per embedded database. */
  readonly poolSizes: { readonly main: number; readonly mini: number };
}

/** Which parts the environment leaves to the embedded form. Throws {@link ConfigError}. */
export function needsOf(env: Environment): Needs {
  const read = readSettings(env);
  const { values, given } = read;
  return {
    main: !isConfigured(read, 'DB'),
    mini: !isConfigured(read, 'MINI_DB'),
    secrets: !given.has('JWT_SECRET') || !given.has('ENCRYPTION_KEY'),
    dataDir: path.resolve(projectRoot, values.DATA_DIR),
    poolSizes: { main: values.DB_POOL_SIZE, mini: values.MINI_DB_POOL_SIZE },
  };
}

/** The validated configuration of the process. Throws one {@link ConfigError} that lists each bad variable and what to do. */
export function loadConfig(env: Environment, provided: Provided = {}): AppConfig {
  const read = readSettings(env);
  const { values } = read;
  const secrets = {
    jwt: values.JWT_SECRET ?? provided.secrets?.jwtSecret ?? missing('JWT_SECRET'),
    encryption:
      values.ENCRYPTION_KEY ?? Buffer.from(provided.secrets?.encryptionKey ?? missing('ENCRYPTION_KEY'), 'hex'),
  };
  const configured = { main: isConfigured(read, 'DB'), mini: isConfigured(read, 'MINI_DB') };
  return {
    environment: values.NODE_ENV,
    ...product(),
    port: values.PORT,
    host: values.HOST,
    logLevel: values.LOG_LEVEL,
    corsOrigins: values.CORS_ORIGIN,
    trustProxy: values.TRUST_PROXY,
    slowQueryMs: values.SLOW_QUERY_MS,
    bodyLimit: values.BODY_LIMIT_BYTES,
    importMaxBytes: values.IMPORT_MAX_BYTES,
    responseLimit: values.RESPONSE_LIMIT_BYTES,
    requestSeconds: values.REQUEST_TIMEOUT,
    metrics: {
      served: values.METRICS_TOKEN !== undefined || values.NODE_ENV !== 'production',
      ...(values.METRICS_TOKEN === undefined ? {} : { token: values.METRICS_TOKEN }),
    },
    livePage: values.LIVE_PAGE,
    mainDb: configured.main ? databaseOf(read, 'DB') : (provided.main ?? missing('DB_HOST')),
    miniDb: configured.mini ? databaseOf(read, 'MINI_DB') : (provided.mini ?? missing('MINI_DB_HOST')),
    embedded: !configured.main || !configured.mini,
    ...redisOf(read),
    ...tracingOf(read),
    jwt: {
      secret: secrets.jwt,
      previousSecrets: values.JWT_SECRETS_PREVIOUS,
      accessSeconds: values.JWT_ACCESS_TOKEN_EXPIRATION,
      refreshSeconds: values.JWT_REFRESH_TOKEN_EXPIRATION,
    },
    encryptionKey: secrets.encryption,
    previousEncryptionKeys: values.ENCRYPTION_KEYS_PREVIOUS,
    rateLimit: {
      limit: values.RATE_LIMIT_LIMIT,
      windowSeconds: values.RATE_LIMIT_WINDOW_SECONDS,
      authLimit: values.RATE_LIMIT_AUTH_LIMIT,
      authWindowSeconds: values.RATE_LIMIT_AUTH_WINDOW_SECONDS,
      externalLimit: values.RATE_LIMIT_EXTERNAL_LIMIT,
      connectLimit: values.RATE_LIMIT_CONNECT_LIMIT,
    },
    appUrl: appUrlOf(read),
    mail: { from: values.MAIL_FROM, ...(values.SMTP_URL === undefined ? {} : { smtpUrl: values.SMTP_URL }) },
    files: filesOf(read),
    external: externalOf(read),
    webhooks: { mayBePlain: values.WEBHOOKS_PLAIN_HTTP },
    maxViews: values.VIEWS_MAX_PER_WORKSPACE,
    maxFollowedPerWorkspace: values.LIVE_MAX_PER_WORKSPACE,
    joins: { maxRows: values.JOIN_MAX_ROWS, maxBytes: values.JOIN_MAX_BYTES },
    trashSeconds: values.TRASH_RETENTION,
    ...(values.CHANGE_LOG_RETENTION === 'forever' ? {} : { changeLogSeconds: values.CHANGE_LOG_RETENTION }),
    indexAdvice: values.INDEX_ADVICE,
    conversionBackgroundRows: values.CONVERSION_BACKGROUND_ROWS,
    dataDir: path.resolve(projectRoot, values.DATA_DIR),
  };
}

/** People reach the interface where browsers come from, or there is none but this server. */
function appUrlOf({ values: { APP_URL, CORS_ORIGIN, PORT } }: ReadSettings): string {
  return APP_URL ?? CORS_ORIGIN.find((origin) => origin !== '*') ?? `http://localhost:${PORT}`;
}

type Prefix = 'DB' | 'MINI_DB';

/** A database is the user's own as soon as anything says where it is or who signs in. */
function isConfigured({ given }: ReadSettings, prefix: Prefix): boolean {
  return (['HOST', 'PORT', 'USERNAME', 'PASSWORD', 'DATABASE'] as const).some((part) => given.has(`${prefix}_${part}`));
}

function databaseOf({ values }: ReadSettings, prefix: Prefix): PostgresSettings {
  return {
    host: values[`${prefix}_HOST`] ?? 'localhost',
    port: values[`${prefix}_PORT`],
    username: values[`${prefix}_USERNAME`],
    password: values[`${prefix}_PASSWORD`] ?? '',
    database: values[`${prefix}_DATABASE`],
    tls: values[`${prefix}_SSL`],
    poolSize: values[`${prefix}_POOL_SIZE`],
  };
}

function redisOf({ values }: ReadSettings): Pick<AppConfig, 'redis'> {
  if (values.REDIS_HOST === undefined) return {};
  const {
    REDIS_HOST: host,
    REDIS_PORT: port,
    REDIS_USERNAME: username,
    REDIS_PASSWORD: password,
    REDIS_TLS: tls,
  } = values;
  const signIn = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  return { redis: { host, port, tls, ...signIn } };
}

/** Off unless there is somewhere to send traces to. */
function tracingOf({ values }: ReadSettings): { readonly tracing?: TracingSettings } {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = values;
  const url = whole ?? (base === undefined ? undefined : `${base}/v1/traces`);
  if (url === undefined || values.OTEL_SDK_DISABLED) return {};
  return {
    tracing: {
      url,
      headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      serviceName: values.OTEL_SERVICE_NAME,
      sampler: values.OTEL_TRACES_SAMPLER,
      ratio: values.OTEL_TRACES_SAMPLER_ARG,
    },
  };
}

function filesOf({ values }: ReadSettings): FileSettings {
  const s3 = s3Of(values);
  return {
    directory: path.resolve(projectRoot, values.FILES_DIR ?? path.join(values.DATA_DIR, 'files')),
    maxBytes: values.FILES_MAX_BYTES,
    types: values.FILES_TYPES,
    urlSeconds: values.FILES_URL_SECONDS,
    ...(s3 ? { s3 } : {}),
  };
}

const externalOf = ({ values }: ReadSettings): ExternalSettings => ({
  allowedNetworks: values.CONNECTIONS_ALLOWED_NETWORKS,
  connectMs: values.EXTERNAL_CONNECT_TIMEOUT * 1_000,
  statementMs: values.EXTERNAL_STATEMENT_TIMEOUT * 1_000,
  maxBytes: values.EXTERNAL_MAX_BYTES,
  poolSize: values.EXTERNAL_POOL_SIZE,
  maxOpen: values.EXTERNAL_MAX_OPEN,
  idleMs: values.EXTERNAL_IDLE_TIMEOUT * 1_000,
  maxObjects: values.EXTERNAL_MAX_OBJECTS,
  pollMs: values.EXTERNAL_POLL_INTERVAL * 1_000,
  schemaMaxAgeMs: values.EXTERNAL_SCHEMA_MAX_AGE * 1_000,
});

function s3Of(values: ReadSettings['values']): S3Settings | undefined {
  const { FILES_S3_BUCKET: bucket, FILES_S3_ENDPOINT: endpoint, FILES_S3_REGION: region } = values;
  if (bucket === undefined) return undefined;
  const [accessKeyId, secretAccessKey] = [values.FILES_S3_ACCESS_KEY, values.FILES_S3_SECRET_KEY];
  const keys =
    accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
  return {
    bucket,
    region,
    prefix: values.FILES_S3_PREFIX,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(keys ? { credentials: keys } : {}),
  };
}

const missing = (name: string): never => {
  throw new ConfigError([`${name} is missing.`]);
};

function product(): Pick<AppConfig, 'name' | 'version'> {
  const { name, version } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as Partial<
    Record<'name' | 'version', string>
  >;
  return { name: must(name, 'package.json has a name'), version: must(version, 'package.json has a version') };
}
