/** Before the engine and e2e tests: one PostgreSQL for the run, and Redis on the machine. Handed to the tests as LT_TEST. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { ensureBuilt } from '../../scripts/lib/build.mjs';
import { inRoot } from '../../scripts/lib/project.mjs';
import { makeRunFolder, sweepDeadRuns } from './run-folder.mjs';

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
    rmSync(folder, { recursive: true, force: true });
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
  const found = which();
  if (found) return { path: found };
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.error('Installing redis-server for the tests …');
    const apt = (...args) =>
      execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
        stdio: 'pipe',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    try {
      apt('update');
      apt('install', '-y', '--no-install-recommends', 'redis-server');
    } catch {
      return {
        missing: 'redis-server is missing and apt-get cannot install it: install Redis and run the tests again.',
      };
    }
    const installed = which();
    if (installed) return { path: installed };
  }
  return {
    missing:
      'redis-server is missing: install it (Debian: apt-get install redis-server, macOS: brew install redis) and run the tests again.',
  };
}

function which() {
  return (process.env.PATH ?? '')
    .split(':')
    .map((folder) => `${folder}/redis-server`)
    .find((file) => existsSync(file));
}
