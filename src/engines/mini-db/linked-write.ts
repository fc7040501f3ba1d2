import { must, type Id, type ProblemItem } from '../../common/index.js';
import type { PgSession } from '../../database/mini/index.js';
import {
  compileWrite,
  lagsBehind,
  linkColumnsOf,
  linkedIds,
  lockLinks,
  lockRows,
  pairsAt,
  pairsOf,
  placePairs,
  removePairs,
  toStatement,
  type ColumnSchema,
  type LinkRef,
  type LinkValue,
  type Pair,
  type RowOp,
  type RowWrite,
  type Sql,
  type TableSchema,
} from '../../query/index.js';
import {
  byTheirs,
  diffPairs,
  LinkChanges,
  listChange,
  LOGGED_IN_FULL,
  type LinkColumn,
  type Wanted,
} from './link-changes.js';
import { readResults } from './read-results.js';
import { reread } from './reread.js';
import type { WriteResult } from './write-result.js';

/** Some ops link to rows that they cannot be linked to. Nothing was written. Findings by place of the op. */
export class LinksRefused extends Error {
  constructor(readonly findings: ReadonlyMap<number, readonly ProblemItem[]>) {
    super('rows cannot be linked');
    this.name = 'LinksRefused';
  }
}

/** What a write did in each table that it concerned. */
export interface LinkedResult {
  readonly result: WriteResult;
  readonly others: readonly { readonly table: TableSchema; readonly seq: number }[];
}

/**
 * A write that changes links too: both ends get their new version, their entry in the log and their number, in one transaction.
 *
 * Lock order: the tables' link locks by table id, then rows, then each table's stream by table id. Other writers hold rows and
 * one stream of one table only, and wait for nothing else while they hold the stream; so nobody waits in a circle.
 * @throws LinksRefused
 */
export class LinkedWrite {
  private readonly changes = new LinkChanges();
  /** The rows that are locked, with their versions, by table. */
  private readonly live = new Map<Id, ReadonlyMap<Id, number>>();
  private readonly findings = new Map<number, ProblemItem[]>();
  /** The links that rows to be deleted have: the log of a deletion tells all of the row. */
  private readonly lost = new Map<Id, Record<string, LinkValue>>();

  constructor(
    private readonly session: PgSession,
    private readonly table: TableSchema,
    private readonly write: RowWrite,
  ) {}

  async run(): Promise<LinkedResult> {
    const columns = linkColumnsOf(this.table);
    await lockLinksOf(this.session, this.table);
    await this.lockAll(columns);
    const open = this.openOps();
    // Before any link goes: a row that is linked with itself, or with another that goes too, would have lost it already.
    for (const column of columns) await this.remember(column, open);
    for (const column of columns) await this.changeColumn(column, open);
    if (this.findings.size > 0) throw new LinksRefused(this.findings);
    return this.writeRows();
  }

  private async remember({ key, derived }: LinkColumn, open: readonly RowOp[]): Promise<void> {
    const rows = open.flatMap((op) => (op.kind === 'delete' ? [op.id] : []));
    if (rows.length === 0) return;
    const lists = await this.existing(derived.link, rows);
    for (const id of rows) this.lost.set(id, { ...this.lost.get(id), [key]: lists.get(id) ?? [] });
  }

  /**
   * All rows that the ops may change or link, each table's in one go and in id order, as other writers take them; one that was
   * locked later could be in the hands of somebody who waits for an earlier one. Some may turn out to stay as they are.
   */
  private async lockAll(columns: readonly LinkColumn[]): Promise<void> {
    const { ops } = this.write;
    const rows = new Map([[this.table.id, { table: this.table, ids: new Set<Id>() }]]);
    const add = (table: TableSchema, ids: Iterable<Id>): void => {
      const entry = rows.get(table.id) ?? { table, ids: new Set() };
      rows.set(table.id, entry);
      for (const id of ids) entry.ids.add(id);
    };
    add(
      this.table,
      ops.flatMap((op) => (op.kind === 'create' ? [] : [op.id])),
    );
    for (const column of columns) {
      const { link } = column.derived;
      const wanted = wantedOf(column, ops);
      const targets = [...wanted.values()].flat();
      add(link.target, targets);
      if (wanted.size > 0) add(link.target, [...(await this.existing(link, [...wanted.keys()])).values()].flat());
      if (link.inverseSingle && targets.length > 0)
        add(
          this.table,
          (await this.holders(link, targets)).map((pair) => pair.mine),
        );
    }
    for (const [tableId, { table, ids }] of [...rows].sort(([x], [y]) => (x < y ? -1 : 1))) {
      const found = ids.size === 0 ? [] : await this.query(lockRows(table, [...ids]));
      this.live.set(tableId, new Map(found.map(([id, version]) => [String(id), Number(version)])));
    }
  }

