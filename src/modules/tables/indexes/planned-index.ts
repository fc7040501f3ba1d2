import { must } from '../../../common/index.js';
import { indexDefinition, toStatement, type IndexPlan, type TableSchema } from '../../../query/index.js';
import type { TableIndexEntity } from './table-index.entity.js';

/** The index by the columns as they are now; undefined when one of them is gone. */
export function planOf(
  { kind, columns, unique }: Pick<TableIndexEntity, 'kind' | 'columns' | 'unique'>,
  table: TableSchema,
): IndexPlan | undefined {
  const keys = columns.map(({ columnId, dir }) => ({
    column: table.columns.find(({ id }) => id === columnId),
    dir,
  }));
  if (keys.some(({ column }) => column === undefined)) return undefined;
  return { kind, unique, keys: keys.map(({ column, dir }) => ({ column: must(column, 'none is missing'), dir })) };
}

/** Waits in the trash for a column; one that has all of them again is about to be built. */
export const isAtRest = (
  index: Pick<TableIndexEntity, 'state' | 'kind' | 'columns' | 'unique'>,
  table: TableSchema,
): boolean => index.state === 'resting' && planOf(index, table) === undefined;

/** The same text exactly for indexes of a table that are as good as each other. */
export const definitionOf = (plan: IndexPlan): string =>
  `${plan.unique === true ? 'unique ' : ''}${toStatement(indexDefinition(plan)).text}`;
