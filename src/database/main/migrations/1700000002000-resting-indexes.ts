import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes whose column is in the trash rest until that is restored or purged. */
export class RestingIndexes1700000002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table table_indexes drop constraint table_indexes_state_check;
      alter table table_indexes add constraint table_indexes_state_check
        check (state in ('pending', 'building', 'ready', 'failed', 'dropping', 'resting'));
    `);
  }

  /** Those that rest are given up, as they were before. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      update table_indexes set state = 'dropping', next_at = now() where state = 'resting';
      alter table table_indexes drop constraint table_indexes_state_check;
      alter table table_indexes add constraint table_indexes_state_check
        check (state in ('pending', 'building', 'ready', 'failed', 'dropping'));
    `);
  }
}
