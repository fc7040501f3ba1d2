import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How bases and tables look and in which order they are listed, descriptions of columns, and what the purge looks for. */
export class StructureLife1700000000500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table bases add column color text, add column icon text, add column position double precision not null default 0;
      alter table tables add column color text, add column icon text, add column position double precision not null default 0;
      alter table columns add column description text;
      create index bases_order on bases(workspace_id, position, id);
      create index tables_order on tables(base_id, position, id);
      create index bases_deleted on bases(deleted_at) where deleted_at is not null;
      create index tables_deleted on tables(deleted_at) where deleted_at is not null;
      create index columns_deleted on columns(deleted_at) where deleted_at is not null;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index bases_order, tables_order, bases_deleted, tables_deleted, columns_deleted;
      alter table columns drop column description;
      alter table tables drop column color, drop column icon, drop column position;
      alter table bases drop column color, drop column icon, drop column position;
    `);
  }
}
