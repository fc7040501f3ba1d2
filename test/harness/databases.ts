import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { PostgresSettings } from '../../src/config/index.js';
import { ensureRoles } from '../../src/database/embedded/index.js';
import { migrateMain } from '../../src/database/main/index.js';
import { migrateMini } from '../../src/database/mini/index.js';
import { afterThisFile, testRun } from './run.js';

/** A main and a mini database that nobody else uses. */
export interface TestDatabases {
  readonly main: PostgresSettings;
  readonly mini: PostgresSettings;
}

const ROLE = { username: 'live_tables', password: 'of the tests only' };
const TEMPLATES = { main: 'template_main', mini: 'template_mini' } as const;
/** Two workers that need the templates at once make them one after the other. */
const TEMPLATE_LOCK = 5_117;

/** Makes a fresh pair, migrated unless `migrated: false`; it is dropped after the tests of this file. */
export async function databases({ migrated = true } = {}): Promise<TestDatabases> {
  const name = `t${randomBytes(6).toString('hex')}`;
  const names = { main: `${name}_main`, mini: `${name}_mini` };
  await asSuperuser('postgres', async (client) => {
    await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    await ensureTemplates(client);
    for (const which of ['main', 'mini'] as const) {
      const template = migrated ? TEMPLATES[which] : 'template1';
      await formatted(client, 'create database %I owner %I template %I', names[which], ROLE.username, template);
    }
    // As a start does; a copy of a database does not take over what was granted on its template.
    if (migrated) await formatted(client, 'grant create on database %I to mini_owner', names.mini);
  });
  afterThisFile(() =>
    asSuperuser('postgres', async (client) => {
      for (const each of Object.values(names)) await formatted(client, 'drop database if exists %I with (force)', each);
    }),
  );
  return { main: settingsOf(names.main), mini: settingsOf(names.mini) };
}

/** Runs `work` as a superuser in a database: to look behind the API, or to break things. */
export async function asSuperuser<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, superuser } = testRun().postgres;
  const client = new pg.Client({ host, port, database, user: superuser.username, password: superuser.password });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** One query in a test database, past the API. It leaves nothing behind in its session, for others get the same one. */
export async function sql<T extends pg.QueryResultRow>(
  { database }: PostgresSettings,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  return (await superusers(database).query<T>(text, [...values])).rows;
}

const pools = new Map<string, pg.Pool>();

/** Signing in costs more than most queries, and tests that wait for something ask forty times a second. */
function superusers(database: string): pg.Pool {
  const known = pools.get(database);
  if (known) return known;
  const { host, port, superuser } = testRun().postgres;
  const { username: user, password } = superuser;
  const pool = new pg.Pool({ host, port, database, user, password, max: 20, allowExitOnIdle: true });
  // An idle connection was cut, which tests do on purpose; the next query gets a new one.
  pool.on('error', () => undefined);
  pools.set(database, pool);
  afterThisFile(() => {
    pools.delete(database);
    // Not awaited: what still runs is ended with its database.
    pool.end().catch(() => undefined);
  });
  return pool;
}

const settingsOf = (database: string): PostgresSettings => {
  const { host, port } = testRun().postgres;
  return { host, port, ...ROLE, database, tls: false, poolSize: 8 };
};

/** Migrated once per run, then copied. A template gets its name when it is complete. */
async function ensureTemplates(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select datname as name from pg_database');
  const existing = new Set(rows.map(({ name }) => name));
  const role = await client.query('select from pg_roles where rolname = $1', [ROLE.username]);
  if (role.rowCount === 0)
    await formatted(client, 'create role %I login createrole password %L', ROLE.username, ROLE.password);
  await ensureRoles(client, ROLE.username);
  for (const which of ['main', 'mini'] as const) {
    if (existing.has(TEMPLATES[which])) continue;
    const draft = `draft_${which}`;
    await formatted(client, 'drop database if exists %I', draft);
    await formatted(client, 'create database %I owner %I', draft, ROLE.username);
    await (which === 'main' ? migrateMain : migrateMini)(settingsOf(draft));
    await formatted(client, 'alter database %I rename to %I', draft, TEMPLATES[which]);
  }
}

/** DDL takes no parameters, so the server itself quotes them into the statement. */
async function formatted(client: pg.Client, template: string, ...values: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ statement: string }>('select format($1, variadic $2::text[]) as statement', [
    template,
    values,
  ]);
  for (const { statement } of rows) await client.query(statement);
}
