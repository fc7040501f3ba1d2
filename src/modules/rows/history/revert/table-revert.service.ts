import { Injectable } from '@nestjs/common';
import { Answer, must, pointer, Problem, type Access, type Id, type ProblemItem } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import { MiniDbWriter, type ChangeOwner } from '../../../../engines/index.js';
import { linkColumnsOf, wholeOf, type TableSchema, type WriteContext } from '../../../../query/index.js';
import { contextOf, Fence } from '../../../tables/index.js';
import type { Manner } from '../../write/manner.js';
import { Portions, type StreamMeta } from '../../write/portions.js';
import { ManyRowsTokens } from '../../write/many-rows-tokens.js';
import { RowJudge, type WritePortion } from '../../write/row-judge.js';
import { told } from './revert-answer.js';
import { RevertPlanner, type RevertPlan, type TablePlan } from './revert-planner.js';
import { parseRevert } from './revert-request.js';
import { revertContext, RevertWrites } from './revert-write.js';

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
    private readonly writes: RevertWrites,
    private readonly tokens: ManyRowsTokens,
    private readonly rules: RowJudge,
  ) {}

  /**
   * @throws Problem `validation_failed`, `limit_reached` more changes than are undone at once, `confirmation_required`; `confirmation_stale` also where
   * others are quicker with its unique values. Nothing was written then
   */
  run(access: Access, tableId: Id, body: unknown, manner: Manner): Promise<Answer> {
    return this.within(access, tableId, async ({ table, session, ...to }) => {
      const { which, overwrite, dryRun, confirmToken, asked } = parseRevert(body);
      if (!dryRun && confirmToken === undefined) throw new Problem('confirmation_required');
      const plan = await this.planner.plan(access, session, [{ table, which }], overwrite);
      const of = only(plan);
      const seen = { rows: of.seen, tables: [table], leftOut: of.skipped };
      if (confirmToken === undefined || dryRun)
        return new Answer({ ...told(of), confirmToken: this.tokens.make(table.id, asked, seen) });
      this.tokens.check(table.id, confirmToken, asked, seen);
      return this.apply({ table, session, ...to }, revertContext(access, which), plan, manner);
    });
  }

  /**
   * Undoes an act at once, which `choose` names inside the transaction; never what others have changed since. There is no dry run that would tell of
   * values that others have by now, so these are refused.
   * @throws Problem as {@link run}, without those of confirmations; `unique_violation` with the rows; what `choose` throws
   */
  takeBack(
    access: Access,
    tableId: Id,
    manner: Manner,
    choose: (session: PgSession, table: TableSchema) => Promise<ChosenAct>,
  ): Promise<Answer> {
    return this.within(access, tableId, async ({ table, session, ...to }) => {
      const { act, source, by, told: more } = await choose(session, table);
      const plan = await this.planner.plan(access, session, [{ table, which: { changeSet: act } }], false, by);
      mustBeFree(only(plan));
      const context = { ...contextOf(access), source, revertOf: act };
      return this.apply({ table, session, ...to }, context, plan, manner, more(only(plan).rows));
    });
  }

  private within(access: Access, tableId: Id, work: (within: Within) => Promise<Answer>): Promise<Answer> {
    return this.fence.run(access, tableId, ({ tableSchema: table }) => {
      const whole = wholeOf(table);
      const links = linkColumnsOf(whole).length > 0;
      return this.writes.run((writing) =>
        this.writer.writeMany(whole, { links }, (session, write) =>
          work({ table, session, writing, write: this.rules.within(session, table, write) }),
        ),
      );
    });
  }

  private apply(
    { table, session, writing, write }: Within,
    context: WriteContext,
    plan: RevertPlan,
    manner: Manner,
    more: object = {},
  ): Promise<Answer> {
    writing(plan);
    const answerTo = (_: number, { epoch, seq }: StreamMeta): Answer =>
      new Answer(
        { ...told(only(plan)), changeSet: context.changeSet, ...more, meta: { epoch, seq } },
        { headers: { 'live-seq': String(seq) }, committed: true },
      );
    const portions = this.writes.inPortions(plan).map((portion) => async () => {
      await this.writes.prepare(session, portion);
      return portion.ops;
    });
    return this.portions.write(wholeOf(table), context, portions, manner, answerTo, write);
  }
}

/** A transaction over a table, as the caller sees it. */
interface Within {
  readonly table: TableSchema;
  readonly session: PgSession;
  readonly write: WritePortion;
  /** Told what will be written. */
  readonly writing: (plan: RevertPlan) => void;
}

/** @throws Problem `unique_violation` with all values that other rows have */
function mustBeFree({ table, skipped }: TablePlan): void {
  const errors = skipped.flatMap(({ rowId, column, code, together }): ProblemItem[] => {
    if (code !== 'value_taken' && code !== 'row_value_taken') return [];
    const names = together ? together.join(', ') : (column?.key ?? '');
    const detail = `Another row has the same ${names === '' ? 'values in a unique index' : names}.`;
    const at = `/fields${column ? pointer(column.key) : ''}`;
    return [{ pointer: at, code: 'unique_violation', detail, tableId: table.id, rowId }];
  });
  const [first] = errors;
  if (first) throw new Problem('unique_violation', { detail: first.detail, errors: errors.slice(0, MAX_TOLD) });
}

/** So many values that are taken are told at once. */
const MAX_TOLD = 100;

const only = ({ tables }: RevertPlan) => must(tables[0], 'one table was asked for');
