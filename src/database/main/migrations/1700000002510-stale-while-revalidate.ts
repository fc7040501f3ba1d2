import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For how long a published view answers as it did last while another database is asked behind it. */
export class StaleWhileRevalidate1700000002510 implements MigrationInterface {
  name = 'StaleWhileRevalidate1700000002510';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table view_apis add column stale_while_revalidate_seconds integer not null default 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table view_apis drop column stale_while_revalidate_seconds');
  }
}
