import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgSession } from '../../database/mini/index.js';
import {
  empty,
  ident,
  isSeenRow,
  join,
  sql,
  toStatement,
  value,
  type Sql,
  type TableSchema,
} from '../../query/index.js';
import { ANY_TIME, isWholeWithin, windowsOf, within, type Window } from './act-times.js';
import { CHANGE, toChange, type Change } from './change-log.js';

/** Which entries of a table's log; what is given is ANDed. Numbers and times include both ends but `to`, which is the first that is not. */
export interface HistoryFilter {
  readonly rowId?: Id;
  readonly rowIds?: readonly Id[];
  readonly actorId?: Id;
  readonly owner?: ChangeOwner;
  readonly changeSet?: Id;
  readonly fromSeq?: number;
  readonly toSeq?: number;
  /** RFC 3339. */
  readonly from?: string;
  readonly to?: string;
  /** Changes of rows only, and only of those that are seen of this table. */
  readonly seenOf?: TableSchema;
}

/** Somebody, with one of his clients; null are those that say nothing of themselves. */
export interface ChangeOwner {
  readonly actorId: Id;
  readonly clientId: string | null;
}

/** What somebody did as one act. */
export interface OwnAct {
  readonly changeSet: Id;
  readonly source: string;
  readonly revertOf?: Id;
}

/** What one undoes is what one remembers; and no log is read without end. */
const OWN_ACTS = { changes: 20_000, hours: 24 };

/** A table that was changed, and the numbers of its log that the changes are among. */
export interface ChangedTable {
  readonly tableId: Id;
  readonly fromSeq: number;
  /** Absent where there may be later ones. */
  readonly toSeq?: number;
}

/** Where an entry stands in its table's log. */
export interface LogPlace {
  readonly seq: number;
  readonly ord: number;
}

/** How much of a log is read at once, at most. */
export interface LogLimits {
  readonly entries: number;
  /** Of what fields were and became, as JSON. */
  readonly bytes: number;
}

/** Entries, and whether there are more than the limits allow. */
export interface LogPart {
  readonly entries: readonly Change[];
  readonly more: boolean;
  /** Of what their fields were and became, as JSON. */
  readonly bytes: number;
}

/** Reads the change log backwards, and picks parts of it: for people who ask what happened, and for those who undo it. */
@Injectable()
export class HistoryLog {
  constructor(private readonly database: MiniDatabase) {}

  /** The newest entries first, behind a place if given; one at least, however large it is. */
  newest(schema: string, tableId: Id, filter: HistoryFilter, limits: LogLimits, behind?: LogPlace): Promise<LogPart> {
    const after = behind
      ? sql` and (seq, ord) < (${value(behind.seq, 'bigint')}, ${value(behind.ord, 'integer')})`
      : empty;
    return this.part(sql`${log(schema)} c where ${where(tableId, filter)}${after}`, sql`seq desc, ord desc`, limits);
  }

  /** Changes of rows in the order in which they were made. */
  rowsChanged(
    schema: string,
    tableId: Id,
    filter: HistoryFilter,
    limits: LogLimits,
    session?: PgSession,
  ): Promise<LogPart> {
    const from = sql`${log(schema)} c where ${where(tableId, filter)} and op <> 'schema'`;
    return this.part(from, sql`seq, ord`, limits, session);
  }

  /** The tables of a base whose rows were changed by such changes, in order of their ids, each with the first number of them. */
  async tablesChanged(schema: string, filter: HistoryFilter): Promise<readonly ChangedTable[]> {
    if (filter.changeSet !== undefined) return this.tablesOfAct(schema, filter.changeSet);
    const rows = await this.database.query(toStatement(changed(schema, of(filter), sql`true`)));
    return rows.map(([tableId, fromSeq]) => ({ tableId: String(tableId), fromSeq: Number(fromSeq) }));
  }

  /**
   * The same of an act, with the last numbers, too, where it is over. Only where its id does not tell when it was, or it may have taken long, the log
   * is read further than that, up to the whole of it.
   */
  async tablesOfAct(schema: string, act: Id, session: PgSession = this.database): Promise<readonly ChangedTable[]> {
    let isThere = false;
    for (const window of windowsOf(act)) {
      // What is not found at its time is of another one, and may be anywhere.
      if (window.to === Infinity && !isThere) break;
      const found = await this.actWithin(session, schema, act, window);
      if (found.length > 0 && found.every(({ isWhole }) => isWhole)) return numbersOf(found, window);
      isThere ||= found.length > 0;
    }
    return numbersOf(await this.actWithin(session, schema, act, ANY_TIME), ANY_TIME);
  }

  private async actWithin(session: PgSession, schema: string, act: Id, window: Window) {
    const condition = sql`${of({ changeSet: act })} and ${within(window)}`;
    const rows = await session.query(toStatement(changed(schema, condition, isWholeWithin(window))));
    return rows.map(([tableId, fromSeq, toSeq, isWhole]) => ({
      ...{ tableId: String(tableId), fromSeq: Number(fromSeq), toSeq: Number(toSeq) },
      isWhole: isWhole === 't',
    }));
  }

  /** What happened to a row behind one of its versions, in order. */
  behindVersion(
    schema: string,
    tableId: Id,
    rowId: Id,
    version: number,
    limits: LogLimits,
    session?: PgSession,
  ): Promise<LogPart> {
    const from = sql`${log(schema)} where ${where(tableId, { rowId })} and version > ${value(version, 'integer')}`;
    return this.part(from, sql`version`, limits, session);
  }

