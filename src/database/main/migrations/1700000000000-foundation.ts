import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People, workspaces, metadata of bases and tables, audit log, outbox. */
export class Foundation1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table users (
        id uuid primary key,
        email text not null unique,
        name text not null,
        password_hash text not null,
        status text not null default 'active' check (status in ('active', 'suspended', 'deleted')),
        created_at timestamptz not null,
        updated_at timestamptz not null
      );
      create table sessions (
        id uuid primary key,
        user_id uuid not null references users(id) on delete cascade,
        user_agent text not null,
        ip text not null,
        created_at timestamptz not null,
        last_seen_at timestamptz not null,
        expires_at timestamptz not null,
        revoked_at timestamptz,
        revoked_reason text
      );
      create index sessions_user on sessions(user_id) where revoked_at is null;
      create table refresh_tokens (
        id uuid primary key,
        session_id uuid not null references sessions(id) on delete cascade,
        token_hash bytea not null unique,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        used_at timestamptz
      );
      create index refresh_tokens_session on refresh_tokens(session_id);

      create table workspaces (
        id uuid primary key,
        name text not null,
        slug text not null unique,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        deleted_at timestamptz
      );
      create table workspace_members (
        id uuid primary key,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        user_id uuid not null references users(id) on delete cascade,
        role text not null check (role in ('owner', 'admin', 'editor', 'viewer')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (workspace_id, user_id)
      );
      create index workspace_members_user on workspace_members(user_id);

      create table bases (
        id uuid primary key,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        name text not null,
        name_folded text not null,
        description text,
        schema_name text not null unique,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        deleted_at timestamptz
      );
      create unique index bases_name on bases(workspace_id, name_folded) where deleted_at is null;
      create table tables (
        id uuid primary key,
        base_id uuid not null references bases(id) on delete cascade,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        key text not null,
        name text not null,
        name_folded text not null,
        description text,
        physical_name text not null,
        schema_version integer not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        deleted_at timestamptz,
        unique (base_id, physical_name)
      );
      create unique index tables_name on tables(base_id, name_folded) where deleted_at is null;
      create unique index tables_key on tables(base_id, key) where deleted_at is null;
      create table columns (
        id uuid primary key,
        table_id uuid not null references tables(id) on delete cascade,
        key text not null,
        name text not null,
        name_folded text not null,
        type text not null,
        required boolean not null default false,
        is_unique boolean not null default false,
        default_value jsonb,
        options jsonb not null default '{}',
        position integer not null,
        physical_name text not null,
        created_at timestamptz not null,
        deleted_at timestamptz,
        unique (table_id, physical_name)
      );
      create unique index columns_name on columns(table_id, name_folded) where deleted_at is null;
      create unique index columns_key on columns(table_id, key) where deleted_at is null;

      create table schema_ops (
        id uuid primary key,
        base_id uuid not null,
        workspace_id uuid not null,
        kind text not null,
        payload jsonb not null,
        actor jsonb not null,
        state text not null check (state in ('pending', 'done', 'failed')),
        error text,
        created_at timestamptz not null,
        finished_at timestamptz
      );
      create unique index schema_ops_one_pending on schema_ops(base_id) where state = 'pending';

      create table audit_log (
        id uuid primary key,
        at timestamptz not null,
        workspace_id uuid,
        actor_id uuid,
        actor_name text not null,
        actor_via text not null,
        action text not null,
        resource_type text not null,
        resource_id uuid,
        resource_name text not null,
        before jsonb,
        after jsonb,
        request_id text not null,
        ip text not null
      );
      create index audit_log_workspace on audit_log(workspace_id, at desc, id desc);
      create table outbox (
        id uuid primary key,
        at timestamptz not null,
        topic text not null,
        payload jsonb not null
      );
      create index outbox_at on outbox(at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table outbox, audit_log, schema_ops, columns, tables, bases, workspace_members, workspaces, refresh_tokens, sessions, users
    `);
  }
}
