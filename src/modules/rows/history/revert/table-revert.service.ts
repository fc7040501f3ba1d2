import { Injectable } from '@nestjs/common';
import { Answer, invalid, Problem, type Access, type Id } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import {
  HistoryLog,
  LinksRefused,
  MiniDbLookup,
  MiniDbWriter,
  type Change,
  type ChangeOwner,
} from '../../../../engines/index.js';
import {
  isWritable,
  linkColumnsOf,
  wholeOf,
  type CellValue,
  type ColumnSchema,
  type RowOp,
  type TableSchema,
  type WriteContext,
} from '../../../../query/index.js';
import { contextOf, Fence } from '../../../tables/index.js';
import { MAX_OPS } from '../../write/bulk-request.js';
import { ByFilterTokens } from '../../write/by-filter-token.js';
import type { Manner } from '../../write/manner.js';
import { Portions, type StreamMeta } from '../../write/portions.js';
import { RowJudge, type WritePortion } from '../../write/row-judge.js';
import { ColumnTimeline } from '../column-timeline.js';
import { inTurns } from './in-turns.js';
import { PossibleValues, type Wanted } from './possible-values.js';
import { parseRevert, type RevertRequest } from './revert-request.js';
import { tooMany, UNDONE_AT_ONCE } from './limits.js';
import { undo, type Conflict, type RowNow, type Skipped, type Undone } from './undo.js';
import { withinSight } from './within-sight.js';

/** Conflicts, and what is left out, that an answer lists; the rest is counted. */
const MAX_LISTED = 1_000;

/** What a revert comes to. */
interface RevertPlan {
  /** Rows in the versions that were looked at. */
  readonly seen: readonly { readonly id: Id; readonly version: number }[];
  /** One list after the other: rows have to be there before they get values. */
  readonly ops: readonly (readonly RowOp[])[];
  readonly rows: number;
  readonly conflicts: readonly Conflict[];
  readonly skipped: readonly Skipped[];
}

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
    private readonly lookup: MiniDbLookup,
    private readonly history: HistoryLog,
    private readonly portions: Portions,
    private readonly possible: PossibleValues,
    private readonly tokens: ByFilterTokens,
    private readonly rules: RowJudge,
  ) {}

  /**
   * @throws Problem `validation_failed`, `limit_reached` more changes than are undone at once, `confirmation_required`, `confirmation_stale`,
   * `unique_violation`; nothing was written then
   */
  run(access: Access, tableId: Id, body: unknown, manner: Manner): Promise<Answer> {
    return this.within(access, tableId, async (table, session, write) => {
      const request = parseRevert(body);
      if (!request.dryRun && request.confirmToken === undefined) throw new Problem('confirmation_required');
      const plan = await this.plan(access, session, table, request);
      if (request.confirmToken === undefined || request.dryRun) return this.dryRun(table, request, plan);
      this.tokens.check(table.id, request.confirmToken, request.asked, plan.seen);
      const { changeSet } = request.which;
      const context = {
        ...contextOf(access),
        source: 'revert',
        ...(changeSet === undefined ? {} : { revertOf: changeSet }),
      } as const;
      return this.apply(table, context, plan, manner, write);
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
      const plan = await this.plan(access, session, table, { which: { changeSet: act }, overwrite: false }, by);
      const context = { ...contextOf(access), source, revertOf: act };
      return this.apply(table, context, plan, manner, write, more(plan.rows));
    });
  }

  private within(
    access: Access,
    tableId: Id,
    work: (table: TableSchema, session: PgSession, write: WritePortion) => Promise<Answer>,
  ): Promise<Answer> {
    return this.fence.run(access, tableId, async ({ tableSchema: table }) => {
      const whole = wholeOf(table);
      const links = linkColumnsOf(whole).length > 0;
      try {
        return await this.writer.writeMany(whole, { links }, (session, write) =>
          work(table, session, this.rules.within(session, table, write)),
        );
      } catch (error) {
        if (error instanceof LinksRefused) throw invalid([...error.findings.values()].flat().slice(0, 1));
        throw error;
      }
    });
  }

  private dryRun(table: TableSchema, { asked }: RevertRequest, plan: RevertPlan): Answer {
    return new Answer({ ...told(plan), confirmToken: this.tokens.make(table.id, asked, plan.seen) });
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
        { ...told(plan), changeSet: context.changeSet, ...more, meta: { epoch, seq } },
        { headers: { 'live-seq': String(seq) }, committed: true },
      );
    const portions = plan.ops.flatMap(inPortions).map((ops) => () => ops);
    return this.portions.write(wholeOf(table), context, portions, manner, answerTo, write);
  }

  /**
   * Of rows that the caller sees; whether rules let him do it is asked when it is written. The rows are locked: until the end of the transaction they are what the plan takes them for.
   * @param mine whose later changes of rows that were made are none of others
   */
  private async plan(
    access: Access,
    session: PgSession,
    seen: TableSchema,
    { which, overwrite }: Pick<RevertRequest, 'which' | 'overwrite'>,
    mine?: ChangeOwner,
  ): Promise<RevertPlan> {
    const table = wholeOf(seen);
    const { schema } = table.physical;
    const filter = seen.seen ? { ...which, seenOf: seen } : which;
    const { entries: changes, more } = await this.history.rowsChanged(
      schema,
      table.id,
      filter,
      UNDONE_AT_ONCE,
      session,
    );
    if (more) throw tooMany();
    const byRow = grouped(changes);
    const timeline = new ColumnTimeline(table, await this.history.structure(schema, table.id, session));
    const now = await this.now(session, table, byRow, timeline);
    const own = mine ? await this.versionsOf(session, table, changes, mine) : new Map<Id, ReadonlySet<number | null>>();
    const undone = new Map<Id, Undone>();
    for (const [id, each] of byRow) {
      const row = now.get(id);
      if (row) undone.set(id, withinSight(seen, id, undo(id, row, each, timeline, overwrite, own.get(id))));
    }
    const coming = ids(undone, ({ inTrash }, id) => !inTrash && now.get(id)?.inTrash === true);
    const going = ids(undone, ({ inTrash }, id) => inTrash && now.get(id)?.inTrash === false);
    const fieldsOf = (id: Id): RowNow['fields'] => (coming.has(id) ? {} : (now.get(id)?.fields ?? {}));
    const wanted = [...undone].flatMap(([id, { inTrash, values }]): Wanted[] =>
      inTrash ? [] : [{ id, values, fields: fieldsOf(id) }],
    );
    const leaving = new Map([...going].map((id) => [id, fieldsOf(id)]));
    const possible = await this.possible.of(access, session, table, wanted, { coming, going: leaving });
    const purged = [...byRow.keys()].filter((id) => !now.has(id));
    // What rows that go had to themselves, those that come back may have had before.
    const ops = [[...going].map(away), [...coming].map(back), ...inTurns(updates(possible.values), now)];
    return {
      // In an order of their own: a database gives rows in any.
      seen: [...byRow.keys()].sort().flatMap((id) => {
        const row = now.get(id);
        return row ? [{ id, version: row.version }] : [];
      }),
      ops,
      rows: new Set(ops.flat().map(({ id }) => id)).size,
      conflicts: [...undone.values()].flatMap(({ conflicts }) => conflicts),
      skipped: [
        ...[...undone.values()].flatMap(({ skipped }) => skipped),
        ...possible.skipped,
        ...purged.map((rowId): Skipped => ({ rowId, code: 'row_purged' })),
      ],
    };
  }

  /** Which versions somebody made of the rows that were made, or came back, by these changes. */
  private async versionsOf(
    session: PgSession,
    table: TableSchema,
    changes: readonly Change[],
    owner: ChangeOwner,
  ): Promise<ReadonlyMap<Id, ReadonlySet<number | null>>> {
    const made = changes.filter(({ op }) => op === 'create' || op === 'restore');
    if (made.length === 0) return new Map();
    const filter = { rowIds: made.flatMap(({ rowId }) => rowId ?? []), owner, fromSeq: made[0]?.seq ?? 0 };
    const { entries } = await this.history.rowsChanged(
      table.physical.schema,
      table.id,
      filter,
      UNDONE_AT_ONCE,
      session,
    );
    return new Map(
      [...grouped(entries)].map(([id, each]) => [id, new Set(each.map(({ version }) => version))] as const),
    );
  }

  /** The rows as they are, those of the trash with what they held when they were deleted. */
  private async now(
    session: PgSession,
    table: TableSchema,
    byRow: ReadonlyMap<Id, readonly Change[]>,
    timeline: ColumnTimeline,
  ): Promise<ReadonlyMap<Id, RowNow>> {
    const ids = [...byRow.keys()].sort();
    // Of long rows no more than was changed; of those that go, what they are linked with.
    const changed = new Set<Id | null>();
    for (const { seq, before } of [...byRow.values()].flat())
      for (const key of Object.keys(before ?? {})) changed.add(timeline.at(key, seq).id);
    const columns = table.columns.filter((each) => isWritable(each) && (each.type === 'link' || changed.has(each.id)));
    const held = await this.lookup.held(session, table, ids, columns);
    const trashed = await this.lookup.versionsInTrash(session, table, ids);
    const now = new Map<Id, RowNow>([...held].map(([id, row]) => [id, { ...row, inTrash: false }]));
    for (const [id, version] of trashed) {
      const deleted = byRow.get(id)?.findLast((change) => change.op === 'delete' && change.version === version);
      now.set(id, { version, inTrash: true, fields: deleted?.before ?? {} });
    }
    return now;
  }
}

