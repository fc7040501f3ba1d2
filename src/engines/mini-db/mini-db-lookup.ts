import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgRow, type PgSession } from '../../database/mini/index.js';
import {
  cellsInTrash,
  cellsOf,
  changedSince,
  compileIndexKeys,
  compileMatch,
  compileReread,
  compileSeenRows,
  compileVersions,
  heldWhenDeleted,
  judgeRows,
  lockAllTrashed,
  lockRows,
  lockTrashed,
  matchingRows,
  oldestRows,
  pairsAt,
  toStatement,
  type ColumnSchema,
  type Comparing,
  type Condition,
  type LinkRef,
  type MatchRecord,
  type RowBefore,
  type RowFilter,
  type Sql,
  type TableSchema,
} from '../../query/index.js';
import { meaningOf } from './meaning.js';

/** The columns of an index that was asked for, and whether no two live rows may have the same values in all of them. */
export interface IndexKeys {
  readonly unique: boolean;
  readonly columns: readonly ColumnSchema[];
}

/** A row as it was read. */
export interface HeldRow {
  readonly version: number;
  /** By column key, as JSON. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A row as somebody sees it who sees part of the table. */
export interface SeenRow {
  readonly version: number;
  /** Absent where he does not see it. */
  readonly fields?: HeldRow['fields'];
  /** Whether he saw it before. */
  readonly was: boolean;
}

/**
 * Looks that writes need before they can be decided, or to say what was wrong with them. Outside of a session each throws SchemaMoved where the
 * structure is another by now.
 */
@Injectable()
export class MiniDbLookup {
  constructor(private readonly database: MiniDatabase) {}

  /** Ids of the live rows that have the values of each record, by its `o`. Inside `session` if given. */
  async matches(
    table: TableSchema,
    columns: readonly ColumnSchema[],
    records: readonly MatchRecord[],
    session?: PgSession,
    comparing?: Comparing,
  ): Promise<Map<number, Id[]>> {
    const found = new Map<number, Id[]>();
    if (records.length === 0) return found;
    for (const [o, id] of await this.query(compileMatch(table, columns, records, comparing), table, session)) {
      found.set(Number(o), [...(found.get(Number(o)) ?? []), String(id)]);
    }
    return found;
  }

  /** What the indexes that were asked for refuse rows by. Inside `session` if given. */
  async indexKeys(table: TableSchema, session?: PgSession): Promise<IndexKeys[]> {
    const rows = await this.query(compileIndexKeys(table), table, session);
    return rows.flatMap(([unique, names]) => {
      // The id, which ends an order, is no column of ours.
      const keys = (JSON.parse(names ?? '[]') as string[]).filter((name) => name !== '_id');
      const columns = keys.flatMap((name) => table.columns.find(({ physical }) => physical === name) ?? []);
      // One of a column that is in the trash is on its way out.
      return columns.length === keys.length ? [{ unique: unique === 't', columns }] : [];
    });
  }

  /** Versions of those of the rows that are there. Inside `session` if given. */
  async versions(table: TableSchema, ids: readonly Id[], session?: PgSession): Promise<Map<Id, number>> {
    if (ids.length === 0) return new Map();
    const rows = await this.query(compileVersions(table, ids), table, session);
    return new Map(rows.map(([id, version]) => [String(id), Number(version)]));
  }

  /** Which of the conditions hold for those of the rows that are there. Inside `session` if given. */
  async judge(
    table: TableSchema,
    ids: readonly Id[],
    conditions: readonly RowFilter[],
    session?: PgSession,
  ): Promise<Map<Id, readonly boolean[]>> {
    if (ids.length === 0) return new Map();
    const rows = await this.query(judgeRows(table, ids, conditions), table, session);
    return new Map(rows.map(([id, verdicts]) => [String(id), [...String(verdicts)].map((each) => each === 't')]));
  }

  /** What somebody who sees part of a table sees of these rows, and whether he saw them before they were changed. */
  async seenRows(table: TableSchema, rows: readonly RowBefore[]): Promise<Map<Id, SeenRow>> {
    if (rows.length === 0) return new Map();
    const found = await this.query(compileSeenRows(table, rows), table);
    return new Map(
      found.map(([id, version, fields, was]) => [
        String(id),
        { version: Number(version), ...(fields ? { fields: fieldsOf(fields) } : {}), was: was === 't' },
      ]),
    );
  }

  /** Locks those of the rows that are there, in the order in which everybody locks them, and says what they hold in these columns. */
  async held(
    session: PgSession,
    table: TableSchema,
    ids: readonly Id[],
    columns: readonly ColumnSchema[],
  ): Promise<Map<Id, HeldRow>> {
    if (ids.length === 0) return new Map();
    await session.query(toStatement(lockRows(table, ids)));
    return this.cells(table, ids, columns, session);
  }

