import type { Id } from '../../common/index.js';
import type { TableSchema } from '../schema.js';
import { tablesIn, type ViewTable } from './view-table.js';

/** By table: which column each key led to when the definition was made. */
export type ColumnPins = Readonly<Record<Id, Readonly<Record<string, Id>>>>;

/** The columns that the tables of ours have as a definition is made, those that its filter reads behind links, too. */
export const pinsOf = (view: ViewTable): ColumnPins =>
  Object.fromEntries(
    tablesIn(view).map(({ id, columns }) => [id, Object.fromEntries(columns.map((column) => [column.key, column.id]))]),
  );

/**
 * The table without columns that have taken the key of another since: what a definition named is gone, and must not become something else
 * unnoticed. Of a frozen definition without any that came later.
 */
export function pinned(table: TableSchema, pins: ColumnPins | undefined, isFrozen = false): TableSchema {
  const known = new Map(Object.entries(pins?.[table.id] ?? {}));
  const isOther = ({ key, id }: TableSchema['columns'][number]): boolean =>
    (known.get(key) ?? (isFrozen ? undefined : id)) !== id;
  if (!table.columns.some(isOther)) return table;
  return { ...table, columns: table.columns.filter((column) => !isOther(column)) };
}
