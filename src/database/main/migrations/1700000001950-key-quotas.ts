import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much a key of a published view may be used in a day or a month, and how much of it is given out to nodes. */
export class KeyQuotas1700000001950 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table view_api_keys
        add column quota_limit integer,
        add column quota_per text check (quota_per in ('day', 'month')),
        add column quota_from timestamptz,
        add column quota_taken integer not null default 0,
        add constraint view_api_keys_quota check ((quota_limit is null) = (quota_per is null))
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table view_api_keys drop column quota_limit, drop column quota_per, drop column quota_from, drop column quota_taken
    `);
  }
}
