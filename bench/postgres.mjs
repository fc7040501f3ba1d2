/** A PostgreSQL of the benchmark's own: the embedded binaries in a temporary folder, durable, with room for the data. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { createCluster, launch } from '../dist/database/embedded/cluster.js';
import { DATABASES, ensureDatabases } from '../dist/database/embedded/databases.js';
import { freePort } from '../dist/database/embedded/free-port.js';
import { findHome } from '../dist/database/embedded/home.js';
import { stopPostmaster } from '../dist/database/embedded/postmaster.js';
import { RecordClient } from '../dist/database/mini/record-client.js';

export const SETTINGS = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  max_connections: 60,
};

export async function startPostgres(folder) {
  const home = findHome(folder);
  const superuser = { username: 'postgres', password: randomBytes(16).toString('hex') };
  createCluster(home, superuser);
  const port = await freePort(0);
  const child = await launch(home, port, console.error, SETTINGS);
  const role = { user: 'live_tables', password: randomBytes(24).toString('hex') };
  const connect = async (database, user = superuser.username, password = superuser.password) => {
    // The server's own, which can take rows in the form that they come in.
    const client = new RecordClient({ host: '127.0.0.1', port, database, user, password });
    await client.connect();
    return client;
  };
  // The server's own way, with the roles of the mini-DB: what it does when it finds them is part of what is measured.
  await ensureDatabases({ host: '127.0.0.1', username: role.user, password: role.password, superuser }, port);
  const client = await connect('postgres');
  const version = (await client.query('show server_version')).rows[0].server_version;
  await client.end();
  return {
    port,
    version,
    role,
    databases: DATABASES,
    /** The mini-DB as the role of the server, which may become the owner of the tables. */
    asServer: () => connect(DATABASES.mini, role.user, role.password),
    /** The file with all that PostgreSQL says. */
    log: path.join(folder, 'postgres.log'),
    /** From the next statement of each connection on. */
    logStatements: async (on) => {
      const superuser = await connect('postgres');
      await superuser.query(`alter system set log_min_duration_statement = ${on ? 0 : -1}`);
      await superuser.query('select pg_reload_conf()');
      await superuser.end();
      // Connections hear of it by a signal.
      await new Promise((resolve) => setTimeout(resolve, 300));
    },
    pids: () => familyOf(child.pid),
    stop: () => stopPostmaster(child.pid, home.cluster, 20_000),
    kill: () => child.kill('SIGQUIT'),
  };
}

/** The postmaster and its children. Those that ended have left their time with it, as `cutime`, which is not counted. */
function familyOf(pid) {
  try {
    const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
    return [pid, ...children.map(Number)];
  } catch {
    return [pid];
  }
}

function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
  } catch {
    return undefined; // it ended in between
  }
}
