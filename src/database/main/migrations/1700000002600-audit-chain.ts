import type { MigrationInterface, QueryRunner } from 'typeorm';
import { APPLICATION, AUDIT_DIGEST, AUDIT_STREAM, NEXT_LINK } from '../audit-chain.js';

/**
 * A hash chain over the audit log, one for each workspace, and one for each person's account. A trigger links the entries when their transaction ends: no write of the
 * server can forget it, and the lock of a chain is held no longer than the commit takes. What is put in by another program gets no link, and is found by that. What was
 * there before is linked in the order of its time.
 *
 * No foreign keys: the log outlives what it tells of, and to find that an entry is gone is what links are for.
 */
export class AuditChain1700000002600 implements MigrationInterface {
  name = 'AuditChain1700000002600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table audit_chains (stream uuid primary key, seq bigint not null, head bytea not null);
      create table audit_links (
        stream uuid not null,
        seq bigint not null,
        audit_id uuid not null unique,
        hash bytea not null,
        primary key (stream, seq)
      );
      create function link_audit_entry() returns trigger language plpgsql as $$
      declare
        digest bytea := (select ${AUDIT_DIGEST} from (select new.*) e);
        linked audit_chains;
      begin
        insert into audit_chains as chain (stream, seq, head)
          select ${AUDIT_STREAM}, 1, ${NEXT_LINK(`''`, '1::bigint', 'digest')} from (select new.*) e
          on conflict (stream) do update set seq = chain.seq + 1, head = ${NEXT_LINK('chain.head', 'chain.seq + 1', 'digest')}
          returning * into linked;
        insert into audit_links(stream, seq, audit_id, hash) values (linked.stream, linked.seq, new.id, linked.head);
        return null;
      end $$;
      do $$
      declare
        entry record;
        chain audit_chains;
      begin
        for entry in select e.id, ${AUDIT_STREAM} as stream, ${AUDIT_DIGEST} as digest from audit_log e order by 2, e.at, e.id loop
          if entry.stream is distinct from chain.stream then
            chain := row(entry.stream, 0, '');
          end if;
          chain.seq := chain.seq + 1;
          chain.head := ${NEXT_LINK('chain.head', 'chain.seq', 'entry.digest')};
          insert into audit_links(stream, seq, audit_id, hash) values (chain.stream, chain.seq, entry.id, chain.head);
        end loop;
        insert into audit_chains(stream, seq, head)
          select distinct on (stream) stream, seq, hash from audit_links order by stream, seq desc;
      end $$;
      create constraint trigger audit_log_link after insert on audit_log
        deferrable initially deferred for each row when (current_setting('application_name') = '${APPLICATION}')
        execute function link_audit_entry();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger audit_log_link on audit_log;
      drop function link_audit_entry();
      drop table audit_links, audit_chains;
    `);
  }
}
