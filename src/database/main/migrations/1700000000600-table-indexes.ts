import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes of managed tables that were asked for, and how tables are asked: what advice on indexes is made of. */
export class TableIndexes1700000000600 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table table_indexes (
        id uuid primary key,
        table_id uuid not null references tables(id) on delete cascade,
        base_id uuid not null references bases(id) on delete cascade,
        kind text not null check (kind in ('sort', 'filter', 'search')),
        columns jsonb not null,
        state text not null check (state in ('pending', 'building', 'ready', 'failed', 'dropping')),
        error text,
        definition text not null,
        checked_version integer not null,
        attempts integer not null default 0,
        next_at timestamptz not null,
        leased_by uuid,
        lease_until timestamptz,
        created_by uuid,
        created_at timestamptz not null
      );
      create index table_indexes_table on table_indexes(table_id);
      create index table_indexes_due on table_indexes(next_at) where state in ('pending', 'building', 'dropping');
      create unique index table_indexes_one_build on table_indexes(base_id) where lease_until is not null;

      create table index_usage (
        table_id uuid not null references tables(id) on delete cascade,
        shape text not null,
        day date not null,
        uses bigint not null,
        worst_ms integer not null,
        last_at timestamptz not null,
        primary key (table_id, shape, day)
      );
      create index index_usage_day on index_usage(day);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table index_usage, table_indexes');
  }
}
