import type { MigrationInterface, QueryRunner } from 'typeorm';

const NUMBERED = `new.resource_type in ('workspace', 'member', 'base', 'table', 'column', 'view', 'connection')
  and new.action not in ('connection.tested', 'connection.rekeyed', 'rows.viewed_as', 'table.exported')`;

/** Webhooks, how far each has told of which table, and the attempts. That one was given up is told in its workspace. */
export class Webhooks1700000002400 implements MigrationInterface {
  name = 'Webhooks1700000002400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table webhooks (
        id uuid primary key,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        name text not null,
        url text not null,
        events json not null,
        sealed_secrets bytea not null,
        key_id text not null,
        runs_as uuid not null,
        state text not null check (state in ('active', 'paused', 'disabled')),
        disabled_reason text,
        attempts integer not null default 0,
        failing_since timestamptz,
        next_at timestamptz not null default now(),
        leased_by uuid,
        lease_until timestamptz,
        created_at timestamptz not null,
        created_by uuid not null,
        updated_at timestamptz not null
      );
      create index webhooks_of_workspace on webhooks(workspace_id, id);
      create index webhooks_by_key on webhooks(key_id, id);
      create table webhook_positions (
        webhook_id uuid not null references webhooks(id) on delete cascade,
        table_id uuid not null references tables(id) on delete cascade,
        epoch text not null,
        seq bigint not null,
        primary key (webhook_id, table_id)
      );
      create index webhook_positions_of_table on webhook_positions(table_id);
      create table webhook_deliveries (
        id uuid primary key,
        webhook_id uuid not null references webhooks(id) on delete cascade,
        message_id text not null,
        type text not null,
        table_id uuid,
        epoch text,
        seq bigint,
        manual boolean not null,
        attempt integer not null,
        ok boolean not null,
        status integer,
        error text,
        excerpt text not null,
        ms integer not null,
        at timestamptz not null
      );
      create index webhook_deliveries_of_webhook on webhook_deliveries(webhook_id, id);
      create index webhook_deliveries_by_age on webhook_deliveries(at);
    `);
    await renumber(runner, `(${NUMBERED}) or new.action = 'webhook.disabled'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await renumber(runner, NUMBERED);
    await runner.query('drop table webhook_deliveries, webhook_positions, webhooks');
  }
}

/** Which entries of the audit log are told to the members of their workspace. */
const renumber = (runner: QueryRunner, when: string): Promise<unknown> =>
  runner.query(`
    drop trigger audit_log_number on audit_log;
    create constraint trigger audit_log_number after insert on audit_log
      deferrable initially deferred for each row when (${when}) execute function number_workspace_event();
  `);
