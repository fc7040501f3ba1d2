import type { Id } from '../../../common/index.js';
import type { ColumnEntity } from './column.entity.js';

/** The columns that a column cannot be without. */
function needs({ type, options }: ColumnEntity): readonly Id[] {
  const ids =
    type === 'link'
      ? [options.inverseColumnId]
      : type === 'lookup' || type === 'rollup' || type === 'count'
        ? [options.linkColumnId, options.columnId]
        : [];
  return ids.filter((id) => id !== undefined);
}

/** These columns and all that cannot be without one of them, however far away. */
export function withDependents(
  columns: readonly ColumnEntity[],
  all: readonly ColumnEntity[],
): readonly ColumnEntity[] {
  const found = new Map(columns.map((column) => [column.id, column]));
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const column of all) if (needs(column).some((id) => found.has(id))) found.set(column.id, column);
  }
  return [...found.values()];
}

/** Of these, those that have all that they need, among themselves and what is there. */
export function withAllTheyNeed(columns: readonly ColumnEntity[], there: ReadonlySet<Id>): readonly ColumnEntity[] {
  let kept = columns;
  for (let size = -1; size !== kept.length;) {
    size = kept.length;
    const ids = new Set(kept.map(({ id }) => id));
    kept = kept.filter((column) => needs(column).every((id) => there.has(id) || ids.has(id)));
  }
  return kept;
}
