/** Before the engine and e2e tests: one PostgreSQL for the run, and Redis on the machine. Handed to the tests as LT_TEST. */
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { ensureBuilt } from '../../scripts/lib/build.mjs';
import { inRoot } from '../../scripts/lib/project.mjs';
import { aptInstall, which } from './apt.mjs';
import { makeRunFolder, stopServers, sweepDeadRuns } from './run-folder.mjs';

export default async function setup() {
  // `npm test` has built already; a single test run by hand only needs the part that starts PostgreSQL.
  if (!existsSync(inRoot('dist/database/embedded/cluster.js'))) ensureBuilt();
  const identity = await import('../../dist/database/embedded/process-identity.js');
  sweepDeadRuns(identity);
  const folder = makeRunFolder();
  const postgres = await startPostgres(folder);
  process.env.LT_TEST = JSON.stringify({ folder, postgres: postgres.settings, redisServer: findRedis() });
  const cleanUp = () => {
    postgres.kill();
    stopServers(folder, identity.servesCluster); // what test files started for all of them
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', cleanUp);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])
    process.once(signal, () => process.exit(code));
  globalThis.ltStop = async () => {
    await postgres.stop();
    process.removeListener('exit', cleanUp);
    cleanUp();
  };
}

async function startPostgres(folder) {
  const { createCluster, launch } = await import('../../dist/database/embedded/cluster.js');
  const { freePort } = await import('../../dist/database/embedded/free-port.js');
  const { findHome } = await import('../../dist/database/embedded/home.js');
  const { stopPostmaster } = await import('../../dist/database/embedded/postmaster.js');
  const home = findHome(folder);
  const superuser = { username: 'postgres', password: randomBytes(16).toString('hex') };
  createCluster(home, superuser);
  // Nothing here has to survive a power cut. Durability itself is tested on clusters of its own.
  const fast = {
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    max_connections: 300,
    wal_level: 'minimal',
    max_wal_senders: 0,
  };
  const port = await freePort(0);
  const child = await launch(home, port, console.error, fast);
  return {
    settings: { host: '127.0.0.1', port, superuser, pid: child.pid },
    stop: () => stopPostmaster(child.pid, home.cluster),
    kill: () => child.kill('SIGQUIT'),
  };
}

/** The path of redis-server, or the sentence for a test that asks for it. */
function findRedis() {
  const found = which('redis-server') ?? (aptInstall('redis-server') ? which('redis-server') : undefined);
  if (found) return { path: found };
  return {
    missing:
      'redis-server is missing: install it (Debian: apt-get install redis-server, macOS: brew install redis) and run the tests again.',
  };
}
