import type { Id } from '../../../common/index.js';
import {
  canBeBuilt,
  fitsAlways,
  indexName,
  primaryKeyName,
  uniqueIndexName,
  type IndexPlan,
} from '../../../query/index.js';
import type { TableMeta } from '../table-catalog.js';
import { toColumnSchema } from '../tables/table-schema.js';
import type { IndexColumnDto, IndexDto, IndexErrorDto } from './index.dto.js';
import { planOf } from './planned-index.js';
import type { TableIndexEntity } from './table-index.entity.js';

const DETAILS: Readonly<Record<NonNullable<TableIndexEntity['error']>, string>> = {
  not_unique: 'There are rows with the same values in these columns.',
  value_too_long: 'A row holds values that are too long for an index (about 2,700 bytes at most).',
  search_unavailable:
    'This PostgreSQL cannot make indexes for searches: its module pg_trgm is missing or may not be used.',
  not_indexable:
    'A column has another type by now, which an index of this kind cannot have. It is built when the column has one again that it can.',
  out_of_space: 'The disk of the database is full.',
  gave_up: 'The build failed too often. Delete the index and add it again to try once more.',
};

/** The columns of an index. */
export const fieldsOf = ({ keys }: IndexPlan): IndexColumnDto[] =>
  keys.map(({ column, dir }) => ({ columnId: column.id, field: column.key, dir }));

/** Whether a node is at it already, is nobody's business. */
export const shownState = ({ state }: Pick<TableIndexEntity, 'state'>): IndexDto['state'] =>
  state === 'pending' || state === 'resting' ? 'building' : state;

/** Of a column that is gone, and the index with it in a moment, nothing is told. */
export function toIndexDto(index: TableIndexEntity, { tableSchema }: Pick<TableMeta, 'tableSchema'>): IndexDto {
  const plan = planOf(index, tableSchema);
  return {
    id: index.id,
    tableId: index.tableId,
    name: indexName(index.tableId, index.id),
    kind: index.kind,
    columns: plan ? fieldsOf(plan) : [],
    unique: index.unique,
    state: shownState(index),
    automatic: false,
    limitsValues: plan !== undefined && canBeBuilt(plan) && !fitsAlways(plan),
    ...errorOf(index),
    createdBy: index.createdBy,
    createdAt: index.createdAt.toISOString(),
  };
}

function errorOf({ state, error }: TableIndexEntity): { readonly error?: IndexErrorDto } {
  return state === 'failed' && error ? { error: { code: error, detail: DETAILS[error] } } : {};
}

/** The indexes that are part of the structure: they have the ids of what they belong to. */
export function automaticIndexes({ id, table, columns, tableSchema }: TableMeta): IndexDto[] {
  const index = (of: Id, name: string, field: string, at: Date, limitsValues: boolean): IndexDto => ({
    id: of,
    tableId: id,
    name,
    kind: 'filter',
    columns: [{ columnId: of === id ? null : of, field, dir: 'asc' }],
    unique: true,
    state: 'ready',
    automatic: true,
    limitsValues,
    createdBy: null,
    createdAt: at.toISOString(),
  });
  const unique = columns
    .filter((column) => column.unique)
    .map((column) => {
      const key = { column: toColumnSchema(column), dir: 'asc' } as const;
      const limits = !fitsAlways({ kind: 'filter', keys: [key] });
      return index(column.id, uniqueIndexName(tableSchema, key.column), column.key, column.createdAt, limits);
    });
  return [index(id, primaryKeyName(tableSchema), 'id', table.createdAt, false), ...unique];
}