  /** Changes of the structure, in order, behind a number if given. */
  async structure(
    schema: string,
    tableId: Id,
    session: PgSession = this.database,
    behind = 0,
  ): Promise<readonly Change[]> {
    const filter = where(tableId, behind === 0 ? {} : { fromSeq: behind + 1 });
    const rows = await session.query(
      toStatement(sql`select ${CHANGE} from ${log(schema)} where ${filter} and op = 'schema' order by seq`),
    );
    return rows.map(toChange);
  }

  /** Those of the keys of links under which a change behind the number tells not the whole list of before, which was long, but what was added and removed. */
  async toldInParts(
    schema: string,
    tableId: Id,
    behind: number,
    keys: readonly string[],
  ): Promise<ReadonlySet<string>> {
    if (keys.length === 0) return new Set();
    const rows = await this.database.query(
      toStatement(sql`select distinct e.key from ${log(schema)} c, json_each(c.before) e
where ${where(tableId, { fromSeq: behind + 1 })} and e.key = any(${value([...keys], 'text[]')}) and json_typeof(e.value) = 'object'`),
    );
    return new Set(rows.map(([key]) => String(key)));
  }

  /**
   * What somebody did to rows of late, the oldest first, imports left out. Until the transaction of `session` ends, nobody else reads it: two who
   * undo at once take back two acts, and not one of them twice.
   */
  async ownActs(session: PgSession, schema: string, tableId: Id, owner: ChangeOwner): Promise<readonly OwnAct[]> {
    const line = `undo ${tableId} ${owner.actorId} ${owner.clientId ?? ''}`;
    await session.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [line] });
    const rows = await session.query(
      toStatement(sql`select change_set, min(source), min(revert_of::text) from (
  select * from ${log(schema)} where table_id = ${value(tableId, 'uuid')} order by seq desc, ord desc limit ${value(OWN_ACTS.changes, 'integer')}) newest
where ${owned(owner)} and op <> 'schema' and source <> 'import' and at > now() - make_interval(hours => ${value(OWN_ACTS.hours, 'integer')})
group by change_set order by max(seq)`),
    );
    return rows.map(([changeSet, source, revertOf]) => ({
      changeSet: String(changeSet),
      source: String(source),
      ...(revertOf ? { revertOf } : {}),
    }));
  }

  private async part(
    from: Sql,
    order: Sql,
    { entries, bytes }: LogLimits,
    session: PgSession = this.database,
  ): Promise<LogPart> {
    const rows = await session.query(
      toStatement(sql`select ${CHANGE}, size, n from (
  select *, count(*) over () as n, row_number() over w as nr,
    sum(coalesce(octet_length(before::text), 0) + coalesce(octet_length(after::text), 0)) over w as size
  from (select * from ${from} order by ${order} limit ${value(entries + 1, 'integer')}) found
  window w as (order by ${order} rows unbounded preceding)) sized
where nr = 1 or (nr <= ${value(entries, 'integer')} and size <= ${value(bytes, 'bigint')}) order by ${order}`),
    );
    return {
      entries: rows.map(toChange),
      more: rows.length < Number(rows[0]?.at(-1) ?? 0),
      bytes: Number(rows.at(-1)?.at(-2) ?? 0),
    };
  }
}

const log = (schema: string): Sql => ident(schema, '_change');

/** Rows `table, first number, last number, what`, of changes of rows. */
const changed = (schema: string, condition: Sql, what: Sql): Sql =>
  sql`select table_id, min(seq), max(seq), ${what} from ${log(schema)} where ${condition} and op <> 'schema' group by table_id order by table_id`;

const numbersOf = (found: readonly Required<ChangedTable>[], { to }: Window): readonly ChangedTable[] =>
  found.map(({ tableId, fromSeq, toSeq }) => ({ tableId, fromSeq, ...(to === Infinity ? {} : { toSeq }) }));

const owned = ({ actorId, clientId }: ChangeOwner): Sql =>
  sql`actor_id = ${value(actorId, 'uuid')} and client_id is not distinct from ${value(clientId, 'text')}`;

const where = (tableId: Id, filter: HistoryFilter): Sql => sql`table_id = ${value(tableId, 'uuid')} and ${of(filter)}`;

function of(filter: HistoryFilter): Sql {
  const { rowId, rowIds, owner, actorId, changeSet, fromSeq, toSeq, from, to, seenOf } = filter;
  const parts = [
    ...(rowId === undefined ? [] : [sql`row_id = ${value(rowId, 'uuid')}`]),
    ...(rowIds === undefined ? [] : [sql`row_id = any(${value([...rowIds], 'uuid[]')})`]),
    ...(owner === undefined ? [] : [owned(owner)]),
    ...(actorId === undefined ? [] : [sql`actor_id = ${value(actorId, 'uuid')}`]),
    ...(changeSet === undefined ? [] : [sql`change_set = ${value(changeSet, 'uuid')}`]),
    ...(fromSeq === undefined ? [] : [sql`seq >= ${value(fromSeq, 'bigint')}`]),
    ...(toSeq === undefined ? [] : [sql`seq <= ${value(toSeq, 'bigint')}`]),
    ...(from === undefined ? [] : [sql`at >= ${value(from, 'timestamptz')}`]),
    ...(to === undefined ? [] : [sql`at < ${value(to, 'timestamptz')}`]),
    ...(seenOf === undefined ? [] : [sql`op <> 'schema'`, isSeenRow(seenOf, sql`c.row_id`)]),
  ];
  return parts.length === 0 ? sql`true` : join(parts, sql` and `);
}
