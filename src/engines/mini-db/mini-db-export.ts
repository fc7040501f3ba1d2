import { Injectable } from '@nestjs/common';
import { LongSessions, type LongSession } from '../../database/mini/index.js';
import {
  compileExport,
  compileExportFence,
  compileFetch,
  toStatement,
  type ExportFormat,
  type ExportPlan,
  type Sql,
} from '../../query/index.js';
import { SchemaMoved } from '../data-engine.js';
import { translate } from './pg-errors.js';

/** Rows that one round trip brings: few at first, until it is known how long they are. */
const FIRST_ROWS = 50;
const MOST_ROWS = 1_000;
/** Characters that a round trip should bring. */
const AIM = 512 * 1024;

/** Rows as lines of a file. */
export interface RowLines {
  /** The next of them; none when there are no more. */
  next(): Promise<readonly string[]>;
  /** Gives the connection back. Never rejects. */
  close(): Promise<void>;
}

/** Reads all rows of a plan from one snapshot, with no more of them in memory than one round trip brings. */
@Injectable()
export class MiniDbExport {
  constructor(private readonly sessions: LongSessions) {}

  /**
   * Resolves when the first lines are there, so that what is wrong with the plan is told before anything is sent. Has to be closed.
   * @throws SchemaMoved the structure has another version; Problem `overloaded`
   */
  async open(plan: ExportPlan, format: ExportFormat): Promise<RowLines> {
    const session = await this.sessions.snapshot();
    try {
      const [row] = await run(session, compileExportFence(plan), plan);
      if (Number(row?.[0]) !== plan.from.schemaVersion) throw new SchemaMoved();
      await run(session, compileExport(plan, format), plan);
      return new Cursor(session, plan, await fetch(session, FIRST_ROWS, plan));
    } catch (error) {
      await session.abandon();
      throw error;
    }
  }
}

class Cursor implements RowLines {
  private asked = FIRST_ROWS;
  private batch: readonly string[] | undefined;

  constructor(
    private readonly session: LongSession,
    private readonly plan: ExportPlan,
    private readonly first: readonly string[],
  ) {}

  async next(): Promise<readonly string[]> {
    const before = this.batch;
    if (before === undefined) this.batch = this.first;
    else if (before.length < this.asked) this.batch = [];
    else {
      this.asked = Math.max(1, Math.min(MOST_ROWS, Math.floor((AIM * before.length) / (lengthOf(before) + 1))));
      this.batch = await fetch(this.session, this.asked, this.plan);
    }
    return this.batch;
  }

  close(): Promise<void> {
    return this.session.abandon();
  }
}

const fetch = async (session: LongSession, rows: number, plan: ExportPlan): Promise<readonly string[]> =>
  (await run(session, compileFetch(rows), plan)).map(([line]) => line ?? '');

const lengthOf = (batch: readonly string[]): number => batch.reduce((sum, { length }) => sum + length, 0);

async function run(session: LongSession, statement: Sql, plan: ExportPlan) {
  try {
    return await session.query(toStatement(statement));
  } catch (error) {
    throw translate(error, plan.from);
  }
}
