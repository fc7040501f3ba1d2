import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Imports: what is asked for, who works at it, how far it is and what became of it. */
export class Imports1700000001100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // No reference to the table: one that is made out of a file is named before it is there.
    await runner.query(`
      create table imports (
        id uuid primary key,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        base_id uuid not null references bases(id) on delete cascade,
        table_id uuid not null,
        wish jsonb not null,
        form jsonb not null,
        caller jsonb not null,
        bytes bigint not null,
        stored boolean not null,
        arrived boolean not null,
        key_name bytea unique,
        key_request bytea,
        state text not null check (state in ('running', 'done', 'failed', 'cancelled', 'interrupted')),
        cancel_requested boolean not null default false,
        leased_by uuid,
        lease_until timestamptz,
        attempts integer not null default 0,
        next_at timestamptz not null,
        progress jsonb not null,
        result json,
        problem json,
        created_at timestamptz not null,
        finished_at timestamptz
      );
      create index imports_table on imports(table_id, id desc);
      create index imports_workspace on imports(workspace_id) where state = 'running';
      create index imports_base on imports(base_id);
      create index imports_due on imports(next_at) where state = 'running';
      create index imports_age on imports(created_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table imports');
  }
}
