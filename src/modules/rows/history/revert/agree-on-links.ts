import { must, type Id } from '../../../../common/index.js';
import {
  linkColumnsOf,
  linkedIds,
  type CellValue,
  type ColumnSchema,
  type TableSchema,
} from '../../../../query/index.js';

/*
 * Both ends of a link tell of the same pairs. Where both are undone at once, one of them says which pairs there will be, so that neither puts back
 * what the other leaves as it is; the other end gives its lists no more than their order.
 */

type LinkColumn = ReturnType<typeof linkColumnsOf>[number];
type Values = ReadonlyMap<ColumnSchema, CellValue>;

/** What is to become of rows of a table. */
export interface Decided {
  readonly table: TableSchema;
  /** Of the rows that stay or come back, what is written. */
  readonly values: ReadonlyMap<Id, Values>;
  /** Rows that go. */
  readonly going: ReadonlySet<Id>;
  /** What a row will be linked with as long as nothing is written: one that comes back has no links. */
  readonly held: (id: Id) => Readonly<Record<string, unknown>>;
}

/**
 * The columns of a table that show links to others of these tables whose ends over there say which pairs there will be: those that hold one row at
 * most, in which a change by others is never mistaken for a change of all; otherwise those that the links were made at.
 */
export function followingColumns(table: TableSchema, tables: ReadonlySet<Id>): readonly LinkColumn[] {
  return linkColumnsOf(table).filter(({ derived: { link } }) => {
    const { target, single, inverseSingle, end } = link;
    if (target.id === table.id || !tables.has(target.id)) return false;
    return single === inverseSingle ? end === 'target' : inverseSingle;
  });
}

/**
 * What the lists of a column come to whose other end says which pairs there will be: the pairs that it says, in the order of what was asked for.
 * Lists that stay as they are are left out.
 */
export function agreedLists(
  column: LinkColumn,
  asked: ReadonlyMap<Id, CellValue>,
  own: Decided,
  other: Decided,
): ReadonlyMap<Id, CellValue> {
  const { inverseKey } = column.derived.link;
  const lead = must(linkColumnsOf(other.table).find(({ key }) => key === inverseKey), 'a link has two ends'); // prettier-ignore
  const decided = new Set(other.going);
  const linked = new Map<Id, Id[]>();
  for (const [id, values] of other.values) {
    if (!values.has(lead)) continue;
    decided.add(id);
    for (const mine of linkedIds(values.get(lead))) linked.set(mine, [...(linked.get(mine) ?? []), id]);
  }
  const lists = new Map<Id, CellValue>();
  for (const [id, wanted] of asked) {
    const held = linkedIds(own.held(id)[column.key]);
    const pairs = new Set([...held.filter((theirs) => !decided.has(theirs)), ...(linked.get(id) ?? [])]);
    // A set keeps the order in which its members came.
    const list = [...new Set([...linkedIds(wanted).filter((theirs) => pairs.has(theirs)), ...pairs])];
    if (list.join() !== held.join()) lists.set(id, list.length === 0 ? null : list);
  }
  return lists;
}