  /** The ops whose row is there, in the expected version. What becomes of the others is said by the write itself. */
  private openOps(): readonly RowOp[] {
    const { ops, atomic } = this.write;
    const versions = this.live.get(this.table.id) ?? new Map<Id, number>();
    const isOpen = (op: RowOp): boolean =>
      op.kind === 'create' ||
      // Whoever restores has locked the row, and knows that it is in the trash.
      op.kind === 'restore' ||
      (versions.has(op.id) && (op.expectedVersion ?? versions.get(op.id)) === versions.get(op.id));
    const open = ops.filter(isOpen);
    return atomic && open.length < ops.length ? [] : open;
  }

  /** Who has these rows of the other end. */
  private async holders(link: LinkRef, targets: readonly Id[]): Promise<Pair[]> {
    const found = await this.query(pairsAt(link, [...new Set(targets)], LOGGED_IN_FULL));
    return found.flatMap(([theirs, , list]) =>
      (JSON.parse(list ?? '[]') as Id[]).map((mine) => ({ mine, theirs: String(theirs) })),
    );
  }

  private async changeColumn(column: LinkColumn, open: readonly RowOp[]): Promise<void> {
    const { link } = column.derived;
    const wanted = wantedOf(column, open);
    if (wanted.size === 0) return;
    this.judgeTargets(column, open, wanted);
    if (this.findings.size > 0) return;
    const existing = await this.existing(link, [...wanted.keys()]);
    const { removed, placed, added } = diffPairs(wanted, existing);
    const moved = link.inverseSingle ? await this.takenAway(column, added, wanted) : [];
    await this.recordTheirs(link, added, [...removed, ...moved]);
    for (const [mine, list] of wanted) {
      const before = existing.get(mine) ?? [];
      if (!this.lost.has(mine) && !isSame(before, list))
        this.changes.record(this.table, mine, column.key, { before, after: list });
    }
    await this.remove(link, [...removed, ...moved]);
    if (placed.length > 0) await this.query(placePairs(link, placed));
  }

  /** Only live rows of the right table can be linked, each once where the other end is single. */
  private judgeTargets(column: LinkColumn, open: readonly RowOp[], wanted: Wanted): void {
    const { link } = column.derived;
    const live = new Set(this.live.get(link.target.id)?.keys());
    if (link.target.id === this.table.id) {
      for (const { kind, id } of open) {
        if (kind === 'delete') live.delete(id);
        if (kind === 'restore') live.add(id);
      }
    }
    const linked = new Set<Id>();
    for (const op of open) {
      for (const target of op.kind === 'delete' ? [] : (wanted.get(op.id) ?? [])) {
        if (!live.has(target)) this.refuse(op, column, 'row_not_found', `There is no row ${target} to link to.`);
        else if (link.inverseSingle && linked.has(target))
          this.refuse(op, column, 'row_linked_twice', `Row ${target} can be linked with one row only.`);
        linked.add(target);
      }
    }
  }

  private refuse(op: RowOp, { key }: ColumnSchema, code: string, detail: string): void {
    const index = this.write.ops.indexOf(op);
    this.findings.set(index, [...(this.findings.get(index) ?? []), { pointer: `/fields/${key}`, code, detail }]);
  }

  private async existing(link: LinkRef, rows: readonly Id[]): Promise<Map<Id, Id[]>> {
    const lists = new Map<Id, Id[]>();
    for (const [mine, theirs] of await this.query(pairsOf(link, rows)))
      lists.set(String(mine), [...(lists.get(String(mine)) ?? []), String(theirs)]);
    return lists;
  }

  /** Where the other end can have one row only, a new link takes it from the row that had it. */
  private async takenAway(
    { derived: { link }, key }: LinkColumn,
    added: readonly Pair[],
    wanted: Wanted,
  ): Promise<Pair[]> {
    if (added.length === 0) return [];
    const holders = await this.holders(
      link,
      added.map((pair) => pair.theirs),
    );
    const moved = holders.filter(({ mine }) => !wanted.has(mine));
    const lists = await this.existing(
      link,
      moved.map(({ mine }) => mine),
    );
    for (const [mine, before] of lists) {
      const gone = moved.filter((pair) => pair.mine === mine).map(({ theirs }) => theirs);
      this.changes.record(this.table, mine, key, listChange(before, [], gone));
    }
    return moved;
  }

