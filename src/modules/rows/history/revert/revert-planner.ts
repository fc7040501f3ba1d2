import { Injectable } from '@nestjs/common';
import { must, type Access, type Id } from '../../../../common/index.js';
import type { PgSession } from '../../../../database/mini/index.js';
import {
  HistoryLog,
  MiniDbLookup,
  type Change,
  type ChangeOwner,
  type HistoryFilter,
} from '../../../../engines/index.js';
import { isWritable, wholeOf, type CellValue, type ColumnSchema, type TableSchema } from '../../../../query/index.js';
import { ColumnTimeline } from '../column-timeline.js';
import { agreedLists, followingColumns, type Decided } from './agree-on-links.js';
import { tooMany, UNDONE_AT_ONCE } from './limits.js';
import { PossibleValues, type Moving, type Wanted } from './possible-values.js';
import { stepsOf, type Step } from './revert-steps.js';
import { undo, type Conflict, type RowNow, type Skipped, type Undone } from './undo.js';
import { UniqueValues, type Unrivalled } from './unique-values.js';
import { withinSight } from './within-sight.js';

/** A table, as the caller sees it, of which changes are to be undone. */
export interface Asked {
  readonly table: TableSchema;
  readonly which: HistoryFilter;
}

/** What a revert comes to in one table. */
export interface TablePlan {
  /** As the caller sees it. */
  readonly table: TableSchema;
  /** Rows in the versions that were looked at. */
  readonly seen: readonly { readonly id: Id; readonly version: number }[];
  /** Rows that change. */
  readonly rows: number;
  readonly conflicts: readonly Conflict[];
  readonly skipped: readonly Skipped[];
}

/** What a revert comes to. */
export interface RevertPlan {
  /** One for each that was asked for, in that order. */
  readonly tables: readonly TablePlan[];
  /** One after the other: rows have to be there before they get values. */
  readonly steps: readonly Step[];
}

/** A table with what becomes of it. */
type Outcome = Look & Choice;

/** What would be undone in a table, before it is known what of it is possible. */
interface Look {
  readonly seen: TableSchema;
  readonly table: TableSchema;
  readonly changed: readonly Id[];
  readonly now: ReadonlyMap<Id, RowNow>;
  readonly undone: ReadonlyMap<Id, Undone>;
  readonly moving: Moving;
  /** What a row holds as long as nothing is written: one that comes back has no values of now. */
  readonly held: Decided['held'];
  /** Of its columns, those that show links of which the other end says which there will be. */
  readonly following: ReadonlySet<ColumnSchema>;
}

type Values = ReadonlyMap<ColumnSchema, CellValue>;

/** What becomes of the rows of a table, but for links of which other ends say which there will be. */
type Choice = Decided & Pick<Unrivalled, 'withThem' | 'giving' | 'skipped'> & { readonly moving: Moving };

/** Says what it takes to undo changes of rows: of one table, or of several of a base at once. */
@Injectable()
export class RevertPlanner {
  constructor(
    private readonly lookup: MiniDbLookup,
    private readonly history: HistoryLog,
    private readonly possible: PossibleValues,
    private readonly unique: UniqueValues,
  ) {}

  /**
   * Of rows that the caller sees; whether rules let him do it is asked when it is written. The rows are locked: until the end of the transaction they are what the plan takes them for.
   * @param mine whose later changes of rows that were made are none of others
   * @throws Problem `limit_reached` more changes than are undone at once, in all tables together
   */
  async plan(
    access: Access,
    session: PgSession,
    asked: readonly Asked[],
    overwrite: boolean,
    mine?: ChangeOwner,
  ): Promise<RevertPlan> {
    const together = new Set(asked.map(({ table }) => table.id));
    const changes = await this.changes(session, asked);
    const looks: Look[] = [];
    for (const [table, each] of changes) looks.push(await this.look(session, table, each, overwrite, together, mine));
    const decided = await this.decide(access, session, looks);
    const outcomes = looks.map((look, i): Outcome => {
      const choice = must(decided[i], 'each look is decided');
      return { ...look, ...choice, values: withAgreed(look, choice, decided) };
    });
    return {
      tables: outcomes.map(told),
      steps: stepsOf(outcomes),
    };
  }

  /** What is to be undone, no more of it in sum than is undone at once. */
  private async changes(session: PgSession, asked: readonly Asked[]): Promise<Map<TableSchema, readonly Change[]>> {
    const found = new Map<TableSchema, readonly Change[]>();
    let { entries: left, bytes } = UNDONE_AT_ONCE;
    for (const { table, which } of asked) {
      const numbers = await this.numbers(session, table, which);
      const filter = { ...which, ...numbers, ...(table.seen ? { seenOf: table } : {}) };
      const part = await this.history.rowsChanged(
        table.physical.schema,
        table.id,
        filter,
        { entries: left, bytes },
        session,
      );
      left -= part.entries.length;
      bytes -= part.bytes;
      // One is always read, however large it is.
      if (part.more || left < 0 || (bytes < 0 && found.size > 0 && part.entries.length > 0)) throw tooMany();
      found.set(table, part.entries);
    }
    return found;
  }

  /** Those of an act, which has no index of its own. */
  private async numbers(session: PgSession, table: TableSchema, which: HistoryFilter): Promise<Partial<HistoryFilter>> {
    if (which.changeSet === undefined || which.fromSeq !== undefined) return {};
    const tables = await this.history.tablesOfAct(table.physical.schema, which.changeSet, session);
    const { fromSeq, toSeq } = tables.find(({ tableId }) => tableId === table.id) ?? NOWHERE;
    return { fromSeq, ...(toSeq === undefined ? {} : { toSeq }) };
  }

