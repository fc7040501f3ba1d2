import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/index.js';
import { MiniDatabase, type PgRow } from '../../database/mini/index.js';
import {
  compileStage,
  compileStageAnalysis,
  compileStageKeys,
  compileStageRows,
  compileViewEstimate,
  compileViewGroupEstimate,
  compileViewGroups,
  compileViewRead,
  toStatement,
  type Sql,
  type Stage,
  type ViewGroups,
  type ViewRead,
} from '../../query/index.js';
import { SchemaMoved, type PageText } from '../data-engine.js';
import { countOf, expectedRows, groupsText, pageText } from './page-text.js';
import { pgError, tellingZone, translate } from './pg-errors.js';

/** An external object that has to be copied before a view can be read, and its rows. */
export interface StagedSource extends Stage {
  /** JSON texts `{"fields":{…}}` with commas between, of columns as `namedForStage` calls them; a page at a time. */
  readonly pages: AsyncIterable<string>;
}

/** What may be copied for one answer. */
export interface StageLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

type Run = (fragment: Sql) => Promise<PgRow[]>;

/**
 * Reads of views whose rows are put together in the mini-DB: tables of ours as they are, external objects as copies in temporary
 * tables that end with the transaction.
 */
@Injectable()
export class MiniDbViews {
  constructor(private readonly database: MiniDatabase) {}

  /** @throws SchemaMoved; Problem `overloaded` */
  read(plan: ViewRead): Promise<PageText> {
    return this.inTime(plan, (counted) => this.page(counted, plan, (fragment) => this.run(fragment)));
  }

  /** @throws SchemaMoved; Problem `overloaded` */
  readGroups(plan: ViewGroups): Promise<PageText> {
    return this.inTime(plan, (counted) => this.groups(counted, plan, (fragment) => this.run(fragment)));
  }

  /** As {@link read}, of copies. @throws Problem `join_too_large` with what was reached */
  readStaged(plan: ViewRead, sources: readonly StagedSource[], limits: StageLimits): Promise<PageText> {
    return this.staged(sources, limits, (run) => this.page(plan, plan, run));
  }

  /** As {@link readGroups}, of copies. @throws as {@link readStaged} */
  readStagedGroups(plan: ViewGroups, sources: readonly StagedSource[], limits: StageLimits): Promise<PageText> {
    return this.staged(sources, limits, (run) => this.groups(plan, plan, run));
  }

  private async page(plan: ViewRead, asked: ViewRead, run: Run): Promise<PageText> {
    const [data, found, last, first, total] = freshRow(await run(compileViewRead(plan)));
    const count = countOf(asked.count, plan.count, Number(total), async () =>
      expectedRows(await run(compileViewEstimate(plan))),
    );
    return { ...pageText({ data, found, last, first }, plan), ...(await count) };
  }

  private async groups(plan: ViewGroups, asked: ViewGroups, run: Run): Promise<PageText> {
    const [data, , position, total] = freshRow(await run(compileViewGroups(plan)));
    const count = countOf(asked.count, plan.count, Number(total), async () =>
      expectedRows(await run(compileViewGroupEstimate(plan))),
    );
    return { ...groupsText(data, position), ...(await count) };
  }

  /** Without its count where that took too long. */
  private async inTime<P extends ViewRead | ViewGroups>(
    plan: P,
    read: (plan: P) => Promise<PageText>,
  ): Promise<PageText> {
    try {
      return await read(plan);
    } catch (error) {
      const counts = plan.count === 'exact' || plan.count === 'bounded';
      if (!counts || !(error instanceof Problem) || error.code !== 'overloaded') throw error;
      return read({ ...plan, count: 'estimated' });
    }
  }

  private async run(fragment: Sql): Promise<PgRow[]> {
    return this.database.query(toStatement(fragment)).catch(failed);
  }

  private async staged(
    sources: readonly StagedSource[],
    limits: StageLimits,
    read: (run: Run) => Promise<PageText>,
  ): Promise<PageText> {
    return this.database.transaction(async (session) => {
      const run: Run = (fragment) => session.query(toStatement(fragment)).catch(failed);
      const load = new StageLoad(run, limits);
      for (const source of sources) await load.copy(source);
      return read(run);
    });
  }
}

/** Copies rows, as many as may be. */
class StageLoad {
  private rows = 0;
  private bytes = 0;

  constructor(
    private readonly run: Run,
    private readonly limits: StageLimits,
  ) {}

  async copy({ pages, ...stage }: StagedSource): Promise<void> {
    await this.run(compileStage(stage));
    for await (const page of pages) {
      this.count(page);
      await this.run(compileStageRows(stage, page));
    }
    const keys = compileStageKeys(stage);
    if (keys) await this.run(keys);
    await this.run(compileStageAnalysis(stage));
  }

  /** Rows have a line feed between, which JSON texts escape. */
  private count(page: string): void {
    this.bytes += Buffer.byteLength(page);
    for (let at = page.indexOf('\n'); at >= 0; at = page.indexOf('\n', at + 1)) this.rows++;
    this.rows++;
    const { maxRows, maxBytes } = this.limits;
    if (this.rows > maxRows || this.bytes > maxBytes)
      throw new Problem('join_too_large', {
        detail: `To join, sort or group over several databases, ${this.rows} rows with ${this.bytes} bytes were copied, and there are more; ${maxRows} rows and ${maxBytes} bytes are the most. Filter the sources for fewer.`,
      });
    if (page.includes('\\u0000'))
      throw new Problem('not_supported_by_source', {
        detail: 'A text of the source holds NUL characters, which cannot be joined over several databases.',
      });
  }
}

/** The row of a statement whose tables are as the plan knew them, without the column that says so. */
function freshRow([row]: readonly PgRow[]): PgRow {
  if (row?.[0] !== 't') throw new SchemaMoved();
  return row.slice(1);
}

/** Of a view: there is no table whose columns the error could name. */
const NO_TABLE = { id: '', schemaVersion: 0, physical: { schema: '', table: '' }, columns: [] } as const;

function failed(error: unknown): never {
  if (pgError(error)?.code === '22023') tellingZone(error);
  throw translate(error, NO_TABLE);
}
