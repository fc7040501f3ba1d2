import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgRow } from '../../database/mini/index.js';
import {
  COUNT_BOUND,
  compileEstimate,
  compileRead,
  compileReadOne,
  isBackward,
  ROW_SEPARATOR,
  toStatement,
  type ColumnSchema,
  type Condition,
  type Position,
  type ReadPlan,
  type Sql,
  type TableSchema,
} from '../../query/index.js';
import { SchemaMoved, type DataEngine, type PageText, type RowText } from '../data-engine.js';
import { pgError, translate } from './pg-errors.js';

/** Reads of the managed tables: one statement, one round trip (with a count, which has its own limit of time, three); PostgreSQL makes the JSON. */
@Injectable()
export class MiniDbEngine implements DataEngine {
  readonly capabilities = { changeLog: true, rowVersions: true } as const;

  /** A count that takes longer is given up, and the page goes out with an estimate. */
  protected readonly countTimeoutMs: number = 5_000;

  constructor(private readonly database: MiniDatabase) {}

  async read(plan: ReadPlan): Promise<PageText> {
    const { count: mode } = plan;
    if (mode === 'none' || mode === 'estimated') return this.page(plan, await this.run(compileRead(plan), plan.from));
    const counted = await this.runInTime(compileRead(plan), plan.from);
    if (counted) return this.page(plan, counted);
    const page = await this.read({ ...plan, count: 'estimated' });
    return { ...page, ...(page.count ? { count: { ...page.count, mode } } : {}) };
  }

  private async page(plan: ReadPlan, [row]: readonly PgRow[]): Promise<PageText> {
    // The fence for reads: rows and version come from one snapshot, so a page is never read with another structure's columns.
    if (!row || Number(row[2]) !== plan.from.schemaVersion) throw new SchemaMoved();
    const [epoch, seq, , data, found, last, first, total] = row;
    const hasMore = Number(found) > plan.limit;
    return {
      data: hasMore ? withoutOneMore(data ?? '', plan) : (data ?? ''),
      ...(last ? { next: readPosition(last) } : {}),
      ...(first ? { prev: readPosition(first) } : {}),
      ...(plan.count === 'none' ? {} : { count: await this.count(plan, Number(total)) }),
      stream: { epoch: String(epoch), seq: Number(seq) },
    };
  }

  async readOne(
    table: TableSchema,
    select: readonly ColumnSchema[],
    where: Condition,
    rowId: Id,
  ): Promise<RowText | undefined> {
    const [row] = await this.run(compileReadOne(table, select, where, rowId), table);
    if (!row || Number(row[0]) !== table.schemaVersion) throw new SchemaMoved();
    const [, version, json] = row;
    return version && json ? { version: Number(version), json } : undefined;
  }

  private async count(plan: ReadPlan, total: number): Promise<PageText['count']> {
    switch (plan.count) {
      case 'none':
        return undefined;
      case 'exact':
        return { mode: 'exact', value: total, relation: 'exact' };
      case 'bounded':
        return total > COUNT_BOUND
          ? { mode: 'bounded', value: COUNT_BOUND, relation: 'atLeast' }
          : { mode: 'bounded', value: total, relation: 'exact' };
      case 'estimated': {
        const [row] = await this.run(compileEstimate(plan), plan.from);
        const [explained] = JSON.parse(row?.[0] ?? '[]') as { Plan: { 'Plan Rows': number } }[];
        return { mode: 'estimated', value: explained?.Plan['Plan Rows'] ?? 0, relation: 'estimate' };
      }
    }
  }

  /** Undefined when it took longer than a count may. */
  private async runInTime(fragment: Sql, table: TableSchema): Promise<PgRow[] | undefined> {
    const options = { prepares: true, timeoutMs: this.countTimeoutMs };
    try {
      return await this.database.transaction((session) => session.query(toStatement(fragment)), options);
    } catch (error) {
      if (pgError(error)?.code === '57014') return undefined;
      throw translate(error, table);
    }
  }

  private async run(fragment: Sql, table: TableSchema): Promise<PgRow[]> {
    try {
      return await this.database.query(toStatement(fragment));
    } catch (error) {
      throw translate(error, table);
    }
  }
}

/** A list without elements is shown as `[]`; its canonical form is null. */
const readPosition = (json: string): Position =>
  (JSON.parse(json) as Position).map((cell) => (Array.isArray(cell) && cell.length === 0 ? null : cell));

/** The row that only told that there is another page is not part of this one. */
const withoutOneMore = (rows: string, { way = 'after' }: ReadPlan): string =>
  isBackward(way)
    ? rows.slice(rows.indexOf(ROW_SEPARATOR) + ROW_SEPARATOR.length)
    : rows.slice(0, rows.lastIndexOf(ROW_SEPARATOR));
