import type { Id } from '../../../common/index.js';
import type { ColumnEntity } from './column.entity.js';

/** The columns that a column cannot be without. */
export function needs({ type, options }: ColumnEntity): readonly Id[] {
  switch (type) {
    case 'link':
      return present([options.inverseColumnId]);
    case 'lookup':
    case 'rollup':
    case 'count':
      return present([options.linkColumnId, options.columnId]);
    case 'formula':
      return Object.values(options.columnIds ?? {});
    default:
      return [];
  }
}

const present = (ids: readonly (Id | undefined)[]): readonly Id[] => ids.filter((id) => id !== undefined);

/** What the cells of a column are computed from: the ends of a link need each other, and are not computed. */
export const sources = (column: ColumnEntity): readonly Id[] => (column.type === 'link' ? [] : needs(column));

/** How a column would be computed from itself, beginning and ending with it; `others` are those that are there. */
export function circleOf(column: ColumnEntity, others: readonly ColumnEntity[]): readonly ColumnEntity[] | undefined {
  const columns = new Map([...others, column].map((each) => [each.id, each]));
  const dead = new Set<Id>();
  const search = (path: readonly ColumnEntity[], from: ColumnEntity): readonly ColumnEntity[] | undefined => {
    for (const id of sources(from)) {
      const next = columns.get(id);
      if (id === column.id) return [...path, column];
      if (!next || dead.has(id)) continue;
      dead.add(id);
      const found = search([...path, next], next);
      if (found) return found;
    }
    return undefined;
  };
  return search([column], column);
}

/** How many columns a cell leads through from row to row, the last one included. The columns lead in no circle. */
export function depthOf(columns: readonly ColumnEntity[]): (column: ColumnEntity) => number {
  const byId = new Map(columns.map((column) => [column.id, column]));
  const known = new Map<Id, number>();
  const depth = (column: ColumnEntity): number => {
    const found = known.get(column.id);
    if (found !== undefined) return found;
    const behind = sources(column).flatMap((id) => byId.get(id) ?? []);
    const most = Math.max(0, ...behind.map(depth));
    const own = column.type === 'formula' && behind.length > 0 ? most : most + 1;
    known.set(column.id, own);
    return own;
  };
  return depth;
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