  /** What those of the rows that are there hold in these columns; without a lock. Inside `session` if given. */
  async cells(
    table: TableSchema,
    ids: readonly Id[],
    columns: readonly ColumnSchema[],
    session?: PgSession,
  ): Promise<Map<Id, HeldRow>> {
    const rows = await this.query(cellsOf(table, ids, columns), table, session);
    return new Map(
      rows.map(([id, version, json]) => [String(id), { version: Number(version), fields: fieldsOf(json) }]),
    );
  }

  /** What those of the rows hold that are in the trash. */
  async cellsInTrash(
    session: PgSession,
    table: TableSchema,
    ids: readonly Id[],
    columns: readonly ColumnSchema[],
  ): Promise<ReadonlyMap<Id, HeldRow['fields']>> {
    const rows = await session.query(toStatement(cellsInTrash(table, ids, columns)));
    return new Map(rows.map(([id, json]) => [String(id), fieldsOf(json)]));
  }

  /** The JSON text of a row, as it is in the transaction. */
  async row(session: PgSession, table: TableSchema, rowId: Id): Promise<string | undefined> {
    const [row] = await session.query(toStatement(compileReread(table, [rowId])));
    return row?.[1] ?? undefined;
  }

  /** Rows that a condition holds for, with their versions, in id order. With a `session` they are locked until its transaction ends. @throws Problem `overloaded` */
  async matching(
    table: TableSchema,
    where: Condition,
    atMost: number,
    session?: PgSession,
  ): Promise<readonly { readonly id: Id; readonly version: number }[]> {
    const rows = await this.query(matchingRows(table, where, atMost, session !== undefined), table, session);
    return rows.map(([id, version]) => ({ id: String(id), version: Number(version) }));
  }

  /** Which of these rows at the other end of a link are linked with some row. */
  async linked(session: PgSession, link: LinkRef, rows: readonly Id[]): Promise<ReadonlySet<Id>> {
    if (rows.length === 0) return new Set();
    return new Set((await session.query(toStatement(pairsAt(link, rows, 1)))).map(([theirs]) => String(theirs)));
  }

  /** Keys of the fields that were changed behind a version of a row that has `version` now; undefined where the log does not reach back so far. */
  async changedSince(
    session: PgSession,
    table: TableSchema,
    rowId: Id,
    base: number,
    version: number,
  ): Promise<ReadonlySet<string> | undefined> {
    const rows = await session.query(toStatement(changedSince(table, rowId, base)));
    if (rows.length < version - base) return undefined;
    return new Set(rows.flatMap(([, keys]) => JSON.parse(keys ?? '[]') as string[]));
  }

  /** Versions of those of the rows that are in the trash, which are locked until the transaction of `session` ends. */
  async versionsInTrash(session: PgSession, table: TableSchema, ids: readonly Id[]): Promise<Map<Id, number>> {
    if (ids.length === 0) return new Map();
    const rows = await session.query(toStatement(lockAllTrashed(table, ids)));
    return new Map(rows.map(([id, version]) => [String(id), Number(version)]));
  }

  /** Locks a row of the trash, and says what it held when it was deleted, under the keys of then; undefined when it is not there. */
  async heldInTrash(
    session: PgSession,
    table: TableSchema,
    rowId: Id,
  ): Promise<{ readonly fields: HeldRow['fields']; readonly seq: number } | undefined> {
    const locked = await session.query(toStatement(lockTrashed(table, rowId)));
    if (locked.length === 0) return undefined;
    const [row] = await session.query(toStatement(heldWhenDeleted(table, rowId)));
    return { fields: fieldsOf(row?.[0]), seq: Number(row?.[1] ?? 0) };
  }

  /** The oldest rows of a table with these fields, up to a number. */
  async oldest(
    table: TableSchema,
    columns: readonly ColumnSchema[],
    most: number,
  ): Promise<{ readonly id: Id; readonly fields: Readonly<Record<string, unknown>> }[]> {
    const rows = await this.query(oldestRows(table, columns, most), table);
    return rows.map(([id, fields]) => ({
      id: String(id),
      fields: fieldsOf(fields),
    }));
  }

  /** Transactions that are to be tried again are the business of whoever began them, and so are their errors. */
  private async query(statement: Sql, table: TableSchema, session?: PgSession): Promise<readonly PgRow[]> {
    try {
      return await (session ?? this.database).query(toStatement(statement));
    } catch (error) {
      throw session ? error : await meaningOf(error, table, this.database);
    }
  }
}

const fieldsOf = (json: string | null | undefined): Readonly<Record<string, unknown>> =>
  JSON.parse(json ?? '{}') as Record<string, unknown>;
