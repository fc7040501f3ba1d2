import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgSession } from '../../database/mini/index.js';
import { ident, join, sql, toStatement, value, type Sql } from '../../query/index.js';
import { CHANGE, toChange, type Change } from './change-log.js';

/** Which entries of a table's log; what is given is ANDed. Numbers and times include both ends but `to`, which is the first that is not. */
export interface HistoryFilter {
  readonly rowId?: Id;
  readonly actorId?: Id;
  readonly changeSet?: Id;
  readonly fromSeq?: number;
  readonly toSeq?: number;
  /** RFC 3339. */
  readonly from?: string;
  readonly to?: string;
}

/** Where an entry stands in its table's log. */
export interface LogPlace {
  readonly seq: number;
  readonly ord: number;
}

/** Reads the change log backwards, and picks parts of it: for people who ask what happened, and for those who undo it. */
@Injectable()
export class HistoryLog {
  constructor(private readonly database: MiniDatabase) {}

  /** The newest entries first, behind a place if given. */
  newest(
    schema: string,
    tableId: Id,
    filter: HistoryFilter,
    limit: number,
    behind?: LogPlace,
  ): Promise<readonly Change[]> {
    const after = behind
      ? sql` and (seq, ord) < (${value(behind.seq, 'bigint')}, ${value(behind.ord, 'integer')})`
      : sql``;
    return this.entries(
      sql`select ${CHANGE} from ${log(schema)} where ${where(tableId, filter)}${after} order by seq desc, ord desc limit ${value(limit, 'integer')}`,
    );
  }

  /** Changes of rows in the order in which they were made, up to a number. */
  rowsChanged(
    schema: string,
    tableId: Id,
    filter: HistoryFilter,
    atMost: number,
    session?: PgSession,
  ): Promise<readonly Change[]> {
    return this.entries(
      sql`select ${CHANGE} from ${log(schema)} where ${where(tableId, filter)} and op <> 'schema' order by seq, ord limit ${value(atMost, 'integer')}`,
      session,
    );
  }

  /** What happened to a row behind one of its versions, in order. */
  behindVersion(
    schema: string,
    tableId: Id,
    rowId: Id,
    version: number,
    session?: PgSession,
  ): Promise<readonly Change[]> {
    return this.entries(
      sql`select ${CHANGE} from ${log(schema)} where ${where(tableId, { rowId })} and version > ${value(version, 'integer')} order by version`,
      session,
    );
  }

  /** Changes of the structure, in order. */
  structure(schema: string, tableId: Id, session?: PgSession): Promise<readonly Change[]> {
    return this.entries(
      sql`select ${CHANGE} from ${log(schema)} where ${where(tableId, {})} and op = 'schema' order by seq`,
      session,
    );
  }

  private async entries(statement: Sql, session: PgSession = this.database): Promise<readonly Change[]> {
    return (await session.query(toStatement(statement))).map(toChange);
  }
}

const log = (schema: string): Sql => ident(schema, '_change');

function where(tableId: Id, filter: HistoryFilter): Sql {
  const { rowId, actorId, changeSet, fromSeq, toSeq, from, to } = filter;
  const parts = [
    sql`table_id = ${value(tableId, 'uuid')}`,
    ...(rowId === undefined ? [] : [sql`row_id = ${value(rowId, 'uuid')}`]),
    ...(actorId === undefined ? [] : [sql`actor_id = ${value(actorId, 'uuid')}`]),
    ...(changeSet === undefined ? [] : [sql`change_set = ${value(changeSet, 'uuid')}`]),
    ...(fromSeq === undefined ? [] : [sql`seq >= ${value(fromSeq, 'bigint')}`]),
    ...(toSeq === undefined ? [] : [sql`seq <= ${value(toSeq, 'bigint')}`]),
    ...(from === undefined ? [] : [sql`at >= ${value(from, 'timestamptz')}`]),
    ...(to === undefined ? [] : [sql`at < ${value(to, 'timestamptz')}`]),
  ];
  return join(parts, sql` and `);
}
