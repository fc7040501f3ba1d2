import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Views that are published: what is shown to whom, and the keys that open it. */
export class Publishing1700000001400 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table view_apis (
        view_id uuid primary key references views(id) on delete cascade,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        slug text not null,
        enabled boolean not null,
        auth text not null check (auth in ('public', 'key')),
        cache_seconds integer not null,
        rate_limit integer not null,
        rate_window_seconds integer not null,
        cors_origins json not null,
        filterable json not null,
        sortable json not null,
        max_limit integer not null,
        page boolean not null,
        definition json not null,
        pins json not null,
        columns json not null,
        view_version integer not null,
        version integer not null,
        created_at timestamptz not null,
        created_by uuid not null,
        updated_at timestamptz not null,
        updated_by uuid not null
      );
      create unique index view_apis_slug on view_apis(slug);
      create index view_apis_of_workspace on view_apis(workspace_id);
      create table view_api_keys (
        id uuid primary key,
        view_id uuid not null references view_apis(view_id) on delete cascade,
        workspace_id uuid not null,
        name text not null,
        prefix text not null,
        hash bytea not null,
        filter json,
        columns json,
        allowed_addresses json,
        rate_limit integer,
        rate_window_seconds integer,
        expires_at timestamptz,
        created_at timestamptz not null,
        created_by uuid not null
      );
      create unique index view_api_keys_hash on view_api_keys(hash);
      create index view_api_keys_of_view on view_api_keys(view_id, id);
      create table view_api_usage (
        view_id uuid not null references view_apis(view_id) on delete cascade,
        key_id uuid not null,
        hour timestamptz not null,
        requests bigint not null,
        not_modified bigint not null,
        cache_hits bigint not null,
        errors bigint not null,
        rows bigint not null,
        bytes bigint not null,
        latencies bigint[] not null,
        primary key (view_id, key_id, hour)
      );
      create index view_api_usage_age on view_api_usage(hour);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table view_api_usage; drop table view_api_keys; drop table view_apis');
  }
}