  private async look(
    session: PgSession,
    seen: TableSchema,
    changes: readonly Change[],
    overwrite: boolean,
    together: ReadonlySet<Id>,
    mine: ChangeOwner | undefined,
  ): Promise<Look> {
    const table = wholeOf(seen);
    const byRow = grouped(changes);
    const timeline = new ColumnTimeline(table, await this.history.structure(table.physical.schema, table.id, session));
    const now = await this.now(session, table, byRow, timeline);
    const own = mine ? await this.versionsOf(session, table, changes, mine) : new Map<Id, ReadonlySet<number | null>>();
    const undone = new Map<Id, Undone>();
    for (const [id, each] of byRow) {
      const row = now.get(id);
      if (row) undone.set(id, withinSight(seen, id, undo(id, row, each, timeline, overwrite, own.get(id))));
    }
    const coming = ids(undone, ({ inTrash }, id) => !inTrash && now.get(id)?.inTrash === true);
    const going = ids(undone, ({ inTrash }, id) => inTrash && now.get(id)?.inTrash === false);
    const held = (id: Id): RowNow['fields'] => (coming.has(id) ? {} : (now.get(id)?.fields ?? {}));
    return {
      ...{ seen, table, changed: [...byRow.keys()].sort(), now, undone, held },
      moving: { coming, going: new Map([...going].map((id) => [id, held(id)])) },
      following: new Set(followingColumns(table, together)),
    };
  }

  /** What becomes of the rows, but for links of which other ends say which there will be. */
  private async decide(access: Access, session: PgSession, looks: readonly Look[]): Promise<readonly Choice[]> {
    const parts: (Unrivalled & Pick<Look, 'moving'>)[] = [];
    for (const look of looks) parts.push(await this.unrivalled(access, session, look));
    const movings = new Map(parts.map(({ moving }, i) => [must(looks[i], 'one each').table.id, moving]));
    const decided: Choice[] = [];
    for (const [i, { table, held }] of looks.entries()) {
      const { wanted, moving, skipped, ...part } = must(parts[i], 'each look has its part');
      // Behind the unique values of all tables: only then is it known which rows there will be to link with.
      const possible = await this.possible.linked(session, table, wanted, movings);
      const going = new Set(moving.going.keys());
      decided.push({ ...part, ...{ table, held, going, moving }, values: possible.values, skipped: [...skipped, ...possible.skipped] }); // prettier-ignore
    }
    return decided;
  }

  private async unrivalled(
    access: Access,
    session: PgSession,
    { seen, table, undone, held, following, moving }: Look,
  ): Promise<Unrivalled & Pick<Look, 'moving'>> {
    const wanted = [...undone].flatMap(([id, { inTrash, values }]): Wanted[] =>
      inTrash ? [] : [{ id, values: without(values, following), fields: held(id) }],
    );
    const there = await this.possible.referred(access, table, wanted);
    const going = new Set(moving.going.keys());
    const found = await this.unique.of(session, seen, table, there.wanted, moving.coming, going);
    return {
      ...found,
      skipped: [...there.skipped, ...found.skipped],
      moving: { ...moving, coming: new Set([...moving.coming].filter((id) => !found.staying.has(id))) },
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

/** Numbers begin at 1. */
const NOWHERE: { readonly fromSeq: number; readonly toSeq?: number } = { fromSeq: 1, toSeq: 0 };

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

const without = (values: Values, columns: ReadonlySet<ColumnSchema>): Values =>
  columns.size === 0 ? values : new Map([...values].filter(([column]) => !columns.has(column)));

/** The values of the rows, with the lists that follow from what was decided at their other ends. */
function withAgreed(look: Look, own: Decided, all: readonly Decided[]): ReadonlyMap<Id, Values> {
  if (look.following.size === 0) return own.values;
  const written = new Map([...own.values].map(([id, values]) => [id, new Map(values)]));
  for (const column of followingColumns(look.table, new Set(all.map(({ table }) => table.id)))) {
    const asked = new Map(
      [...written.keys()].flatMap((id) => {
        const list = look.undone.get(id)?.values.get(column);
        return list === undefined ? [] : [[id, list] as const];
      }),
    );
    const other = must(all.find(({ table }) => table.id === column.derived.link.target.id), 'it follows one of them'); // prettier-ignore
    for (const [id, list] of agreedLists(column, asked, own, other)) written.get(id)?.set(column, list);
  }
  return written;
}

function told({ seen, now, undone, moving, changed, values, skipped, ...look }: Outcome): TablePlan {
  const following = new Set<Id | null>([...look.following].map(({ id }) => id));
  const purged = changed.filter((id) => !now.has(id));
  const written = [...values].flatMap(([id, each]) => (each.size === 0 ? [] : [id]));
  return {
    table: seen,
    // In an order of their own: a database gives rows in any.
    seen: changed.flatMap((id) => {
      const row = now.get(id);
      return row ? [{ id, version: row.version }] : [];
    }),
    rows: new Set([...moving.going.keys(), ...moving.coming, ...written]).size,
    // Of links that follow, the other end tells.
    conflicts: [...undone.values()]
      .flatMap(({ conflicts }) => conflicts)
      .filter(({ column }) => !following.has(column?.id ?? null)),
    skipped: [
      ...[...undone.values()].flatMap((each) => each.skipped),
      ...skipped,
      ...purged.map((rowId): Skipped => ({ rowId, code: 'row_purged' })),
    ],
  };
}
