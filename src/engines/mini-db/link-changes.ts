import type { Id } from '../../common/index.js';
import {
  type ColumnSchema,
  type LinkChange,
  type LinkRef,
  type LinkValue,
  type Pair,
  type TableSchema,
} from '../../query/index.js';

/** A column that shows a link. */
export type LinkColumn = ColumnSchema & { readonly derived: { readonly kind: 'link'; readonly link: LinkRef } };

/**
 * Up to so many linked rows are logged in full; of more, only what is added and removed. For changes that come from the other end, of which each could
 * log a long list for one row more. A list that a row is given itself is logged in full: its order is news, and the caller sent all of it.
 */
export const LOGGED_IN_FULL = 100;

/** The rows of each table whose links change by a write, with what changes, as it is found out. */
export class LinkChanges {
  private readonly tables = new Map<Id, { readonly table: TableSchema; readonly rows: Map<Id, MutableChange> }>();

  /** A field before and after. Changed twice, as by both ends of a link that leads to its own table, it is told as one change. */
  record(table: TableSchema, rowId: Id, key: string, { before, after }: ListChange): void {
    let entry = this.tables.get(table.id);
    if (!entry) this.tables.set(table.id, (entry = { table, rows: new Map() }));
    let change = entry.rows.get(rowId);
    if (!change) entry.rows.set(rowId, (change = { before: {}, after: {} }));
    const [was, became] = [change.before[key], change.after[key]];
    const whole = was && became ? joined({ before: was, after: became }, { before, after }) : { before, after };
    change.before[key] = whole.before;
    change.after[key] = whole.after;
  }

  of(tableId: Id): ReadonlyMap<Id, LinkChange> {
    return this.tables.get(tableId)?.rows ?? new Map<Id, LinkChange>();
  }

  /** All tables whose rows change, the written one too. */
  touched(written: TableSchema): TableSchema[] {
    const all = new Map([...this.tables].map(([id, { table }]) => [id, table]));
    all.set(written.id, written);
    return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** A field before and after: the list in full, or what has to be done to the other side of the change to get it. */
export interface ListChange {
  readonly before: LinkValue;
  readonly after: LinkValue;
}
type Parts = Exclude<LinkValue, readonly Id[]>;

interface MutableChange extends LinkChange {
  readonly before: Record<string, LinkValue>;
  readonly after: Record<string, LinkValue>;
}

/** What the rows at the own end of a link should be linked with after a write. */
export type Wanted = ReadonlyMap<Id, readonly Id[]>;

/** Which pairs go, come, or move to another place. */
export interface PairDiff {
  readonly removed: readonly Pair[];
  readonly placed: readonly (Pair & { readonly at: number })[];
  /** Of the placed, those that were not there. */
  readonly added: readonly Pair[];
}

export function diffPairs(wanted: Wanted, existing: Wanted): PairDiff {
  const removed: Pair[] = [];
  const added: Pair[] = [];
  const placed: (Pair & { at: number })[] = [];
  for (const [mine, list] of wanted) {
    const had = existing.get(mine) ?? [];
    const [now, before] = [new Set(list), new Set(had)];
    for (const theirs of had) if (!now.has(theirs)) removed.push({ mine, theirs });
    const kept = had.filter((theirs) => now.has(theirs));
    // Places are numbers with holes: they are written anew only where the order of what stays is another, or something comes in.
    if (list.length === kept.length && list.every((theirs, i) => theirs === kept[i])) continue;
    for (const [at, theirs] of list.entries()) {
      placed.push({ mine, theirs, at });
      if (!before.has(theirs)) added.push({ mine, theirs });
    }
  }
  return { removed, placed, added };
}

/** Groups the own ends of pairs by their other end. */
export function byTheirs(pairs: readonly Pair[]): Map<Id, Id[]> {
  const groups = new Map<Id, Id[]>();
  for (const { mine, theirs } of pairs) groups.set(theirs, [...(groups.get(theirs) ?? []), mine]);
  return groups;
}

/** A list of links before and after, in full or, when it is long, as what changed; new ones come last. */
export function listChange(
  before: readonly Id[] | undefined,
  added: readonly Id[],
  removed: readonly Id[],
): ListChange {
  if (!before || before.length + added.length > LOGGED_IN_FULL) return inParts(added, removed);
  return { before, after: applied(before, { $add: added, $remove: removed }) };
}

const inParts = (added: readonly Id[], removed: readonly Id[]): ListChange => ({
  before: { $add: removed, $remove: added },
  after: { $add: added, $remove: removed },
});

/** New ones come last, as they do in the link itself. */
const applied = (list: readonly Id[], { $add, $remove }: Parts): readonly Id[] => [...without(list, $remove), ...$add];

function without(list: readonly Id[], gone: readonly Id[]): readonly Id[] {
  const set = new Set(gone);
  return list.filter((id) => !set.has(id));
}

const isList = (value: LinkValue): value is readonly Id[] => Array.isArray(value);

/**
 * Two changes of one list, the second of what the first had made of it, as one. Where the list before both was never known in
 * full, which its own end gives a new list all the same, `before` is told in parts and `after` in full.
 */
function joined(first: ListChange, second: ListChange): ListChange {
  if (isList(first.after))
    return {
      before: first.before,
      after: isList(second.after) ? second.after : applied(first.after, second.after),
    };
  if (isList(second.after)) {
    const between = isList(second.before) ? second.before : applied(second.after, second.before);
    const start = isList(first.before) ? first.before : applied(between, first.before);
    return { before: inParts(without(second.after, start), without(start, second.after)).before, after: second.after };
  }
  const [one, two] = [first.after, second.after];
  return inParts(
    [...without(one.$add, two.$remove), ...without(two.$add, one.$remove)],
    [...without(one.$remove, two.$add), ...without(two.$remove, one.$add)],
  );
}
