import type { Id } from '../../../../common/index.js';
import { identityOf, type CellValue, type ColumnSchema, type RowOp } from '../../../../query/index.js';
import { canonical } from '../../write/settle.js';
import type { RowNow } from './undo.js';

/** More than anybody hands one value on in what is undone at once. */
const MAX_TURNS = 100;

/**
 * Updates in an order in which no row is given what another one still has to itself, each list before the next: within one statement PostgreSQL looks at
 * unique values row by row. What goes round in a circle comes last, and is refused there.
 */
export function inTurns(
  updates: readonly RowOp[],
  now: ReadonlyMap<Id, Pick<RowNow, 'fields'>>,
): readonly (readonly RowOp[])[] {
  const holders = new Map<string, Id>();
  for (const { id, column } of uniqueIn(updates)) {
    const held = nameOf(column, canonical(now.get(id)?.fields[column.key], column));
    if (held !== undefined) holders.set(held, id);
  }
  const waits = new Map<Id, Id[]>();
  for (const { id, column, value } of uniqueIn(updates)) {
    const holder = holders.get(nameOf(column, value) ?? '');
    if (holder !== undefined && holder !== id) waits.set(id, [...(waits.get(id) ?? []), holder]);
  }
  const lists: (readonly RowOp[])[] = [];
  let left = updates;
  while (left.length > 0 && lists.length < MAX_TURNS) {
    const open = new Set(left.map(({ id }) => id));
    const isReady = ({ id }: RowOp): boolean => !waits.get(id)?.some((holder) => open.has(holder));
    const ready = left.filter(isReady);
    if (ready.length === 0) break;
    lists.push(ready);
    left = left.filter((each) => !isReady(each));
  }
  return left.length > 0 ? [...lists, left] : lists;
}

function* uniqueIn(updates: readonly RowOp[]) {
  for (const op of updates)
    if (op.kind === 'update')
      for (const [column, value] of op.values) if (column.unique) yield { id: op.id, column, value };
}

const nameOf = (column: ColumnSchema, cell: CellValue): string | undefined =>
  cell === null || typeof cell === 'object' ? undefined : `${column.id} ${identityOf(column, cell)}`;
