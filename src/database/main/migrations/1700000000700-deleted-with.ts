import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Columns that went to the trash with another column, or with a table, and come back with it. */
export class DeletedWith1700000000700 implements MigrationInterface {
  name = 'DeletedWith1700000000700';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table columns add column deleted_with uuid');
    await runner.query('create index columns_deleted_with on columns(deleted_with) where deleted_with is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table columns drop column deleted_with');
  }
}
