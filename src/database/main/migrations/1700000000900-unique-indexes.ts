import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes of managed tables that allow no two rows with the same values. */
export class UniqueIndexes1700000000900 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table table_indexes add column is_unique boolean not null default false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table table_indexes drop column is_unique');
  }
}
