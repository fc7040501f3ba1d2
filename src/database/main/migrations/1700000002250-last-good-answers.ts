import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For how long a published view answers as it did last while its source fails. */
export class LastGoodAnswers1700000002250 implements MigrationInterface {
  name = 'LastGoodAnswers1700000002250';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table view_apis add column stale_if_error_seconds integer not null default 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table view_apis drop column stale_if_error_seconds');
  }
}
