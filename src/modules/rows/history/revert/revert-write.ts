import { Injectable } from '@nestjs/common';
import { invalid, Problem, type Access, type ProblemItem } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import { LinksRefused, MiniDbWriter, toldTo, ValueTaken, type HistoryFilter } from '../../../../engines/index.js';
import { wholeOf, type RowOp, type TableSchema, type WriteContext } from '../../../../query/index.js';
import { contextOf } from '../../../tables/index.js';
import { MAX_OPS } from '../../write/bulk-request.js';
import { Clashes } from '../../write/clashes.js';
import { RowJudge } from '../../write/row-judge.js';
import type { RevertPlan } from './revert-planner.js';

/** What the log says of a revert of these changes. */
export const revertContext = (access: Access, { changeSet }: HistoryFilter): WriteContext => ({
  ...contextOf(access),
  source: 'revert',
  ...(changeSet === undefined ? {} : { revertOf: changeSet }),
});

/** So many ops of one step as one statement takes well. */
export interface PortionOfRevert {
  readonly table: TableSchema;
  readonly ops: readonly RowOp[];
  /** Rows that are set aside before it. */
  readonly aside: readonly RowOp[];
}

/** As often a revert is planned anew where others were quicker with a value. The next look tells of it, unless they have given it up again by then. */
const ATTEMPTS = 4;

/** What the writes of all reverts of many changes have in common. */
@Injectable()
export class RevertWrites {
  constructor(
    private readonly writer: MiniDbWriter,
    private readonly rules: RowJudge,
    private readonly clashes: Clashes,
  ) {}

  inPortions({ steps }: RevertPlan): readonly PortionOfRevert[] {
    return steps.flatMap(({ table, ops, exchange }) =>
      Array.from({ length: Math.ceil(ops.length / MAX_OPS) }, (_, i) => ({
        ...{ table, ops: ops.slice(i * MAX_OPS, (i + 1) * MAX_OPS) },
        aside: exchange && i === 0 ? ops : [],
      })),
    );
  }

  /** What has to be done before a portion is written. Rules are asked while the rows are still there. @throws Problem `ruled_out` */
  async prepare(session: PgSession, { table, aside }: PortionOfRevert): Promise<void> {
    if (aside.length === 0) return;
    await this.rules.mustAllBeAllowed(session, table, aside);
    await this.writer.setAside(session, wholeOf(table), aside.map(({ id }) => id)); // prettier-ignore
  }

  /**
   * The work, once more where others took a value between its look and its write: the next look sees that. `work` tells the plan that it
   * writes.
   * @throws Problem `unique_violation` with the rows, where that goes on and on; `validation_failed` with the first link that there cannot be
   */
  async run<T>(work: (writing: (plan: RevertPlan) => void) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      let tried: RevertPlan | undefined;
      try {
        return await work((plan) => (tried = plan));
      } catch (error) {
        if (error instanceof LinksRefused) throw invalid([...error.findings.values()].flat().slice(0, 1));
        if (!(error instanceof ValueTaken)) throw error;
        if (attempt >= ATTEMPTS) throw tried ? await this.naming(tried, error) : error;
      }
    }
  }

  private async naming(plan: RevertPlan, error: ValueTaken): Promise<Problem> {
    const errors: ProblemItem[] = [];
    for (const { table } of plan.tables) {
      const ops = plan.steps.flatMap((step) => (step.table === table ? step.ops : []));
      const found = await this.clashes.foreseen(wholeOf(table), ops.map((op, index) => ({ index, op })), table); // prettier-ignore
      for (const [index, problem] of found)
        for (const item of problem.errors ?? [])
          errors.push({
            ...item,
            pointer: item.pointer.replace(/^\/ops\/\d+/, ''),
            tableId: table.id,
            rowId: ops[index]?.id,
          });
    }
    const [first] = errors;
    if (first) return new Problem(error.code, { detail: first.detail, errors, cause: error });
    return plan.tables.reduce((told: Problem, { table }) => (table.seen ? toldTo(table, told) : told), error);
  }
}