  /** What the change means for the rows at the other end. */
  private async recordTheirs(link: LinkRef, added: readonly Pair[], removed: readonly Pair[]): Promise<void> {
    const [coming, going] = [byTheirs(added), byTheirs(removed)];
    const rows = [...new Set([...coming.keys(), ...going.keys()])];
    if (rows.length === 0) return;
    const lists = new Map(
      (await this.query(pairsAt(link, rows, LOGGED_IN_FULL))).map(([id, , list]) => [
        String(id),
        list === null ? undefined : (JSON.parse(list ?? '[]') as Id[]),
      ]),
    );
    for (const id of rows) {
      const before = lists.has(id) ? lists.get(id) : [];
      const change = listChange(before, coming.get(id) ?? [], going.get(id) ?? []);
      this.changes.record(link.target, id, link.inverseKey, change);
    }
  }

  private async remove(link: LinkRef, pairs: readonly Pair[]): Promise<void> {
    if (pairs.length > 0) await this.query(removePairs(link, pairs));
  }

  private async writeRows(): Promise<LinkedResult> {
    let result: WriteResult | undefined;
    const others: { table: TableSchema; seq: number }[] = [];
    const touched = this.changes.touched(this.table);
    for (const table of touched) {
      const own = table.id === this.table.id;
      const write = { ...this.write, ops: own ? this.ownOps() : touches(this.changes.of(table.id)) };
      // The copy of the structure that the values belong to, which for the own table is the one that was asked for.
      const schema = own ? this.table : table;
      const [written] = readResults([write], await this.query(compileWrite(schema, [write])));
      if (!written) throw new Error('a write has no result');
      if (own) result = { ...written, ops: written.ops.slice(0, this.write.ops.length) };
      else others.push({ table, seq: written.seq });
    }
    if (!result) throw new Error('a write has no result');
    return { result: await this.upToDate(result, new Set(touched.map(({ id }) => id))), others };
  }

  private async upToDate(result: WriteResult, touched: ReadonlySet<Id>): Promise<WriteResult> {
    if (!lagsBehind(this.table, this.write.ops, touched)) return result;
    // Where nothing happened to its rows, the number is of somebody else's write, and is not to be touched.
    const madeUnder = result.ops.some(({ status }) => status === 'ok') ? result.seq : undefined;
    const [now] = await reread(this.session, this.table, [result], madeUnder);
    return must(now, 'each result is read again');
  }

  /** The ops with what becomes of their links, and behind them the rows of the own table that only lose or gain links. */
  private ownOps(): RowOp[] {
    const changes = new Map(this.changes.of(this.table.id));
    const own = this.write.ops.map((op): RowOp => {
      const change = changes.get(op.id);
      changes.delete(op.id);
      if (op.kind === 'delete') return { ...op, links: { before: this.lost.get(op.id) ?? {}, after: {} } };
      const values = new Map([...op.values].filter(([{ derived }]) => derived === undefined));
      return op.kind === 'create' || op.kind === 'restore' || !change
        ? { ...op, values }
        : { ...op, values, links: change };
    });
    return [...own, ...touches(changes)];
  }

  private async query(statement: Sql): Promise<readonly (readonly (string | null)[])[]> {
    return this.session.query(toStatement(statement));
  }
}

/** Keeps others from changing links of the table until the transaction ends. Comes before any lock of rows. */
export async function lockLinksOf(session: PgSession, table: TableSchema): Promise<void> {
  await session.query(toStatement(lockLinks(linkedTables(table))));
}

/** The table, and those that its links lead to. */
export const linkedTables = (table: TableSchema): readonly TableSchema[] => [
  ...new Set([table, ...linkColumnsOf(table).map(({ derived }) => derived.link.target)]),
];

const touches = (changes: ReturnType<LinkChanges['of']>): RowOp[] =>
  [...changes].map(([id, links]) => ({ kind: 'update', id, values: new Map(), links }));

/** What the ops ask of a link: nothing of those that leave it alone, an empty list of deletions. */
function wantedOf(column: LinkColumn, ops: readonly RowOp[]): Wanted {
  const wanted = new Map<Id, readonly Id[]>();
  for (const op of ops) {
    if (op.kind === 'delete') wanted.set(op.id, []);
    else if (op.values.has(column)) wanted.set(op.id, linkedIds(op.values.get(column) ?? null));
  }
  return wanted;
}

const isSame = (a: readonly Id[], b: readonly Id[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);
