import { invalid, type ProblemItem } from '../../../../common/index.js';
import type { RowCheck } from '../../../../engines/index.js';
import {
  canBeBuilt,
  dropIndexAtOnce,
  indexName,
  type Conversion,
  type Sql,
  type TableSchema,
} from '../../../../query/index.js';
import { indexesOf, makeAtOnce, uniqueIndexesOf, type IndexOfColumn } from '../../indexes/indexes-of-column.js';
import type { TableIndexEntity } from '../../indexes/table-index.entity.js';
import { fieldsOf } from '../../indexes/to-index-dto.js';
import { everyTupleIsUnique, everyValueIsUnique } from '../row-conditions.js';
import type { ConvertedIndexDto } from './convert.dto.js';

/*
 * What becomes of the indexes of a column that gets another type. Those that only make reads quick are built anew afterwards, beside
 * everything else. A unique one is a demand on the rows, and holds without a gap: it is made within the conversion.
 */

/** The table as the conversion leaves it. */
const tableAfter = ({ table, to }: Conversion): TableSchema => ({
  ...table,
  columns: table.columns.map((column) => (column.id === to.id ? to : column)),
});

/** Of all indexes of the table. @throws Problem `validation_failed` the new type has no values that could be compared */
export function uniqueIndexesAfter(indexes: readonly TableIndexEntity[], conversion: Conversion): IndexOfColumn[] {
  const { table, to } = conversion;
  const held = uniqueIndexesOf(indexes, table, to.id);
  const after = uniqueIndexesOf(indexes, tableAfter(conversion), to.id);
  const lost = held.filter(({ id }) => !after.some((index) => index.id === id));
  if (lost.length > 0) throw invalid(lost.map((index) => notIndexable(index, to.type)));
  return after;
}

const notIndexable = ({ id, plan }: IndexOfColumn, type: string): ProblemItem => ({
  pointer: '/to/type',
  code: 'not_indexable',
  detail: `The unique index of ${plan.keys.map(({ column }) => column.key).join(', ')} cannot have a column of the type ${type}. Drop the index first.`,
  indexId: id,
});

/** All indexes of the column, for whoever only asks. */
export const indexesAfter = (indexes: readonly TableIndexEntity[], conversion: Conversion): ConvertedIndexDto[] =>
  indexesOf(indexes, tableAfter(conversion), conversion.to.id).map(({ id, plan, index }) => ({
    id,
    columns: fieldsOf(plan),
    unique: index.unique,
    state: canBeBuilt(plan) ? 'building' : 'failed',
  }));

/**
 * What rows must be like for the column and its indexes to be unique: `cell` is the new value of a row `t`, where it is not yet in the
 * column that `to` names.
 */
export const uniqueAfter = ({ table, to }: Conversion, indexes: readonly IndexOfColumn[], cell?: Sql): RowCheck[] => [
  ...(to.unique ? everyValueIsUnique(table, to, cell) : []),
  ...indexes.map(({ plan }) =>
    everyTupleIsUnique(
      table,
      plan.keys.map(({ column }) => (column.id === to.id ? { column: to, ...(cell ? { cell } : {}) } : { column })),
    ),
  ),
];

/** In place of those that hold of the old column; behind the lock, when the new one has its name. */
export const remadeIndexes = (table: TableSchema, indexes: readonly IndexOfColumn[]): Sql[] => [
  ...indexes.map(({ id }) => dropIndexAtOnce(table.physical.schema, indexName(table.id, id))),
  ...makeAtOnce(table, indexes),
];
