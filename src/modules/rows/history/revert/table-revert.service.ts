import { Injectable } from '@nestjs/common';
import { Answer, must, Problem, type Access, type Id } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import { MiniDbWriter, type ChangeOwner } from '../../../../engines/index.js';
import { linkColumnsOf, wholeOf, type TableSchema, type WriteContext } from '../../../../query/index.js';
import { contextOf, Fence } from '../../../tables/index.js';
import { ByFilterTokens } from '../../write/by-filter-token.js';
import type { Manner } from '../../write/manner.js';
import { Portions, type StreamMeta } from '../../write/portions.js';
import { RowJudge, type WritePortion } from '../../write/row-judge.js';
import { inPortions, revertContext, tellingLinks } from './revert-write.js';
import { told } from './revert-answer.js';
import { RevertPlanner, type RevertPlan } from './revert-planner.js';
import { parseRevert } from './revert-request.js';

/** An act that is undone by whoever did it. */
export interface ChosenAct {
  readonly act: Id;
  readonly source: 'undo' | 'redo';
  readonly by: ChangeOwner;
  /** What else the answer says, by how many rows became different. */
  readonly told: (rows: number) => object;
}

/** Use case of undoing changes of a table: first a dry run, then the same once more with its confirmation. */
@Injectable()
export class TableRevert {
  constructor(
    private readonly fence: Fence,
    private readonly writer: MiniDbWriter,
    private readonly planner: RevertPlanner,
    private readonly portions: Portions,
    private readonly tokens: ByFilterTokens,
    private readonly rules: RowJudge,
  ) {}

  /**
   * @throws Problem `validation_failed`, `limit_reached` more changes than are undone at once, `confirmation_required`, `confirmation_stale`,
   * `unique_violation`; nothing was written then
   */
  run(access: Access, tableId: Id, body: unknown, manner: Manner): Promise<Answer> {
    return this.within(access, tableId, async (table, session, write) => {
      const { which, overwrite, dryRun, confirmToken, asked } = parseRevert(body);
      if (!dryRun && confirmToken === undefined) throw new Problem('confirmation_required');
      const plan = await this.planner.plan(access, session, [{ table, which }], overwrite);
      const of = only(plan);
      if (confirmToken === undefined || dryRun)
        return new Answer({ ...told(of), confirmToken: this.tokens.make(table.id, asked, of.seen) });
      this.tokens.check(table.id, confirmToken, asked, of.seen);
      return this.apply(table, revertContext(access, which), plan, manner, write);
    });
  }

  /**
   * Undoes an act at once, which `choose` names inside the transaction; never what others have changed since.
   * @throws Problem as {@link run}, without those of confirmations; what `choose` throws
   */
  takeBack(
    access: Access,
    tableId: Id,
    manner: Manner,
    choose: (session: PgSession, table: TableSchema) => Promise<ChosenAct>,
  ): Promise<Answer> {
    return this.within(access, tableId, async (table, session, write) => {
      const { act, source, by, told: more } = await choose(session, table);
      const plan = await this.planner.plan(access, session, [{ table, which: { changeSet: act } }], false, by);
      const context = { ...contextOf(access), source, revertOf: act };
      return this.apply(table, context, plan, manner, write, more(only(plan).rows));
    });
  }

  private within(
    access: Access,
    tableId: Id,
    work: (table: TableSchema, session: PgSession, write: WritePortion) => Promise<Answer>,
  ): Promise<Answer> {
    return this.fence.run(access, tableId, ({ tableSchema: table }) => {
      const whole = wholeOf(table);
      const links = linkColumnsOf(whole).length > 0;
      return tellingLinks(() =>
        this.writer.writeMany(whole, { links }, (session, write) =>
          work(table, session, this.rules.within(session, table, write)),
        ),
      );
    });
  }

  private apply(
    table: TableSchema,
    context: WriteContext,
    plan: RevertPlan,
    manner: Manner,
    write: WritePortion,
    more: object = {},
  ): Promise<Answer> {
    const answerTo = (_: number, { epoch, seq }: StreamMeta): Answer =>
      new Answer(
        { ...told(only(plan)), changeSet: context.changeSet, ...more, meta: { epoch, seq } },
        { headers: { 'live-seq': String(seq) }, committed: true },
      );
    const portions = inPortions(plan).map(
      ({ ops }) =>
        () =>
          ops,
    );
    return this.portions.write(wholeOf(table), context, portions, manner, answerTo, write);
  }
}

const only = ({ tables }: RevertPlan) => must(tables[0], 'one table was asked for');
