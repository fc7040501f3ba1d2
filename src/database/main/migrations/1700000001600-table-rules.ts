import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rules of tables, and what is known of members that rules depend on. */
export class TableRules1700000001600 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table workspace_members add column attributes jsonb not null default '{}';
      create table table_rules (
        table_id uuid primary key references tables(id) on delete cascade,
        base_id uuid not null,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        version integer not null,
        rules jsonb not null,
        updated_at timestamptz not null,
        updated_by uuid
      );
      create index table_rules_of_base on table_rules(base_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table table_rules;
      alter table workspace_members drop column attributes;
    `);
  }
}
