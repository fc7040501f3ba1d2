import type { Id } from '../../../../common/index.js';
import { isLink, isWritable, type ColumnSchema, type TableSchema } from '../../../../query/index.js';
import type { Skipped, Undone } from './undo.js';

/**
 * As much of what it takes to undo changes of a row as somebody may do who sees part of the table, and as he may hear of it. Columns that he does not see
 * stay as they are without a word; those that he may not change, and links among which there may be some that he does not see, are named.
 */
export function withinSight(table: TableSchema, rowId: Id, { values, conflicts, skipped, ...rest }: Undone): Undone {
  if (!table.seen) return { values, conflicts, skipped, ...rest };
  const shown = new Map<Id | null, ColumnSchema>(table.columns.map((column) => [column.id, column]));
  const mayChange = (id: Id | null): boolean => {
    const column = shown.get(id);
    return column !== undefined && isWritable(column) && !(isLink(column) && column.derived.link.target.seen?.rows);
  };
  const left = [...values.keys()].filter(({ id }) => shown.has(id) && !mayChange(id));
  return {
    ...rest,
    values: new Map([...values].filter(([{ id }]) => mayChange(id))),
    conflicts: conflicts.filter(({ column }) => column === undefined || mayChange(column.id)),
    skipped: [
      ...skipped.filter(({ column }) => column === undefined || shown.has(column.id)),
      ...left.map(({ id, key, name }): Skipped => ({ rowId, column: { id, key, name }, code: 'value_not_possible' })),
    ],
  };
}
