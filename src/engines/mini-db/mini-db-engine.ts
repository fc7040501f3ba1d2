import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgRow, type PgStatement } from '../../database/mini/index.js';
import {
  compileEstimate,
  compileGroupEstimate,
  compileGroups,
  compileRead,
  compileReadRowAsOf,
  compileReadRows,
  toStatement,
  type ColumnSchema,
  type Condition,
  type CountMode,
  type GroupPlan,
  type ReadPlan,
  type TableSchema,
} from '../../query/index.js';
import { SchemaMoved, type DataEngine, type PageText, type RowsPage, type RowText } from '../data-engine.js';
import { compiled, compiledPage } from './compiled.js';
import { GatheredRows, type RowQuestion } from './gathered-rows.js';
import { asLent, rowsIn, countOf, groupsText, insteadOfCount } from './page-text.js';
import { meaningOf } from './meaning.js';
import { pgError, tellingZone } from './pg-errors.js';

/** Where statements for pages have the version of the structure. */
const SCHEMA_VERSION = 3;

/** Reads of the managed tables: one statement, one round trip, for rows by id also for several requests (with a count, which has its own limit of time, three). */
@Injectable()
export class MiniDbEngine implements DataEngine {
  readonly capabilities = { changeLog: true, rowVersions: true } as const;

  /** A count that takes longer is given up, and the page goes out with an estimate. */
  protected readonly countTimeoutMs: number = 5_000;

  private readonly rows = new GatheredRows((question, ids) => this.readRows(question, ids));

  constructor(private readonly database: MiniDatabase) {}

  async read(asked: ReadPlan): Promise<RowsPage> {
    const { plan, row, page } = await this.ran(asked, (each) => compiledPage(each, compileRead, asLent));
    const [, epoch, seq, , total] = row;
    const text = page.text('');
    return {
      ...text,
      ...(await this.counted(asked.count, plan, Number(total), () => text.rows, compileEstimate)),
      stream: { epoch: String(epoch), seq: Number(seq) },
    };
  }

  async readGroups(asked: GroupPlan): Promise<PageText> {
    const { plan, row } = await this.ran(asked, (each) => ({
      statement: compiled(() => compileGroups(each), each.clock),
    })).catch(tellingZone);
    const [data, epoch, seq, , position, total] = row;
    const text = groupsText(data, position);
    return {
      ...text,
      ...(await this.counted(asked.count, plan, Number(total), () => rowsIn(text.data), compileGroupEstimate)),
      stream: { epoch: String(epoch), seq: Number(seq) },
    };
  }

  /** The row that the statement of a plan gave, and the plan that it was made for: without its count where that took too long. */
  private async ran<P extends ReadPlan | GroupPlan, S extends { readonly statement: PgStatement }>(
    plan: P,
    compile: (plan: P) => S,
  ): Promise<S & { readonly plan: P; readonly row: PgRow }> {
    const counts = plan.count === 'exact' || plan.count === 'bounded';
    const made = compile(plan);
    const rows = await (counts ? this.runInTime(made.statement, plan.from) : this.run(made.statement, plan.from));
    if (!rows) return this.ran({ ...plan, count: 'estimated' }, compile);
    const [row] = rows;
    // The fence for reads: rows and version come from one snapshot, so a page is never read with another structure's columns.
    if (!row || Number(row[SCHEMA_VERSION]) !== plan.from.schemaVersion) throw new SchemaMoved();
    return { ...made, plan, row };
  }

  readOne(
    table: TableSchema,
    select: readonly ColumnSchema[],
    where: Condition,
    rowId: Id,
  ): Promise<RowText | undefined> {
    return this.rows.read({ table, select, where }, rowId);
  }

  /** A row as it was behind a number of the log. `table` has only columns that can be told of then. */
  async readOneAsOf(table: TableSchema, where: Condition, rowId: Id, asOf: number): Promise<RowText | undefined> {
    const [row] = await this.run(
      compiled(() => compileReadRowAsOf(table, where, rowId, asOf)),
      table,
    );
    if (!row || Number(row[0]) !== table.schemaVersion) throw new SchemaMoved();
    const [, id, version, json] = row;
    return id && json ? { version: Number(version), json } : undefined;
  }

  private async readRows({ table, select, where }: RowQuestion, ids: readonly Id[]): Promise<Map<Id, RowText>> {
    const found = await this.run(
      compiled(() => compileReadRows(table, select, where, ids)),
      table,
    );
    if (!found[0] || Number(found[0][0]) !== table.schemaVersion) throw new SchemaMoved();
    return new Map(
      found.flatMap(([, id, version, json]) => (id && json ? [[id, { version: Number(version), json }] as const] : [])),
    );
  }

  private counted<P extends ReadPlan | GroupPlan>(
    mode: CountMode,
    plan: P,
    total: number,
    rows: () => number,
    estimate: (plan: P) => ReturnType<typeof compileEstimate>,
  ): Promise<Pick<PageText, 'count'>> {
    return countOf(mode, plan.count, total, () =>
      insteadOfCount([plan.from], plan.where, rows, () => this.run(toStatement(estimate(plan)), plan.from)),
    );
  }

  /** Undefined when it took longer than a count may. */
  private async runInTime(statement: PgStatement, table: TableSchema): Promise<PgRow[] | undefined> {
    const options = { prepares: true, timeoutMs: this.countTimeoutMs };
    try {
      return await this.database.transaction((session) => session.query(statement), options);
    } catch (error) {
      if (pgError(error)?.code === '57014') return undefined;
      throw await meaningOf(error, table, this.database);
    }
  }

  private async run(statement: PgStatement, table: TableSchema): Promise<PgRow[]> {
    try {
      return await this.database.query(statement);
    } catch (error) {
      throw await meaningOf(error, table, this.database);
    }
  }
}
