import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Views: stored questions, and what they were before. */
export class Views1700000001300 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table views (
        id uuid primary key,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        name text not null,
        name_folded text not null,
        description text,
        visibility text not null check (visibility in ('workspace', 'private')),
        owner_id uuid not null,
        definition json not null,
        pins json not null,
        settings json not null,
        version integer not null,
        created_at timestamptz not null,
        created_by uuid not null,
        updated_at timestamptz not null,
        updated_by uuid not null,
        deleted_at timestamptz
      );
      create unique index views_name on views(workspace_id, name_folded)
        where visibility = 'workspace' and deleted_at is null;
      create unique index views_private_name on views(workspace_id, owner_id, name_folded)
        where visibility = 'private' and deleted_at is null;
      create index views_of_workspace on views(workspace_id, id);
      create index views_private on views(owner_id) where visibility = 'private' and deleted_at is null;
      create index views_trash on views(deleted_at) where deleted_at is not null;
      create table view_versions (
        view_id uuid not null references views(id) on delete cascade,
        version integer not null,
        name text not null,
        description text,
        definition json not null,
        pins json not null,
        settings json not null,
        created_at timestamptz not null,
        created_by uuid not null,
        primary key (view_id, version)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table view_versions; drop table views');
  }
}
