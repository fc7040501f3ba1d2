import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ChainLink, Id } from '../../common/index.js';

/*
 * The audit log as hash chains: the link of an entry is the SHA-256 of the link before, its number, and all that it says. What is below is part of the format: a
 * trigger writes links by it (its migration), and they are judged by it here, not by a function that whoever can write to the database could replace.
 */

/** What the server's connections to the main database call themselves: entries of others are not linked. */
export const APPLICATION = 'live-tables';

/** Whose chain an entry `e` is in: the workspace's, or of what concerns none, the person's. */
export const AUDIT_STREAM = `coalesce(e.workspace_id, e.actor_id, '00000000-0000-0000-0000-000000000000')`;

/** Of all that an entry `e` says: a record's own text (PostgreSQL manual, 8.16.6), which tells every part from the next. Times as microseconds, whatever a session's settings are. */
export const AUDIT_DIGEST = `sha256(convert_to(row(e.id, (extract(epoch from e.at) * 1000000)::bigint, e.workspace_id, e.actor_id, e.actor_name, e.actor_via,
  e.action, e.resource_type, e.resource_id, e.resource_name, e.before, e.after, e.request_id, e.ip, e.client_id)::text, 'UTF8'))`;

export const NEXT_LINK = (before: string, seq: string, digest: string): string =>
  `sha256(${before} || int8send(${seq}) || ${digest})`;

/** So many entries are computed at once. */
const PORTION = 20_000;

const FIRST: ChainLink = { seq: 0, hash: '' };

/** What became of a chain when it was computed anew. */
export interface AuditVerdict {
  readonly ok: boolean;
  /** How many entries were looked at. */
  readonly checked: number;
  /** The newest link. */
  readonly head: ChainLink;
  /** The first number that is not what was written, and the entry that has it. */
  readonly broken?: { readonly seq: number; readonly entryId: Id | null };
  /** Entries that were put in without a link. */
  readonly unlinked: number;
}

interface Part {
  readonly entries: number;
  readonly last?: ChainLink;
  readonly broken?: AuditVerdict['broken'];
}

/** Computes the chains of the audit log anew. */
@Injectable()
export class AuditChain {
  constructor(private readonly dataSource: DataSource) {}

  /** The streams that have a chain, and those of entries without one. */
  async streams(): Promise<readonly Id[]> {
    const rows = await this.rows<{ stream: Id }>(
      `select stream from audit_chains union select ${AUDIT_STREAM} from audit_log e
       where not exists (select from audit_links l where l.audit_id = e.id) order by 1`,
    );
    return rows.map(({ stream }) => stream);
  }

  /** The newest link; number 0 where nothing has happened. */
  async head(stream: Id): Promise<ChainLink> {
    const [head] = await this.rows<{ seq: string; hash: string }>(
      `select seq, encode(head, 'hex') as hash from audit_chains where stream = $1`,
      stream,
    );
    return head ? { seq: Number(head.seq), hash: head.hash } : FIRST;
  }

  /** The link of a number as it is kept; undefined where there is none. */
  async linkOf(stream: Id, seq: number): Promise<string | undefined> {
    const [link] = await this.rows<{ hash: string }>(
      `select encode(hash, 'hex') as hash from audit_links where stream = $1 and seq = $2`,
      ...[stream, seq],
    );
    return link?.hash;
  }

  /** Computes a chain anew, in portions, up to where it stands now. */
  async verify(stream: Id): Promise<AuditVerdict> {
    const head = await this.head(stream);
    const unlinked = await this.unlinked(stream);
    let [last, checked] = [FIRST, 0];
    let broken: AuditVerdict['broken'];
    while (last.seq < head.seq && !broken) {
      const part = await this.judge(stream, last, head.seq);
      checked += part.entries;
      // The newest links are missing.
      broken = part.broken ?? (part.last ? undefined : { seq: last.seq + 1, entryId: null });
      last = part.last ?? last;
    }
    if (!broken && last.hash !== head.hash) broken = { seq: head.seq, entryId: null };
    return { ok: !broken && unlinked === 0, checked, head, unlinked, ...(broken ? { broken } : {}) };
  }

  private async unlinked(stream: Id): Promise<number> {
    const [found] = await this.rows<{ n: string }>(
      `select count(*) as n from audit_log e where (e.workspace_id = $1 or e.workspace_id is null) and ${AUDIT_STREAM} = $1
       and not exists (select from audit_links l where l.audit_id = e.id and l.stream = $1)`,
      stream,
    );
    return Number(found?.n);
  }

  private async judge(stream: Id, after: ChainLink, upTo: number): Promise<Part> {
    const [part] = await this.rows<{
      entries: string;
      seq: string | null;
      hash: string;
      broken: string | null;
      entry: Id | null;
    }>(
      `with part as (select l.*, lag(l.seq, 1, $2::bigint) over w as before, lag(l.hash, 1, decode($3, 'hex')) over w as link
         from (select * from audit_links where stream = $1 and seq > $2 and seq <= $4 order by seq limit $5) l window w as (order by l.seq)),
       judged as (select p.seq, p.hash, p.seq <> p.before + 1 as gap, p.before + 1 as expected, e.id,
           p.hash is distinct from ${NEXT_LINK('p.link', 'p.seq', AUDIT_DIGEST)} as differs
         from part p left join audit_log e on e.id = p.audit_id and ${AUDIT_STREAM} = $1),
       broken as (select expected, case when not gap then id end as entry from judged where gap or differs order by seq limit 1)
       select count(*) as entries, max(seq) as seq, encode((array_agg(hash order by seq desc))[1], 'hex') as hash,
         (select expected from broken) as broken, (select entry from broken) as entry from judged`,
      ...[stream, after.seq, after.hash, upTo, PORTION],
    );
    return {
      entries: Number(part?.entries),
      ...(part && part.seq !== null ? { last: { seq: Number(part.seq), hash: part.hash } } : {}),
      ...(part && part.broken !== null ? { broken: { seq: Number(part.broken), entryId: part.entry } } : {}),
    };
  }

  private rows<T extends object>(text: string, ...values: readonly unknown[]): Promise<readonly T[]> {
    return this.dataSource.query<readonly T[]>(text, [...values]);
  }
}
