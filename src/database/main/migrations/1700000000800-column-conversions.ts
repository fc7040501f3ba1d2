import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Columns of large tables that are given another type in the background. */
export class ColumnConversions1700000000800 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table column_conversions (
        id uuid primary key,
        table_id uuid not null references tables(id) on delete cascade,
        base_id uuid not null references bases(id) on delete cascade,
        column_id uuid not null references columns(id) on delete cascade,
        to_type text not null,
        to_options jsonb not null,
        on_error text not null check (on_error in ('abort', 'null')),
        most_lost bigint,
        hidden_name text not null,
        trigger_name text not null,
        state text not null check (state in ('converting', 'stopping', 'done', 'failed', 'cancelled')),
        error jsonb,
        last_row uuid,
        rows bigint not null,
        rows_done bigint not null default 0,
        attempts integer not null default 0,
        next_at timestamptz not null,
        actor jsonb not null,
        context jsonb not null,
        created_at timestamptz not null,
        finished_at timestamptz
      );
      create index column_conversions_column on column_conversions(column_id, created_at);
      create index column_conversions_base on column_conversions(base_id);
      create index column_conversions_table on column_conversions(table_id);
      create unique index column_conversions_one on column_conversions(column_id) where state in ('converting', 'stopping');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table column_conversions');
  }
}
