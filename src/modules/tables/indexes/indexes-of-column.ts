import { Not, type EntityManager } from 'typeorm';
import type { Id } from '../../../common/index.js';
import {
  canBeBuilt,
  createIndexAtOnce,
  indexName,
  type IndexPlan,
  type Sql,
  type TableSchema,
} from '../../../query/index.js';
import { planOf } from './planned-index.js';
import { TableIndexEntity } from './table-index.entity.js';

/** An index that was asked for, by its columns as they are to be. */
export interface IndexOfColumn {
  readonly id: Id;
  readonly plan: IndexPlan;
}

export const indexesAskedFor = (manager: EntityManager, tableId: Id): Promise<TableIndexEntity[]> =>
  manager.findBy(TableIndexEntity, { tableId, state: Not('dropping') });

/** Those with the column, which have all of their columns in the table. */
export const indexesOf = (
  indexes: readonly TableIndexEntity[],
  table: TableSchema,
  columnId: Id,
): (IndexOfColumn & { readonly index: TableIndexEntity })[] =>
  indexes
    .filter(({ columns }) => columns.some((column) => column.columnId === columnId))
    .flatMap((index) => {
      const plan = planOf(index, table);
      return plan ? [{ id: index.id, plan, index }] : [];
    });

/** The unique ones that hold of the rows. One that had failed demands nothing of them; the worker tries it once more. */
export const uniqueIndexesOf = (
  indexes: readonly TableIndexEntity[],
  table: TableSchema,
  columnId: Id,
): IndexOfColumn[] =>
  indexesOf(indexes, table, columnId).filter(
    ({ index, plan }) => index.unique && index.error === null && canBeBuilt(plan),
  );

/** Makes them within a structure change, behind the lock of the table. One that is there already stays. */
export const makeAtOnce = (table: TableSchema, indexes: readonly IndexOfColumn[]): Sql[] =>
  indexes.map(({ id, plan }) => createIndexAtOnce(table, indexName(table.id, id), plan));
