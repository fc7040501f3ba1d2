import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/index.js';
import { MiniDatabase, type PgRow, type PgStatement } from '../../database/mini/index.js';
import {
  compileStage,
  compileStageAnalysis,
  compileStageKeys,
  compileStageRows,
  compileViewEstimate,
  compileViewFreshness,
  compileViewGroupEstimate,
  compileViewGroups,
  compileViewRead,
  tablesIn,
  toStatement,
  type Stage,
  type ViewGroups,
  type ViewRead,
} from '../../query/index.js';
import { SchemaMoved, type PageText } from '../data-engine.js';
import { compiled, compiledPage } from './compiled.js';
import { asString, rowsIn, countOf, groupsText, insteadOfCount } from './page-text.js';
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

/** A count that takes longer is given up, and the page goes out with an estimate. */
const COUNT_TIMEOUT_MS = 5_000;

/** For a turn to join several databases. */
const MAX_WAIT_MS = 10_000;

type Run = (statement: PgStatement) => Promise<PgRow[]>;

/**
 * Reads of views whose rows are put together in the mini-DB: tables of ours as they are, external objects as copies in temporary
 * tables that end with the transaction.
 */
@Injectable()
export class MiniDbViews {
  /** Each holds a connection while other databases are waited for, so most of the pool is kept from them. */
  private joining = 0;

  constructor(private readonly database: MiniDatabase) {}

  /** @throws SchemaMoved; Problem `overloaded` */
  read(plan: ViewRead): Promise<PageText> {
    return this.inTime(plan, (counted, run) => this.page(counted, plan, run)).catch((error: unknown) =>
      this.misfit(error, plan),
    );
  }

  /** @throws SchemaMoved; Problem `overloaded` */
  readGroups(plan: ViewGroups): Promise<PageText> {
    return this.inTime(plan, (counted, run) => this.groups(counted, plan, run));
  }

  /** As {@link read}, of copies. @throws Problem `join_too_large` with what was reached */
  readStaged(plan: ViewRead, sources: readonly StagedSource[], limits: StageLimits): Promise<PageText> {
    return this.staged(sources, limits, (run) => this.page(plan, plan, run)).catch((error: unknown) =>
      this.misfit(error, plan),
    );
  }

  /** As {@link readGroups}, of copies. @throws as {@link readStaged} */
  readStagedGroups(plan: ViewGroups, sources: readonly StagedSource[], limits: StageLimits): Promise<PageText> {
    return this.staged(sources, limits, (run) => this.groups(plan, plan, run));
  }

  private async page(plan: ViewRead, asked: ViewRead, run: Run): Promise<PageText> {
    const { page, statement } = compiledPage(plan, compileViewRead, asString);
    const [row] = await run(statement);
    if (row?.[1] !== 'true') throw new SchemaMoved();
    const { rows, ...text } = page.text('');
    const count = countOf(asked.count, plan.count, Number(row[2]), () =>
      insteadOfCount(
        tablesIn(plan.from),
        plan.where,
        () => rows,
        () => run(toStatement(compileViewEstimate(plan))),
      ),
    );
    return { ...text, ...(await count) };
  }

  private async groups(plan: ViewGroups, asked: ViewGroups, run: Run): Promise<PageText> {
    const [row] = await run(compiled(() => compileViewGroups(plan), plan.clock));
    if (row?.[0] !== 't') throw new SchemaMoved();
    const [, data, position, total] = row;
    const text = groupsText(data, position);
    const count = countOf(asked.count, plan.count, Number(total), () =>
      insteadOfCount(
        tablesIn(plan.from),
        plan.where,
        () => rowsIn(text.data),
        () => run(toStatement(compileViewGroupEstimate(plan))),
      ),
    );
    return { ...text, ...(await count) };
  }

  /** That a value is none of the type it is sent as (class 22) is not said of tables whose structure is gone. */
  private async misfit(error: unknown, plan: ViewRead): Promise<never> {
    if (!pgError(error)?.code.startsWith('22')) throw error;
    const [row] = await this.run(toStatement(compileViewFreshness(plan)));
    throw row?.[0] === 't' ? error : new SchemaMoved(error);
  }

  /** Without its count where that took too long. */
  private async inTime<P extends ViewRead | ViewGroups>(
    plan: P,
    read: (plan: P, run: Run) => Promise<PageText>,
  ): Promise<PageText> {
    const run: Run = (statement) => this.run(statement);
    if (plan.count !== 'exact' && plan.count !== 'bounded') return read(plan, run);
    try {
      return await this.database.transaction(
        (session) => read(plan, (statement) => session.query(statement).catch(failed)),
        { prepares: true, timeoutMs: COUNT_TIMEOUT_MS },
      );
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'overloaded') throw error;
      return read({ ...plan, count: 'estimated' }, run);
    }
  }

  private async run(statement: PgStatement): Promise<PgRow[]> {
    return this.database.query(statement).catch(failed);
  }

  /** Until fewer are under way; they take seconds as a rule. @throws Problem `overloaded` */
  private async turn(): Promise<void> {
    const most = Math.max(1, Math.floor(this.database.poolSize / 4));
    const until = performance.now() + MAX_WAIT_MS;
    while (this.joining >= most) {
      if (performance.now() > until)
        throw new Problem('overloaded', {
          detail: 'This server joins several databases for others at the moment; repeat in a few seconds.',
          headers: { 'retry-after': '3' },
        });
      await delay(20);
    }
  }

  private async staged(
    sources: readonly StagedSource[],
    limits: StageLimits,
    read: (run: Run) => Promise<PageText>,
  ): Promise<PageText> {
    await this.turn();
    this.joining++;
    try {
      return await this.database.transaction(async (session) => {
        const run: Run = (statement) => session.query(statement).catch(failed);
        const load = new StageLoad(run, limits);
        for (const source of sources) await load.copy(source);
        return read(run);
      });
    } finally {
      this.joining--;
    }
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
    await this.run(toStatement(compileStage(stage)));
    for await (const page of pages) {
      this.count(page);
      await this.run(toStatement(compileStageRows(stage, page))).catch(unstorable);
    }
    const keys = compileStageKeys(stage);
    if (keys) await this.run(toStatement(keys));
    await this.run(toStatement(compileStageAnalysis(stage)));
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
  }
}

/** Values of other databases that PostgreSQL has none for: NUL characters, the day zero of MySQL. They can be shown, but not joined. */
function unstorable(error: unknown): never {
  if (!pgError(error)?.code.startsWith('22')) throw error;
  throw new Problem('not_supported_by_source', {
    detail:
      'A value of the source, such as a text with NUL characters or a day that does not exist, cannot be joined over several databases.',
    cause: error,
  });
}

/** Of a view: there is no table whose columns the error could name. */
const NO_TABLE = { id: '', schemaVersion: 0, physical: { schema: '', table: '' }, columns: [] } as const;

function failed(error: unknown): never {
  if (pgError(error)?.code === '22023') tellingZone(error);
  throw translate(error, NO_TABLE);
}
