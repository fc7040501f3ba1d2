import { Injectable } from '@nestjs/common';
import {
  Answer,
  API_PREFIX,
  expectedVersion,
  invalid,
  newId,
  Problem,
  type Access,
  type DatabaseWork,
  type Id,
  type ProblemItem,
} from '../../../common/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import { MiniDbLookup, type HeldRow, type OpResult, type WriteResult } from '../../../engines/index.js';
import {
  completeNewRow,
  resolveFieldValues,
  type ColumnSchema,
  type RowOp,
  type TableSchema,
  bodyOf,
  wholeOf,
} from '../../../query/index.js';
import { defaultsFor } from './defaults-for.js';
import { judged } from './judged.js';
import type { Manner } from './manner.js';
import { OneRow, type Prepare } from './one-row.js';
import { rowAnswer } from './row-answer.js';
import { opOf, parsePatch, type RowPatch } from './row-patch.js';
import { broughtBy, canonical, holds, settle } from './settle.js';
import { Fence } from '../../tables/index.js';

/** Use cases of changing one row. */
@Injectable()
export class RowsWriter {
  constructor(
    private readonly fence: Fence,
    private readonly row: OneRow,
    private readonly lookup: MiniDbLookup,
  ) {}

  /** @throws Problem `validation_failed`, `unique_violation` */
  create(access: Access, tableId: Id, body: unknown, manner: Manner): Promise<Answer> {
    return this.fence.run(access, tableId, ({ tableSchema }) => {
      const errors: ProblemItem[] = [];
      const { fields } = bodyOf(body, '', ['fields']);
      const given = resolveFieldValues(fields, tableSchema, '/fields', errors);
      const values = completeNewRow(given, tableSchema, '/fields', errors, defaultsFor(access));
      if (errors.length > 0) throw invalid(errors);
      const op: RowOp = { kind: 'create', id: newId(), values };
      return this.row.write(access, tableSchema, op, manner, (done, write, work) => {
        const location = `/${API_PREFIX}/tables/${tableId}/rows/${done.id}`;
        return rowAnswer(done, write, manner, { status: 201, headers: { location } }, work);
      });
    });
  }

  /**
   * Changes the given fields; what stays the same makes no version.
   * @throws Problem `validation_failed`, `not_found`, `version_mismatch`, `merge_conflict`, `unique_violation`
   */
  update(
    access: Access,
    tableId: Id,
    rowId: Id,
    body: unknown,
    ifMatch: string | undefined,
    manner: Manner,
  ): Promise<Answer> {
    return this.fence.run(access, tableId, async ({ tableSchema: table }) => {
      const patch = await judged(this.lookup, table, rowId, () => parsePatch(table, rowId, body, ifMatch));
      const toAnswer = (done: OpResult, write: WriteResult, work?: DatabaseWork): Answer =>
        rowAnswer(done, write, manner, {}, work);
      if (patch.changes.size === 0 && !patch.since) return this.row.write(access, table, opOf(patch), manner, toAnswer);
      const asked = { ...opOf(patch), values: new Map([...patch.values, ...broughtBy(patch.changes)]) };
      return this.row.prepared(access, table, asked, this.settled(table, patch), manner, toAnswer);
    });
  }

  /** Into the trash. @throws Problem `not_found`, `version_mismatch` */
  remove(access: Access, tableId: Id, rowId: Id, ifMatch: string | undefined, manner: Manner): Promise<Answer> {
    return this.fence.run(access, tableId, async ({ tableSchema: table }) => {
      const op = await judged(this.lookup, table, rowId, () => deleteOf(rowId, ifMatch));
      const toAnswer = (_: OpResult, { seq }: WriteResult, work: DatabaseWork = {}): Answer =>
        new Answer(undefined, { ...work, status: 204, headers: { 'live-seq': String(seq) } });
      return this.row.write(access, table, op, manner, toAnswer);
    });
  }

  /** The patch with what it makes of the row as it is, under its lock. */
  private settled(table: TableSchema, patch: RowPatch): Prepare {
    return async (session) => {
      const columns = [...new Set([...patch.changes.keys(), ...(patch.since ? patch.values.keys() : [])])];
      const row = (await this.lookup.held(session, wholeOf(table), [patch.id], columns)).get(patch.id);
      const { expectedVersion: expected = row?.version } = patch;
      // What is wrong is said by the write itself, which looks again.
      if (!row || expected !== row.version) return opOf(patch);
      await this.mustMerge(session, table, patch, row);
      const errors: ProblemItem[] = [];
      const settled = settle(patch.changes, (column) => canonical(row.fields[column.key], column), '/fields', errors);
      if (errors.length > 0) throw invalid(errors);
      return { ...opOf(patch), values: new Map([...patch.values, ...settled]) };
    };
  }

  /** @throws Problem `merge_conflict` */
  private async mustMerge(session: PgSession, table: TableSchema, patch: RowPatch, row: HeldRow): Promise<void> {
    const { since, id, values } = patch;
    if (!since || since.version === row.version) return;
    // Nobody can have seen that version: the row was restored from a backup, or it is that of another one.
    if (since.version > row.version) throw conflict(row.version, [], await this.lookup.row(session, table, id));
    const changed = await this.lookup.changedSince(session, table, id, since.version, row.version);
    // Where the log does not reach back so far, every field may have been changed.
    const inTheWay = [...values].filter(
      ([column, value]) => changed?.has(column.key) !== false && !holds(row.fields[column.key], value, column),
    );
    if (since.onConflict === 'merge' && inTheWay.length === 0) return;
    const columns = inTheWay.map(([column]) => column);
    throw conflict(row.version, columns, await this.lookup.row(session, table, id));
  }
}

const deleteOf = (id: Id, ifMatch: string | undefined): RowOp => ({ kind: 'delete', id, ...expectedVersion(ifMatch) });

/** 409 with the row as it is now, and the fields that others changed, too. */
function conflict(version: number, columns: readonly ColumnSchema[], current: string | undefined): Problem {
  const errors = columns.map(({ key }) => ({
    pointer: `/fields/${key}`,
    code: 'changed_since',
    detail: `${key} was changed since baseVersion.`,
  }));
  return new Problem('merge_conflict', {
    detail: `The row has version ${version} now.`,
    ...(errors.length > 0 ? { errors } : {}),
    extra: { current: JSON.parse(current ?? 'null') as unknown },
    headers: { etag: `"${version}"` },
  });
}
