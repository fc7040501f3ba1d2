import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Answers that are given again when a request is repeated under its key, and the keys of structure changes. */
export class Idempotency1700000000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table idempotency_keys (
        name bytea primary key,
        request bytea not null,
        answer bytea not null,
        expires_at timestamptz not null
      );
      create index idempotency_keys_expiry on idempotency_keys(expires_at);
      alter table schema_ops add column operation_key bytea;
      create unique index schema_ops_operation on schema_ops(operation_key) where state <> 'failed';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index schema_ops_operation;
      alter table schema_ops drop column operation_key;
      drop table idempotency_keys
    `);
  }
}
