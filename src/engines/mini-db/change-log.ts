import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgRow, type PgSession } from '../../database/mini/index.js';
import { ident, sql, toStatement, value } from '../../query/index.js';

/** Newest number of a table's change log. A new epoch means that numbers began anew (restore): nothing before counts. */
export interface StreamHead {
  readonly tableId: Id;
  readonly epoch: string;
  readonly seq: number;
  readonly schemaVersion: number;
}

/** One entry of the change log. Changes of one write share `seq` and are told apart by `ord`. */
export interface Change {
  readonly seq: number;
  readonly ord: number;
  readonly op: 'create' | 'update' | 'delete' | 'restore' | 'schema';
  readonly rowId: Id | null;
  readonly version: number | null;
  readonly schemaVersion: number;
  /** Fields by column key: only the changed ones of an update, all of a deletion. */
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly at: string;
  readonly actor: { readonly id: Id | null; readonly name: string; readonly clientId?: string };
  readonly source: string;
  readonly changeSet: Id;
  readonly requestId: string;
  /** The change set that it undid; absent where it undid none, or parts of several. */
  readonly revertOf?: Id;
  /** Only of {@link ChangeLog.follow}: `data`, `after` was left out; `rows`, so were all changes of this number but the first. */
  readonly withheld?: 'data' | 'rows';
}

/** What {@link ChangeLog.follow} hands out of one number at most. */
export interface FollowLimits {
  readonly bytes: number;
  readonly rows: number;
  /** With what fields held before, which is left out otherwise. */
  readonly before?: true;
}

/** Reads the change log of the mini-DB. Numbers are dense and in commit order, so what has been read once is never missing anything before it. */
@Injectable()
export class ChangeLog {
  constructor(private readonly database: MiniDatabase) {}

  /** Where the streams of these tables of one base stand; tables that are gone are left out. Inside `session` if given. */
  async heads(schema: string, tableIds: readonly Id[], session: PgSession = this.database): Promise<StreamHead[]> {
    const rows = await session.query(
      toStatement(
        sql`select table_id, epoch, seq, schema_version from ${ident(schema, '_stream')} where table_id = any(${value([...tableIds], 'uuid[]')})`,
      ),
    );
    return rows.map(([tableId, epoch, seq, version]) => ({
      tableId: String(tableId),
      epoch: String(epoch),
      seq: Number(seq),
      schemaVersion: Number(version),
    }));
  }

  /** Where the stream of one table stands, and the oldest number that is kept: the next one where none is. */
  async span(schema: string, tableId: Id): Promise<(StreamHead & { readonly oldest: number }) | undefined> {
    const [row] = await this.database.query(
      toStatement(sql`select epoch, seq, schema_version,
  coalesce((select min(c.seq) from ${ident(schema, '_change')} c where c.table_id = s.table_id), s.seq + 1)
from ${ident(schema, '_stream')} s where table_id = ${value(tableId, 'uuid')}`),
    );
    if (!row) return undefined;
    const [epoch, seq, version, oldest] = row;
    return { tableId, epoch: String(epoch), seq: Number(seq), schemaVersion: Number(version), oldest: Number(oldest) };
  }

  /** The newest number that was taken up to a time (RFC 3339), of those that are kept. */
  async seqAt(schema: string, tableId: Id, at: string): Promise<number | undefined> {
    const [row] = await this.database.query(
      toStatement(
        sql`select seq from ${ident(schema, '_change')} where table_id = ${value(tableId, 'uuid')} and at <= ${value(at, 'timestamptz')} order by at desc, seq desc limit 1`,
      ),
    );
    return row && Number(row[0]);
  }

  /** The changes behind number `after`, in order, at most `limit` numbers, each whole. */
  async read(schema: string, tableId: Id, after: number, limit: number): Promise<Change[]> {
    const rows = await this.database.query(
      toStatement(sql`select ${CHANGE}
from ${ident(schema, '_change')}
where table_id = ${value(tableId, 'uuid')} and seq > ${value(after, 'bigint')} and seq <= ${value(after + limit, 'bigint')}
order by seq, ord`),
    );
    return rows.map(toChange);
  }

  /**
   * Like {@link read}, for those who pass changes on: without `before` where they do not ask for it, and with no more of one number than the limits
   * allow, so that memory stays bounded whatever was written.
   */
  async follow(
    schema: string,
    tableId: Id,
    after: number,
    limit: number,
    { bytes, rows, before }: FollowLimits,
  ): Promise<Change[]> {
    const found = await this.database.query(
      toStatement(sql`select seq, ord, op, row_id, version, schema_version, ${before ? sql`case when size <= ${value(bytes, 'bigint')} and n <= ${value(rows, 'bigint')} then before end` : sql`null`}, case when size <= ${value(bytes, 'bigint')} and n <= ${value(rows, 'bigint')} then after end,
  to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor_id, actor_name, client_id, source, change_set, request_id,
  case when n > ${value(rows, 'bigint')} then 'rows' when size > ${value(bytes, 'bigint')} then 'data' end
from (select *, count(*) over w as n, sum(octet_length(after::text)) over w as size, row_number() over (partition by seq order by ord) as nr
  from ${ident(schema, '_change')}
  where table_id = ${value(tableId, 'uuid')} and seq > ${value(after, 'bigint')} and seq <= ${value(after + limit, 'bigint')}
  window w as (partition by seq)) as change
where n <= ${value(rows, 'bigint')} or nr = 1
order by seq, ord`),
    );
    return found.map(toChange);
  }
}

/** A whole entry, for {@link toChange}. */
export const CHANGE = sql`seq, ord, op, row_id, version, schema_version, before, after,
  to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor_id, actor_name, client_id, source, change_set, request_id, null::text, revert_of`;

const json = (text: string | null | undefined): Readonly<Record<string, unknown>> | null =>
  text === null || text === undefined ? null : (JSON.parse(text) as Record<string, unknown>);

export function toChange(row: PgRow): Change {
  const [
    seq,
    ord,
    op,
    rowId,
    version,
    schemaVersion,
    before,
    after,
    at,
    actorId,
    actorName,
    clientId,
    source,
    changeSet,
    requestId,
    withheld,
    revertOf,
  ] = row;
  return {
    seq: Number(seq),
    ord: Number(ord),
    op: op as Change['op'],
    rowId: rowId ?? null,
    version: version === null || version === undefined ? null : Number(version),
    schemaVersion: Number(schemaVersion),
    before: json(before),
    after: json(after),
    at: String(at),
    actor: { id: actorId ?? null, name: actorName ?? '', ...(clientId ? { clientId } : {}) },
    source: String(source),
    changeSet: String(changeSet),
    requestId: String(requestId),
    ...(revertOf ? { revertOf } : {}),
    ...(withheld ? { withheld: withheld as NonNullable<Change['withheld']> } : {}),
  };
}
