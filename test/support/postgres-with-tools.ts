import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { PostgresSettings } from '../../src/config/index.js';
import { serverAccount } from '../../src/database/embedded/account.js';
import { migrateMain } from '../../src/database/main/index.js';
import { migrateMini, ROLES } from '../../src/database/mini/index.js';
import { aptInstall } from '../harness/apt.mjs';
import { afterThisFile, freePort, ownFolder, waitFor, type TestDatabases } from '../harness/index.js';

const FOLDERS = '/usr/lib/postgresql';
const MISSING =
  'There is no PostgreSQL with pg_dump: install one (Debian: apt-get install postgresql) and run the tests again. The one that comes with the project has no such programs.';

/** Folder with the server and the client programs of one version. */
function programs(): string {
  const find = () =>
    (existsSync(FOLDERS) ? readdirSync(FOLDERS) : [])
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => path.join(FOLDERS, version, 'bin'))
      .find((folder) =>
        ['initdb', 'postgres', 'pg_dump', 'pg_restore'].every((name) => existsSync(path.join(folder, name))),
      );
  const found = find() ?? (aptInstall('postgresql') ? find() : undefined);
  if (!found) throw new Error(MISSING);
  return found;
}

/**
 * A PostgreSQL server of the machine's own package, whose pg_dump is of its version, and pairs of databases on it; it ends after the tests of
 * this file. `migrated: false` makes empty ones. With `roles` the server has those of the mini-DB.
 */
export async function postgresWithTools({ roles = false } = {}): Promise<{
  pair(options?: { migrated?: boolean }): Promise<TestDatabases>;
}> {
  const bin = programs();
  const folder = ownFolder('postgres-tools');
  const data = path.join(folder, 'data');
  const account = serverAccount(data);
  const identity = account ? { uid: account.uid, gid: account.gid } : {};
  mkdirSync(data);
  if (account) chownSync(data, account.uid, account.gid);
  execFileSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'],
    {
      ...identity,
      cwd: '/',
      stdio: 'pipe',
    },
  );
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    max_connections: 150,
  };
  const log = openSync(path.join(folder, 'log'), 'a');
  const child = spawn(
    path.join(bin, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...identity, cwd: '/', stdio: ['ignore', log, log] },
  );
  writeFileSync(path.join(folder, 'pid'), String(child.pid));
  afterThisFile(() => void child.kill('SIGQUIT'));
  const admin = async (...statements: readonly string[]) => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await waitFor(() => admin('select 1').then(() => true), 30_000);
  await admin("create role live_tables login createrole password 'of the tests only'");
  // Bases belong to the owner's role then, as on a server that was made ready for operators.
  if (roles)
    for (const role of Object.values(ROLES)) await admin(`create role ${role}`, `grant ${role} to live_tables`);
  let made = 0;
  return {
    async pair({ migrated = true } = {}) {
      const nr = ++made;
      const settingsOf = (database: string): PostgresSettings => ({
        ...{ host: '127.0.0.1', port, username: 'live_tables', password: 'of the tests only' },
        ...{ database, tls: false, poolSize: 8 },
      });
      const pair = { main: settingsOf(`main_${nr}`), mini: settingsOf(`mini_${nr}`) };
      await admin(...Object.values(pair).map(({ database }) => `create database ${database} owner live_tables`));
      if (migrated) await Promise.all([migrateMain(pair.main), migrateMini(pair.mini)]);
      return pair;
    },
  };
}
