import type { Id } from '../../../common/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import type { MiniDbLookup } from '../../../engines/index.js';
import {
  columnByKey,
  columnOfWhole,
  isLink,
  linkedIds,
  wholeOf,
  type LinkRef,
  type ColumnSchema,
  type RowFilter,
  type RowOp,
  type TableSchema,
} from '../../../query/index.js';

type Links = ReadonlyMap<Id, readonly Id[]>;

/** A row whose links an op changes from the other end, in a table that is seen in part. */
export interface LinkedEnd {
  readonly op: RowOp;
  /** Key of the link that the op gives its row. */
  readonly key: string;
  readonly table: TableSchema;
  readonly id: Id;
}

/**
 * The rows that ops change beside their own: those that links come to or are taken from, and those of the own table that lose a link since the row at
 * its other end can have only one. Deletions and restores are not asked, which take links away, and give back what was taken.
 */
export async function linkedEnds(
  lookup: Pick<MiniDbLookup, 'cells'>,
  session: PgSession,
  table: TableSchema,
  ops: readonly RowOp[],
): Promise<readonly LinkedEnd[]> {
  const ends: LinkedEnd[] = [];
  // What a row is that the same write makes is judged as that of a new row.
  const made = new Set(ops.flatMap(({ kind, id }) => (kind === 'create' ? [id] : [])));
  for (const column of table.columns.filter(isLink)) {
    const { link } = column.derived;
    const takes = link.inverseSingle && isRuled(table);
    if (!isRuled(link.target) && !takes) continue;
    const own = columnOfWhole(table, column);
    const giving = ops.filter((op) => (op.kind === 'create' || op.kind === 'update') && op.values.has(own));
    if (giving.length === 0) continue;
    const had = await linksOf(lookup, session, wholeOf(table), own, giving.map(({ id }) => id)); // prettier-ignore
    const added = giving.flatMap((op) => without(wantedBy(op, own), had.get(op.id)).map((id) => ({ op, id })));
    const removed = giving.flatMap((op) => without(had.get(op.id) ?? [], wantedBy(op, own)).map((id) => ({ op, id })));
    if (isRuled(link.target))
      for (const { op, id } of [...added, ...removed])
        if (!(made.has(id) && link.target.id === table.id)) ends.push({ op, key: own.key, table: link.target, id });
    if (!takes) continue;
    const holders = await holdersOf(lookup, session, link, added.map(({ id }) => id)); // prettier-ignore
    const changed = new Set(giving.map(({ id }) => id));
    for (const { op, id } of added)
      for (const holder of holders.get(id) ?? [])
        if (!changed.has(holder)) ends.push({ op, key: own.key, table, id: holder });
  }
  return ends;
}

/** Which rows may be changed: those that are seen and may be updated. */
export const mayChange = ({ seen }: TableSchema): readonly RowFilter[] =>
  [seen?.rows, seen?.writes?.update].filter((each) => each !== undefined);

/** What a change may make of a row; that it goes out of sight is nobody's business. */
export const mayBecome = ({ seen }: TableSchema): readonly RowFilter[] =>
  [seen?.writes?.update].filter((each) => each !== undefined);

const isRuled = (table: TableSchema): boolean => mayChange(table).length > 0;

const wantedBy = (op: RowOp, column: ColumnSchema): readonly Id[] =>
  op.kind === 'delete' ? [] : linkedIds(op.values.get(column));

function holdersOf(
  lookup: Pick<MiniDbLookup, 'cells'>,
  session: PgSession,
  link: LinkRef,
  ids: readonly Id[],
): Promise<Links> {
  const target = wholeOf(link.target);
  const inverse = columnByKey(target, link.inverseKey);
  return inverse ? linksOf(lookup, session, target, inverse, ids) : Promise.resolve(new Map());
}

async function linksOf(
  lookup: Pick<MiniDbLookup, 'cells'>,
  session: PgSession,
  table: TableSchema,
  column: ColumnSchema,
  ids: readonly Id[],
): Promise<Links> {
  if (ids.length === 0) return new Map();
  const rows = await lookup.cells(table, ids, [column], session);
  return new Map([...rows].map(([id, { fields }]) => [id, linkedIds(fields[column.key])]));
}

function without(list: readonly Id[], others: readonly Id[] = []): readonly Id[] {
  const known = new Set(others);
  return list.filter((id) => !known.has(id));
}
