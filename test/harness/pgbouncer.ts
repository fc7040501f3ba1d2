import { spawn } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { PostgresSettings } from '../../src/config/index.js';
import { serverAccount } from '../../src/database/embedded/account.js';
import { aptInstall, which } from './apt.mjs';
import { afterThisFile, freePort, ownFolder } from './run.js';
import { waitFor } from './wait-for.js';

const MISSING =
  'pgbouncer is missing: install it (Debian: apt-get install pgbouncer, macOS: brew install pgbouncer) and run the tests again.';

/** PgBouncer before a database; gives the settings to reach it by. It ends after the tests of this file. */
export async function pgbouncerBefore(
  database: PostgresSettings,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresSettings> {
  const program = which('pgbouncer') ?? (aptInstall('pgbouncer') ? which('pgbouncer') : undefined);
  if (!program) throw new Error(MISSING);
  const folder = ownFolder('pgbouncer');
  const port = await freePort();
  const users = path.join(folder, 'users.txt');
  const file = path.join(folder, 'pgbouncer.ini');
  const own = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: users,
  };
  const lines = Object.entries({ ...own, ...settings }).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(users, `"${database.username}" "${database.password}"\n`);
  writeFileSync(
    file,
    `[databases]\n* = host=${database.host} port=${database.port}\n[pgbouncer]\n${lines.join('\n')}\n`,
  );
  // It refuses to run as root, as PostgreSQL does.
  const account = serverAccount(folder);
  if (account) for (const each of [folder, users, file]) chownSync(each, account.uid, account.gid);
  const child = spawn(program, ['-q', file], { stdio: 'ignore', uid: account?.uid, gid: account?.gid });
  writeFileSync(path.join(folder, 'pid'), String(child.pid));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  afterThisFile(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const pooled = { ...database, port };
  await waitFor(() => answers(pooled));
  return pooled;
}

async function answers({ host, port, username, password, database }: PostgresSettings): Promise<boolean> {
  const client = new pg.Client({ host, port, user: username, password, database });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
