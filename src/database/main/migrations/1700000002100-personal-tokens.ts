import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tokens by which programs call as a person. */
export class PersonalTokens1700000002100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table personal_tokens (
        id uuid primary key,
        user_id uuid not null references users(id) on delete cascade,
        name text not null,
        prefix text not null,
        hash bytea not null,
        scope text not null check (scope in ('read', 'write', 'manage')),
        workspace_ids json,
        expires_at timestamptz not null,
        created_at timestamptz not null,
        last_used_at timestamptz
      );
      create index personal_tokens_of_user on personal_tokens(user_id, id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table personal_tokens');
  }
}
