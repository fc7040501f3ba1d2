import type { MigrationInterface, QueryRunner } from 'typeorm';

/** External databases: where they are, their passwords (encrypted), and what was found in them. */
export class Connections1700000001200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table connections (
        id uuid primary key,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        name text not null,
        name_folded text not null,
        engine text not null check (engine in ('postgresql', 'mysql', 'mongodb')),
        host text not null,
        port integer not null check (port between 1 and 65535),
        database text not null,
        username text not null,
        sealed_password bytea not null,
        key_id text not null,
        tls_mode text not null check (tls_mode in ('disable', 'require', 'verify-full')),
        tls_ca text,
        access text not null check (access in ('read-only', 'read-write')),
        version integer not null,
        created_at timestamptz not null,
        created_by uuid not null,
        updated_at timestamptz not null
      );
      create unique index connections_name on connections(workspace_id, name_folded);
      create index connections_key on connections(key_id, id);
      create table connection_schemas (
        connection_id uuid primary key references connections(id) on delete cascade,
        objects json,
        drift json,
        discovered_at timestamptz,
        claimed_until timestamptz
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table connection_schemas; drop table connections');
  }
}
