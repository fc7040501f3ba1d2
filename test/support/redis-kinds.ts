import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { CA_CERTIFICATE, SERVER_CERTIFICATE, SERVER_KEY } from '../harness/certificates.js';
import { afterThisFile, freePort, ownFolder, redis, waitFor, type TestRedis } from '../harness/index.js';
import { testRun } from '../harness/run.js';

const SLOTS = 16_384;

/** Connects for the tests themselves; ended after the tests of this file. */
function ask({ host, port }: Pick<TestRedis, 'host' | 'port'>): Redis {
  const client = new Redis(port, host);
  client.on('error', () => undefined);
  afterThisFile(() => client.disconnect());
  return client;
}

export interface ClusterNode extends TestRedis {
  readonly client: Redis;
  readonly id: string;
}

/** A Redis Cluster of three nodes without replicas; one that dies takes nothing but its slots along. */
export async function redisCluster(): Promise<readonly ClusterNode[]> {
  const nodes = await Promise.all(
    [0, 1, 2].map(async () => {
      const more = {
        'cluster-enabled': 'yes',
        'cluster-port': String(await freePort()),
        'cluster-require-full-coverage': 'no',
        'cluster-node-timeout': '1000',
      };
      const node = await redis({ more });
      const client = ask(node);
      return { ...node, busPort: more['cluster-port'], client, id: await client.cluster('MYID') };
    }),
  );
  const [first, ...others] = nodes;
  for (const [i, { client }] of nodes.entries()) {
    const from = Math.floor((SLOTS * i) / nodes.length);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.floor((SLOTS * (i + 1)) / nodes.length) - 1);
  }
  for (const { host, port, busPort } of others) await first?.client.call('CLUSTER', 'MEET', host, port, busPort);
  for (const { client } of nodes)
    await waitFor(async () => {
      const info = await client.cluster('INFO');
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
    }, 20_000);
  return nodes;
}

/** A Redis that asks for TLS and a user who may do no more than `rights` says; `ca` is the file with the authority of its certificate. */
export async function guardedRedis(
  rights: readonly string[],
): Promise<{ readonly host: string; readonly port: number; readonly env: Readonly<Record<string, string>> }> {
  const folder = ownFolder('redis-tls');
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const ca = file('ca.pem', CA_CERTIFICATE);
  const port = await freePort();
  const password = 'of the tests only';
  const { client } = await redis({
    more: {
      'tls-port': String(port),
      'tls-cert-file': file('server.pem', SERVER_CERTIFICATE),
      'tls-key-file': file('server.key', SERVER_KEY),
      'tls-ca-cert-file': ca,
      'tls-auth-clients': 'no',
    },
  }).then((server) => ({ client: ask(server) }));
  await client.acl('SETUSER', 'tables', 'on', `>${password}`, ...rights);
  const env = { REDIS_TLS: 'true', REDIS_USERNAME: 'tables', REDIS_PASSWORD: password, NODE_EXTRA_CA_CERTS: ca };
  return { host: 'localhost', port, env };
}

/** A Redis Sentinel that watches a Redis. */
export async function redisSentinel(): Promise<{ readonly host: string; readonly port: number }> {
  const { redisServer } = testRun();
  if ('missing' in redisServer) throw new Error(redisServer.missing);
  const [watched, folder, port] = [await redis(), ownFolder('sentinel'), await freePort()];
  const file = path.join(folder, 'sentinel.conf');
  writeFileSync(
    file,
    [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel monitor main 127.0.0.1 ${watched.port} 1`].join('\n'),
  );
  const child = spawn(redisServer.path, [file, '--sentinel'], { cwd: folder, stdio: 'ignore' });
  writeFileSync(path.join(folder, 'pid'), String(child.pid));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  afterThisFile(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const client = ask({ host: '127.0.0.1', port });
  await waitFor(() =>
    client.ping().then(
      () => true,
      () => false,
    ),
  );
  return { host: '127.0.0.1', port };
}
