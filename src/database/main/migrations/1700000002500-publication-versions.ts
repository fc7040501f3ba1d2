import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Versions of a published view that go on beside the newest, each with the contract that its readers rely on. */
export class PublicationVersions1700000002500 implements MigrationInterface {
  name = 'PublicationVersions1700000002500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table view_apis
        add column api_version integer not null default 1,
        add column published_at timestamptz;
      update view_apis set published_at = created_at;
      alter table view_apis alter column published_at set not null;
      create table view_api_versions (
        view_id uuid not null references view_apis(view_id) on delete cascade,
        api_version integer not null,
        auth text not null check (auth in ('public', 'key')),
        filterable json not null,
        sortable json not null,
        max_limit integer not null,
        definition json not null,
        pins json not null,
        columns json not null,
        view_version integer not null,
        version integer not null,
        published_at timestamptz not null,
        deprecated_at timestamptz not null,
        sunset_at timestamptz,
        primary key (view_id, api_version)
      );
      alter table view_api_keys add column versions json;
      alter table view_api_usage
        add column api_version integer not null default 1,
        drop constraint view_api_usage_pkey,
        add primary key (view_id, api_version, key_id, hour);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      delete from view_api_usage u using view_apis a where a.view_id = u.view_id and a.api_version <> u.api_version;
      alter table view_api_usage
        drop constraint view_api_usage_pkey, add primary key (view_id, key_id, hour), drop column api_version;
      alter table view_api_keys drop column versions;
      drop table view_api_versions;
      alter table view_apis drop column api_version, drop column published_at;
    `);
  }
}
