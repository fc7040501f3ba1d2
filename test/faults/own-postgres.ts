import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createCluster, launch } from '../../src/database/embedded/cluster.js';
import { DATABASES, ensureRoles } from '../../src/database/embedded/index.js';
import { findHome } from '../../src/database/embedded/home.js';
import { stopPostmaster } from '../../src/database/embedded/postmaster.js';
import { afterThisFile, freePort, ownFolder, type TestDatabases } from '../harness/index.js';

/** A PostgreSQL of one's own that keeps what it acknowledged through a crash, as that of the run does not. */
export interface OwnPostgres {
  readonly port: number;
  readonly pair: TestDatabases;
  /** As the loss of the machine: nobody is asked, the next start replays the log. */
  crash(): Promise<void>;
  start(): Promise<void>;
}

export async function ownPostgres(): Promise<OwnPostgres> {
  const home = findHome(ownFolder('own-postgres'));
  const superuser = { username: 'postgres', password: randomBytes(16).toString('hex') };
  createCluster(home, superuser);
  const port = await freePort();
  const launched = () => launch(home, port, () => undefined, { max_connections: 150, shared_buffers: '64MB' });
  let child: Awaited<ReturnType<typeof launched>> | undefined = await launched();
  const crash = async () => {
    const ending = child;
    child = undefined;
    if (!ending) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGQUIT');
    await ended;
  };
  afterThisFile(async () => {
    if (child?.pid !== undefined) await stopPostmaster(child.pid, home.cluster, 2_000);
  });
  const role = { username: 'live_tables', password: randomBytes(12).toString('hex') };
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    database: 'postgres',
    user: superuser.username,
    password: superuser.password,
  });
  await client.connect();
  try {
    await client.query(`create role live_tables login createrole password '${role.password}'`);
    await ensureRoles(client, role.username);
    for (const database of Object.values(DATABASES))
      await client.query(`create database ${database} owner live_tables`);
  } finally {
    await client.end();
  }
  const settingsOf = (database: string) => ({ host: '127.0.0.1', port, ...role, database, tls: false, poolSize: 8 });
  return {
    port,
    pair: { main: settingsOf(DATABASES.main), mini: settingsOf(DATABASES.mini) },
    crash,
    start: async () => {
      child ??= await launched();
    },
  };
}
