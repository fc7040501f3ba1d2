import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgSession } from '../../database/mini/index.js';
import {
  compileMatch,
  compileVersions,
  oldestRows,
  toStatement,
  type ColumnSchema,
  type MatchRecord,
  type TableSchema,
} from '../../query/index.js';

/** Looks that writes need before they can be decided, or to say what was wrong with them. */
@Injectable()
export class MiniDbLookup {
  constructor(private readonly database: MiniDatabase) {}

  /** Ids of the live rows that have the values of each record, by its `o`. Inside `session` if given. */
  async matches(
    table: TableSchema,
    columns: readonly ColumnSchema[],
    records: readonly MatchRecord[],
    session: PgSession = this.database,
  ): Promise<Map<number, Id[]>> {
    const found = new Map<number, Id[]>();
    if (records.length === 0) return found;
    for (const [o, id] of await session.query(toStatement(compileMatch(table, columns, records)))) {
      found.set(Number(o), [...(found.get(Number(o)) ?? []), String(id)]);
    }
    return found;
  }

  /** Versions of those of the rows that are there. */
  async versions(table: TableSchema, ids: readonly Id[]): Promise<Map<Id, number>> {
    if (ids.length === 0) return new Map();
    const rows = await this.database.query(toStatement(compileVersions(table, ids)));
    return new Map(rows.map(([id, version]) => [String(id), Number(version)]));
  }

  /** The oldest rows of a table with these fields, up to a number. */
  async oldest(
    table: TableSchema,
    columns: readonly ColumnSchema[],
    most: number,
  ): Promise<{ readonly id: Id; readonly fields: Readonly<Record<string, unknown>> }[]> {
    const rows = await this.database.query(toStatement(oldestRows(table, columns, most)));
    return rows.map(([id, fields]) => ({
      id: String(id),
      fields: JSON.parse(fields ?? '{}') as Record<string, unknown>,
    }));
  }
}
