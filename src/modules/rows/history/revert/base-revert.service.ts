import { Injectable } from '@nestjs/common';
import { Answer, must, Problem, type Access, type Id } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import {
  ChangeLog,
  HistoryLog,
  KeptWrites,
  MiniDbWriter,
  type Submitted,
  type WriteResult,
} from '../../../../engines/index.js';
import { wholeOf, type TableSchema, type WriteContext } from '../../../../query/index.js';
import { Fence, TableCatalog } from '../../../tables/index.js';
import { keptText, type Manner } from '../../write/manner.js';
import { ManyRowsTokens } from '../../write/many-rows-tokens.js';
import { RowJudge } from '../../write/row-judge.js';
import { toldOfAll } from './revert-answer.js';
import { RevertPlanner, type Asked, type RevertPlan } from './revert-planner.js';
import { parseBaseRevert, type RevertRequest } from './revert-request.js';
import { revertContext, RevertWrites } from './revert-write.js';

type WriteTo = (table: TableSchema, portion: Submitted) => Promise<WriteResult>;

/** The tables of a base of which changes are to be undone. */
interface Found {
  readonly schema: string;
  readonly asked: readonly Asked[];
  readonly names: ReadonlyMap<Id, string>;
  /** Tables that were changed and are in the trash now. */
  readonly inTrash: readonly Id[];
}

/** Use case of undoing changes of all tables of a base at once: as {@link TableRevert}, in one transaction and one change set. */
@Injectable()
export class BaseRevert {
  constructor(
    private readonly fence: Fence,
    private readonly catalog: TableCatalog,
    private readonly writer: MiniDbWriter,
    private readonly planner: RevertPlanner,
    private readonly writes: RevertWrites,
    private readonly history: HistoryLog,
    private readonly log: ChangeLog,
    private readonly kept: KeptWrites,
    private readonly tokens: ManyRowsTokens,
    private readonly rules: RowJudge,
  ) {}

  /**
   * @throws Problem `not_found`, `validation_failed`, `limit_reached` more changes than are undone at once, `confirmation_required`,
   * `confirmation_stale`, `unique_violation`, `ruled_out`; nothing was written then
   */
  async run(access: Access, baseId: Id, body: unknown, manner: Manner): Promise<Answer> {
    const request = parseBaseRevert(body);
    if (!request.dryRun && request.confirmToken === undefined) throw new Problem('confirmation_required');
    const { tables } = await this.catalog.base(baseId);
    // It is a base that is read anew, whichever table asks for it.
    const [anyTable] = tables.keys();
    return this.fence.runOver(anyTable === undefined ? [] : [anyTable], async () => {
      const found = await this.find(access, baseId, request);
      const [first, ...others] = found.asked.map(({ table }) => wholeOf(table));
      // There is nothing to lock and nothing to write, and still an answer that is kept.
      if (!first) return this.confirm(access, baseId, request, { found, plan: NOTHING, manner });
      return this.writes.run((writing) =>
        this.writer.writeAcross([first, ...others], async (session, write) => {
          const plan = await this.planner.plan(access, session, found.asked, request.overwrite);
          const apply = (context: WriteContext) => {
            writing(plan);
            return this.apply(session, context, plan, write);
          };
          return this.confirm(access, baseId, request, { found, plan, manner, session, apply });
        }),
      );
    });
  }

  /** Tables that are changed for the first time by what comes behind this look are none of them. */
  private async find(access: Access, baseId: Id, { which }: RevertRequest): Promise<Found> {
    const { schema, tables, seen } = await this.catalog.base(baseId);
    const changed = await this.history.tablesChanged(schema, which);
    return {
      schema,
      asked: changed.flatMap(({ tableId, ...numbers }) =>
        tables.has(tableId) ? [{ table: seen.of(tableId, access), which: { ...which, ...numbers } }] : [],
      ),
      names: new Map([...tables.values()].map(({ id, name }) => [id, name])),
      inTrash: changed.flatMap(({ tableId }) => (tables.has(tableId) ? [] : [tableId])),
    };
  }

  private async confirm(
    access: Access,
    baseId: Id,
    { which, dryRun, confirmToken, asked }: RevertRequest,
    { found, plan, manner, session, apply }: Work,
  ): Promise<Answer> {
    const { schema, names, inTrash } = found;
    const seen = {
      rows: plan.tables.flatMap((each) => each.seen),
      tables: plan.tables.map(({ table }) => table),
      leftOut: plan.tables.flatMap(({ skipped }) => skipped),
    };
    const tables = toldOfAll(plan.tables).map((each, i) => {
      const { id } = must(plan.tables[i], 'each plan is told').table;
      return { tableId: id, name: names.get(id), ...each };
    });
    const all = { rows: sum(tables, ({ rows }) => rows), counts: countsOf(tables), inTrash };
    if (confirmToken === undefined || dryRun)
      return new Answer({ ...all, tables, confirmToken: this.tokens.make(baseId, asked, seen) });
    this.tokens.check(baseId, confirmToken, asked, seen);
    const context = revertContext(access, which);
    await apply?.(context);
    // Behind all of it: a table may have been changed from the other end of a link, too.
    const heads = await this.log.heads(schema, tables.map(({ tableId }) => tableId), session); // prettier-ignore
    const metas = new Map(heads.map(({ tableId, epoch, seq }) => [tableId, { epoch, seq }]));
    const done = tables.map((each) => ({ ...each, meta: metas.get(each.tableId) }));
    const answer = new Answer({ ...all, tables: done, changeSet: context.changeSet }, { committed: true });
    if (manner.key) await this.kept.keep(schema, manner.key, keptText(answer), session);
    return answer;
  }

  private async apply(session: PgSession, context: WriteContext, plan: RevertPlan, write: WriteTo): Promise<void> {
    for (const portion of this.writes.inPortions(plan)) {
      await this.writes.prepare(session, portion);
      const { table, ops } = portion;
      const whole = wholeOf(table);
      const allowed = this.rules.within(session, table, (portion) => write(whole, portion));
      await allowed({ context, atomic: true, ops, quiet: true });
    }
  }
}

/** A revert with what it takes to do it; without a session where nothing is to be done. */
interface Work {
  readonly found: Found;
  readonly plan: RevertPlan;
  readonly manner: Manner;
  readonly session?: PgSession;
  readonly apply?: (context: WriteContext) => Promise<void>;
}

const NOTHING: RevertPlan = { tables: [], steps: [] };

const sum = <T>(list: readonly T[], of: (each: T) => number): number => list.reduce((n, each) => n + of(each), 0);

const countsOf = (tables: ReturnType<typeof toldOfAll>) => ({
  conflicts: sum(tables, ({ counts }) => counts.conflicts),
  skipped: sum(tables, ({ counts }) => counts.skipped),
});
