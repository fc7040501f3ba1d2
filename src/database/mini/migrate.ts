import pg from 'pg';
import type { PostgresSettings } from '../../config/index.js';
import { poolConfig } from './mini-database.js';
import { adoptBases } from './roles.js';

/** One step of the mini-DB's own structure, or of the tables that every base carries. */
export interface MiniMigration {
  readonly id: number;
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

/**
 * `_live_tables_open_base` gives the roles that are there (see roles.ts) their rights on a base, now and for all that is made in
 * it later; it is called as the base's owner. A function, because a grant takes neither parameters nor conditions.
 * `_live_tables_drift_check` remembers the last comparison with the metadata, and who is at it.
 */
const OPERATORS_UP = `
create function public._live_tables_open_base(base text) returns void language plpgsql set search_path = pg_catalog as $$
begin
  if exists (select from pg_roles where rolname = 'mini_app') then
    execute format('grant usage on schema %I to mini_app', base);
    execute format('grant select, insert, update, delete on all tables in schema %I to mini_app', base);
    execute format('grant select, usage, update on all sequences in schema %I to mini_app', base);
    execute format('alter default privileges in schema %I grant select, insert, update, delete on tables to mini_app', base);
    execute format('alter default privileges in schema %I grant select, usage, update on sequences to mini_app', base);
  end if;
  if exists (select from pg_roles where rolname = 'mini_readonly') then
    execute format('grant usage on schema %I to mini_readonly', base);
    execute format('grant select on all tables in schema %I to mini_readonly', base);
    execute format('grant select on all sequences in schema %I to mini_readonly', base);
    execute format('alter default privileges in schema %I grant select on tables to mini_readonly', base);
    execute format('alter default privileges in schema %I grant select on sequences to mini_readonly', base);
  end if;
end $$;
create table public._live_tables_drift_check (
  only_row boolean primary key default true check (only_row), started_at timestamptz, finished_at timestamptz, result json
);
insert into public._live_tables_drift_check default values`;

/** The links of the change log's hash chain that follow one (src/query/compile/chain.ts). */
const LINKS_UP = `
create function public._live_tables_links(link bytea, seq bigint, digests bytea[]) returns bytea[]
language plpgsql immutable strict parallel safe set search_path = pg_catalog as $$
declare links bytea[] := '{}'; digest bytea;
begin
  foreach digest in array digests loop
    seq := seq + 1;
    link := sha256(link || int8send(seq) || digest);
    links := links || link;
  end loop;
  return links;
end $$`;

/**
 * What holds for the whole mini-DB. Nobody but the application's role may create anything in `public`; what operators may
 * see of each base is granted on its schema.
 */
export const MINI_MIGRATIONS: readonly MiniMigration[] = [
  {
    id: 1,
    name: 'foundation',
    up: 'revoke create on schema public from public',
    down: 'select 1',
  },
  {
    id: 2,
    name: 'files',
    up: `
      create table _live_tables_file_sweeps (schema_name text primary key, swept_at timestamptz not null);
      ${inEveryBase(`create table %1$I._file (
        id uuid primary key, table_id uuid not null, name text not null, size bigint, mime_type text not null, sha256 text,
        storage_key text not null, created_at timestamptz not null, created_by uuid, stored_at timestamptz,
        unreferenced_since timestamptz, removed_at timestamptz, check (stored_at is null or (size is not null and sha256 is not null)));
      comment on table %1$I._file is 'Files attached to rows: what they are and where their bytes are kept.'`)}`,
    down: `${inEveryBase('drop table %1$I._file')}; drop table _live_tables_file_sweeps`,
  },
  {
    id: 3,
    name: 'operators',
    up: OPERATORS_UP,
    down: 'drop function public._live_tables_open_base(text); drop table public._live_tables_drift_check',
  },
  {
    id: 4,
    name: 'idempotency',
    up: inEveryBase(`create table %1$I._idempotency (name text primary key, request text not null, answer text not null, expires_at timestamptz not null);
      create index on %1$I._idempotency (expires_at);
      comment on table %1$I._idempotency is 'Answers of writes with an Idempotency-Key, kept for a day in the transaction of the write.'`),
    down: inEveryBase('drop table %1$I._idempotency'),
  },
  {
    id: 5,
    name: 'imports',
    up: inEveryBase(`create table %1$I._import (id uuid primary key, line bigint not null, counts json not null, errors json, at timestamptz not null);
      create index on %1$I._import (at);
      comment on table %1$I._import is 'How far imports have come, kept in the transactions of their rows: whoever takes one up goes on behind it.'`),
    down: inEveryBase('drop table %1$I._import'),
  },
  {
    id: 6,
    name: 'audit',
    up: inEveryBase('alter table %1$I._change add column ip text; create index on %1$I._change (at)'),
    down: inEveryBase('drop index %1$I._change_at_idx; alter table %1$I._change drop column ip'),
  },
  {
    // Logs that are there are chained from here on: what they hold by now could have been changed before.
    id: 7,
    name: 'chain',
    up: `${LINKS_UP}; ${inEveryBase(`alter table %1$I._change add column hash bytea;
      alter table %1$I._stream add column head bytea not null default '', add column prior bytea not null default '';
      create table %1$I._anchor (table_id uuid primary key, seq bigint not null, hash bytea not null, forgotten bigint not null);
      insert into %1$I._anchor select s.table_id, s.seq, '', coalesce((select min(c.seq) - 1 from %1$I._change c where c.table_id = s.table_id), s.seq)
        from %1$I._stream s where s.seq > 0;
      comment on table %1$I._anchor is 'Where the hash chains of change logs begin, of which the beginning is forgotten or older than the chain.'`)}`,
    down: `${inEveryBase(`drop table %1$I._anchor; alter table %1$I._change drop column hash;
      alter table %1$I._stream drop column head, drop column prior`)}; drop function public._live_tables_links(bytea, bigint, bytea[])`,
  },
];

/** Runs a statement in the schema of each base there is, `%1$I`, as the owner of the base. Bases are known by their `_stream`. */
function inEveryBase(statement: string): string {
  return `do $bases$ declare base name; owner name; begin
    for base, owner in select nspname, pg_get_userbyid(nspowner)
      from pg_class join pg_namespace n on n.oid = relnamespace where relname = '_stream' and relkind = 'r' loop
      execute format('set local role %I', owner);
      execute format($each$${statement}$each$, base);
      reset role;
    end loop;
  end $bases$`;
}

const LOCK = 7_203_002;

/** Brings the mini-DB to the newest migration. Safe to call from several nodes at once. */
export async function migrateMini(settings: PostgresSettings): Promise<void> {
  await locked(settings, async (client, done) => {
    for (const migration of MINI_MIGRATIONS.filter(({ id }) => !done.has(id))) {
      await client.query('begin');
      await client.query(migration.up);
      await client.query('insert into _live_tables_migrations (id, name) values ($1, $2)', [
        migration.id,
        migration.name,
      ]);
      await client.query('commit');
    }
    await adoptBases(client);
  });
}

/** Undoes the newest migration of the mini-DB. */
export async function revertMini(settings: PostgresSettings): Promise<void> {
  await locked(settings, async (client, done) => {
    const last = MINI_MIGRATIONS.filter(({ id }) => done.has(id)).at(-1);
    if (!last) return;
    await client.query('begin');
    await client.query(last.down);
    await client.query('delete from _live_tables_migrations where id = $1', [last.id]);
    await client.query('commit');
  });
}

async function locked(
  settings: PostgresSettings,
  work: (client: pg.Client, done: ReadonlySet<number>) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ ...poolConfig(settings), types: undefined });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query(
      'create table if not exists _live_tables_migrations (id integer primary key, name text not null, at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ id: number }>('select id from _live_tables_migrations');
    await work(client, new Set(rows.map(({ id }) => id)));
  } finally {
    await client.end();
  }
}
