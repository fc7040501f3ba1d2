import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For how many days a workspace keeps the history of its rows, where that is shorter than the server keeps it. */
export class HistoryDays1700000001990 implements MigrationInterface {
  name = 'HistoryDays1700000001990';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'alter table workspaces add column history_days integer check (history_days between 1 and 36500)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table workspaces drop column history_days');
  }
}
