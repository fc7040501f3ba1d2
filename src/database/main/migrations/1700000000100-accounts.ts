import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Password resets, invitations, the mail queue; addresses of deleted accounts are free again. */
export class Accounts1700000000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table users drop constraint users_email_key;
      create unique index users_email_key on users(email) where status <> 'deleted';
      create table password_resets (
        id uuid primary key,
        user_id uuid not null references users(id) on delete cascade,
        token_hash bytea not null unique,
        created_at timestamptz not null,
        expires_at timestamptz not null
      );
      create index password_resets_user on password_resets(user_id);
      create table invitations (
        id uuid primary key,
        workspace_id uuid not null references workspaces(id) on delete cascade,
        email text not null,
        role text not null check (role in ('owner', 'admin', 'editor', 'viewer')),
        token_hash bytea not null unique,
        invited_by uuid not null references users(id),
        created_at timestamptz not null,
        expires_at timestamptz not null,
        unique (workspace_id, email)
      );
      create table queued_mails (
        id uuid primary key,
        at timestamptz not null,
        template text not null,
        sealed bytea not null,
        attempts integer not null,
        next_at timestamptz not null
      );
      create index queued_mails_next on queued_mails(next_at);
      create table mail_receivers (
        receiver bytea primary key,
        mails integer not null,
        since timestamptz not null
      );
      create index workspaces_deleted on workspaces(deleted_at) where deleted_at is not null;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index workspaces_deleted;
      drop table mail_receivers, queued_mails, invitations, password_resets;
      -- Deleted accounts have no address any more; each gets one that nobody can have.
      update users set email = 'deleted-' || id where status = 'deleted' and email = '';
      drop index users_email_key;
      alter table users add constraint users_email_key unique (email);
    `);
  }
}
