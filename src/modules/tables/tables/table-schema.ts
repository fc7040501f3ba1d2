import type { ColumnSchema, TableSchema } from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { TableEntity } from './table.entity.js';

/** Metadata as the query core wants it. */
export const toTableSchema = (schema: string, table: TableEntity, columns: readonly ColumnEntity[]): TableSchema => ({
  id: table.id,
  schemaVersion: table.schemaVersion,
  physical: { schema, table: table.physicalName },
  columns: columns.map(toColumnSchema),
});

export const toColumnSchema = (column: ColumnEntity): ColumnSchema => ({
  id: column.id,
  key: column.key,
  name: column.name,
  type: column.type,
  options: column.options,
  required: column.required,
  unique: column.unique,
  default: column.default,
  physical: column.physicalName,
});
