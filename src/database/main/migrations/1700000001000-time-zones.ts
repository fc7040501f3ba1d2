import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The time zone that a workspace counts its days in. */
export class TimeZones1700000001000 implements MigrationInterface {
  name = 'TimeZones1700000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("alter table workspaces add column time_zone text not null default 'UTC'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table workspaces drop column time_zone');
  }
}
