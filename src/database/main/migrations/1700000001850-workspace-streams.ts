import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Numbers for what happens in a workspace: 1, 2, 3 … in the order of the commits. A trigger gives them when the transaction ends, so that no write of
 * metadata can be without one, and the lock of the counter is held no longer than the commit takes. Who looked at something is for those who may read
 * the audit log.
 */
export class WorkspaceStreams1700000001850 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table audit_log add column client_id text;
      create table workspace_streams (
        workspace_id uuid primary key references workspaces(id) on delete cascade,
        epoch uuid not null default gen_random_uuid(),
        seq bigint not null
      );
      insert into workspace_streams(workspace_id, seq) select id, 0 from workspaces;
      create table workspace_events (
        workspace_id uuid not null references workspace_streams(workspace_id) on delete cascade,
        seq bigint not null,
        audit_id uuid not null,
        primary key (workspace_id, seq)
      );
      create function number_workspace_event() returns trigger language plpgsql as $$
      declare
        next bigint;
      begin
        insert into workspace_streams as stream (workspace_id, seq)
          select id, 1 from workspaces where id = new.workspace_id
          on conflict (workspace_id) do update set seq = stream.seq + 1
          returning seq into next;
        if next is not null then
          insert into workspace_events(workspace_id, seq, audit_id) values (new.workspace_id, next, new.id);
        end if;
        return null;
      end $$;
      create constraint trigger audit_log_number after insert on audit_log
        deferrable initially deferred for each row
        when (new.resource_type in ('workspace', 'member', 'base', 'table', 'column', 'view', 'connection')
          and new.action not in ('connection.tested', 'connection.rekeyed', 'rows.viewed_as', 'table.exported'))
        execute function number_workspace_event();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger audit_log_number on audit_log;
      drop function number_workspace_event();
      drop table workspace_events, workspace_streams;
      alter table audit_log drop column client_id;
    `);
  }
}
