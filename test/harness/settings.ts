import { randomBytes } from 'node:crypto';
import type { PostgresSettings } from '../../src/config/index.js';
import { databases, type TestDatabases } from './databases.js';
import { ownFolder } from './run.js';

/** What a test may choose about a server; everything else is made for it. */
export interface ServerOptions {
  /** Left out: a fresh pair. Give the same pair to two servers to make them nodes of one installation. */
  readonly databases?: TestDatabases;
  /** Left out: no Redis. */
  readonly redis?: { readonly host: string; readonly port: number };
  /** Environment variables over those of the harness. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Nodes of one installation share these, as they would in production. */
const secrets = { JWT_SECRET: randomBytes(48).toString('base64'), ENCRYPTION_KEY: randomBytes(32).toString('hex') };

/** The environment of a server under test, complete: nothing of the developer's own settings gets in. */
export async function serverEnvironment(options: ServerOptions): Promise<Record<string, string>> {
  const { main, mini } = options.databases ?? (await databases());
  return {
    NODE_ENV: 'test',
    ENV_FILE: '/dev/null',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'error',
    DATA_DIR: ownFolder('data'),
    ...databaseVariables('DB', main),
    ...databaseVariables('MINI_DB', mini),
    ...(options.redis ? { REDIS_HOST: options.redis.host, REDIS_PORT: String(options.redis.port) } : {}),
    ...secrets,
    RATE_LIMIT_LIMIT: '1000000',
    RATE_LIMIT_AUTH_LIMIT: '1000000',
    RATE_LIMIT_EXTERNAL_LIMIT: '1000000',
    RATE_LIMIT_CONNECT_LIMIT: '1000000',
    ...options.env,
  };
}

function databaseVariables(prefix: string, settings: PostgresSettings): Record<string, string> {
  return {
    [`${prefix}_HOST`]: settings.host,
    [`${prefix}_PORT`]: String(settings.port),
    [`${prefix}_USERNAME`]: settings.username,
    [`${prefix}_PASSWORD`]: settings.password,
    [`${prefix}_DATABASE`]: settings.database,
    [`${prefix}_POOL_SIZE`]: String(settings.poolSize),
  };
}
