import type pg from 'pg';
import type { PgStatement } from './statement.js';

/**
 * Group roles of the PostgreSQL server that holds the mini-DB; none of them signs in. Roles belong to the server, not to a
 * database: databases beside each other share them. They are used where they are there, and missed by nobody where they are not.
 */
export const ROLES = {
  /** Owns the bases: their schemas, tables, views. The server takes it on for structure changes only. */
  owner: 'mini_owner',
  /** Reads and writes rows; the server has these rights all the time. */
  app: 'mini_app',
  /** Reads everything of the bases: for people with pgAdmin. */
  readonly: 'mini_readonly',
} as const;

/**
 * What a superuser runs once for a server, in this order, `%I` being the role that signs in (PostgreSQL 16 or newer).
 * `inherit false`: the rights of the owner are there only after `set role`, so that a row statement can change no structure.
 */
export const ROLE_GRANTS = [
  'grant mini_owner to %I with inherit false, set true',
  'grant mini_app to %I with inherit true, set true',
  'grant mini_readonly to %I with inherit false, set true',
] as const;

/** Whether the session may take on the role `o`. PostgreSQL 15 has no grant without SET, and no name for it. */
const MAY_SET =
  "pg_has_role(o.oid, case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)";

const actAsOwner = (schema: string, untilCommit: boolean): PgStatement => ({
  text: `select set_config('role', o.rolname, ${String(untilCommit)}) from pg_roles o
where o.rolname = '${ROLES.owner}' and ${MAY_SET}
  and coalesce((select nspowner = o.oid from pg_namespace where nspname = $1), has_database_privilege(o.oid, current_database(), 'create'))`,
  values: [schema],
});

/**
 * Takes on the owner's role until the transaction ends, if the base belongs to it, or will when it is made now. Otherwise the
 * role that signed in owns the base, and nothing changes: that works, only with more rights than a row statement needs.
 */
export const asOwner = (schema: string): PgStatement => actAsOwner(schema, true);

/** The same for what cannot run in a transaction (CREATE INDEX CONCURRENTLY): holds on its connection until {@link ownRole}. */
export const asOwnerOnConnection = (schema: string): PgStatement => actAsOwner(schema, false);

export const ownRole: PgStatement = { text: 'reset role', values: [] };

/** Which of the roles can be used here. */
export interface RolesFound {
  readonly owner: boolean;
  readonly app: boolean;
  readonly readonly: boolean;
}

export const FIND_ROLES: PgStatement = {
  text: `select exists (select from pg_roles o where rolname = '${ROLES.owner}' and ${MAY_SET}),
       exists (select from pg_roles o where rolname = '${ROLES.app}' and pg_has_role(o.oid, 'usage')),
       exists (select from pg_roles where rolname = '${ROLES.readonly}')`,
  values: [],
};

/** Bases of this database that do not belong to the owner yet, although they could, or are not open to those that they should be open to. */
const STRAY_BASES = `select n.nspname as schema, exists (select from pg_roles o where o.rolname = '${ROLES.owner}' and o.oid <> n.nspowner and ${MAY_SET}
       and has_database_privilege(o.oid, current_database(), 'create')) as give
  from pg_namespace n join pg_class c on c.relnamespace = n.oid and c.relname = '_applied'
 where n.nspowner = (select oid from pg_roles where rolname = current_user) and exists (select from pg_roles o where o.rolname = '${ROLES.owner}' and ${MAY_SET})
    or exists (select from pg_roles r where r.rolname in ('${ROLES.app}', '${ROLES.readonly}') and not has_schema_privilege(r.oid, n.oid, 'usage'))`;

/** All that is in a schema and has an owner of its own. */
const GIVE_AWAY = `select format('alter table %I.%I owner to ${ROLES.owner}', $1::text, relname) as statement
  from pg_class where relnamespace = $1::text::regnamespace and relkind in ('r', 'p', 'v', 'm')`;

/**
 * Opens the bases that are there to the roles that are there: for those that were made before the roles. Part of every start;
 * finds nothing to do as a rule. The caller holds the lock of the migrations.
 */
export async function adoptBases(client: pg.Client): Promise<void> {
  await client.query(
    `do $$ begin
       if exists (select from pg_roles o where o.rolname = '${ROLES.owner}' and ${MAY_SET} and not has_database_privilege(o.oid, current_database(), 'create'))
       and exists (select from pg_database where datname = current_database() and pg_has_role(datdba, 'usage')) then
         execute format('grant create on database %I to ${ROLES.owner}', current_database());
       end if;
     end $$`,
  );
  const { rows } = await client.query<{ schema: string; give: boolean }>(STRAY_BASES);
  for (const { schema, give } of rows) {
    await client.query('begin');
    if (give) await giveToOwner(client, schema);
    const { text, values } = asOwner(schema);
    await client.query(text, [...values]);
    await client.query('select public._live_tables_open_base($1)', [schema]);
    await client.query('commit');
  }
}

/** Tables first: with the schema the right to name them is given away. The schema's name is put into the statements by PostgreSQL. */
async function giveToOwner(client: pg.Client, schema: string): Promise<void> {
  const quoted = client.escapeIdentifier(schema);
  await client.query(`grant create, usage on schema ${quoted} to ${ROLES.owner}`);
  const { rows } = await client.query<{ statement: string }>(GIVE_AWAY, [schema]);
  for (const { statement } of rows) await client.query(statement);
  await client.query(`alter schema ${quoted} owner to ${ROLES.owner}`);
}
