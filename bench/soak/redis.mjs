/** A Redis of the soak's own, on a free port, that keeps nothing. */
import { spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { freePort } from '../../dist/database/embedded/free-port.js';
import { Told } from '../../scripts/lib/project.mjs';

export async function startRedis(folder) {
  const port = await freePort(0);
  const options = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: 'ignore', cwd: folder });
  const failed = new Promise((_, reject) =>
    child.once('error', () =>
      reject(new Told('Two nodes need Redis: install it (Debian: apt-get install redis-server), or give --nodes 1.')),
    ),
  );
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 100 });
  client.on('error', () => undefined); // it is not there yet
  await Promise.race([client.ping(), failed]);
  const info = async (section, name) =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await client.info(section))?.[1]);
  return {
    port,
    /** Clients besides this one, keys, and memory in MB. */
    measure: async () => ({
      clients: (await info('clients', 'connected_clients')) - 1,
      keys: await client.dbsize(),
      mb: (await info('memory', 'used_memory')) / 2 ** 20,
    }),
    stop: () => {
      client.disconnect();
      child.kill('SIGKILL');
    },
  };
}
