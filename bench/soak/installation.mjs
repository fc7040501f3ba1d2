/** What the soak runs on: PostgreSQL, Redis and nodes as processes of their own, in a temporary folder and on free ports. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { start } from '../children.mjs';
import { startPostgres } from '../postgres.mjs';
import { startRedis } from './redis.mjs';

const METRICS_TOKEN = randomBytes(32).toString('hex');
const PROBE = pathToFileURL(path.join(import.meta.dirname, 'probe.mjs')).href;

/** Short, so that within minutes of a run tokens end, pools close what they do not need, and what was deleted is purged. */
const BRISK = {
  JWT_ACCESS_TOKEN_EXPIRATION: '2m',
  EXTERNAL_IDLE_TIMEOUT: '10s',
  TRASH_RETENTION: '2m',
};
const UNLIMITED = Object.fromEntries(
  ['LIMIT', 'AUTH_LIMIT', 'EXTERNAL_LIMIT', 'CONNECT_LIMIT'].map((name) => [`RATE_LIMIT_${name}`, '1000000']),
);

/** @param count how many nodes; more than one share a Redis */
export async function install(folder, count) {
  const postgres = await startPostgres(folder);
  const redis = count > 1 ? await startRedis(folder) : undefined;
  const { role, databases, port } = postgres;
  const database = (prefix, name) => ({
    [`${prefix}_HOST`]: '127.0.0.1',
    [`${prefix}_PORT`]: String(port),
    [`${prefix}_USERNAME`]: role.user,
    [`${prefix}_PASSWORD`]: role.password,
    [`${prefix}_DATABASE`]: name,
  });
  const env = {
    NODE_ENV: 'production',
    ENV_FILE: '/dev/null',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
    DATA_DIR: path.join(folder, 'data'),
    ...database('DB', databases.main),
    ...database('MINI_DB', databases.mini),
    ...(redis ? { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) } : {}),
    JWT_SECRET: randomBytes(48).toString('base64'),
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    METRICS_TOKEN,
    CONNECTIONS_ALLOWED_NETWORKS: '127.0.0.1/32',
    WEBHOOKS_PLAIN_HTTP: 'true',
    ...UNLIMITED,
    ...BRISK,
  };
  const execArgv = ['--expose-gc', '--import', PROBE];
  const nodes = [];
  // One after the other: the first makes the databases what they have to be.
  for (let nr = 0; nr < count; nr++) {
    const process = await start('../dist/main.js', { env, cwd: folder, execArgv });
    nodes.push({ base: process.ready.ready, ...process });
  }
  return { postgres, redis, nodes, metricsToken: METRICS_TOKEN };
}
