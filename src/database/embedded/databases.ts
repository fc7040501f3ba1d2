import pg from 'pg';
import type { GeneratedSecrets } from '../../config/index.js';
import { ROLE_GRANTS, ROLES } from '../mini/index.js';

/** Names of the two embedded databases, as everywhere else. */
export const DATABASES = { main: 'live_tables_main', mini: 'live_tables_mini_db' } as const;

/** Whether the server takes the superuser's password; other failures are thrown. */
export async function acceptsSuperuser(secrets: GeneratedSecrets['postgres'], port: number): Promise<boolean> {
  const client = superuserClient(secrets, port);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { readonly code?: string }).code === '28P01') return false; // invalid_password
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Makes the application's role (no superuser) and its two databases, where missing, and gives the role its password. */
export async function ensureDatabases(secrets: GeneratedSecrets['postgres'], port: number): Promise<void> {
  const client = superuserClient(secrets, port);
  await client.connect();
  try {
    const { rows } = await client.query<{ role: boolean; names: string[] }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              array(select datname::text from pg_database where datname = any ($2)) as names`,
      [secrets.username, Object.values(DATABASES)],
    );
    const [found] = rows;
    if (found?.role !== true) await formatted(client, 'create role %I login createrole', secrets.username);
    await formatted(client, 'alter role %I password %L', secrets.username, secrets.password);
    for (const name of Object.values(DATABASES))
      if (found?.names.includes(name) !== true)
        await formatted(client, 'create database %I owner %I', name, secrets.username);
    await ensureRoles(client, secrets.username);
  } finally {
    await client.end();
  }
}

/** Makes the roles of the mini-DB, where missing, and the one that signs in a member of them. `client` is a superuser's. */
export async function ensureRoles(client: pg.Client, username: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select rolname as name from pg_roles');
  for (const role of Object.values(ROLES))
    if (!rows.some(({ name }) => name === role)) await formatted(client, 'create role %I nologin', role);
  for (const grant of ROLE_GRANTS) await formatted(client, grant, username);
}

const superuserClient = ({ host, superuser }: GeneratedSecrets['postgres'], port: number) =>
  new pg.Client({
    host,
    port,
    user: superuser.username,
    password: superuser.password,
    database: 'postgres',
    application_name: 'live-tables upkeep',
  });

/** DDL takes no parameters, so the server itself quotes them into the statement. */
async function formatted(client: pg.Client, template: string, ...values: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ statement: string }>('select format($1, variadic $2::text[]) as statement', [
    template,
    values,
  ]);
  for (const { statement } of rows) await client.query(statement);
}