function grouped(changes: readonly Change[]): ReadonlyMap<Id, readonly Change[]> {
  const rows = new Map<Id, Change[]>();
  for (const change of changes) {
    if (change.rowId === null) continue;
    const own = rows.get(change.rowId);
    if (own) own.push(change);
    else rows.set(change.rowId, [change]);
  }
  return rows;
}

const ids = (undone: ReadonlyMap<Id, Undone>, isOne: (row: Undone, id: Id) => boolean): ReadonlySet<Id> =>
  new Set([...undone].flatMap(([id, row]) => (isOne(row, id) ? [id] : [])));

const back = (id: Id): RowOp => ({ kind: 'restore', id, values: new Map() });
const away = (id: Id): RowOp => ({ kind: 'delete', id });
const updates = (rows: ReadonlyMap<Id, ReadonlyMap<ColumnSchema, CellValue>>): readonly RowOp[] =>
  [...rows].flatMap(([id, values]) => (values.size === 0 ? [] : [{ kind: 'update', id, values } as const]));

const inPortions = (ops: readonly RowOp[]): readonly (readonly RowOp[])[] =>
  Array.from({ length: Math.ceil(ops.length / MAX_OPS) }, (_, i) => ops.slice(i * MAX_OPS, (i + 1) * MAX_OPS));

const told = ({ rows, conflicts, skipped }: RevertPlan) => ({
  rows,
  conflicts: conflicts.slice(0, MAX_LISTED),
  skipped: skipped.slice(0, MAX_LISTED),
  counts: { conflicts: conflicts.length, skipped: skipped.length },
});
