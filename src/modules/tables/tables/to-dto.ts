import type { BaseEntity } from '../bases/base.entity.js';
import type { BaseDto } from '../bases/base.dto.js';
import type { ColumnDto } from '../columns/column.dto.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { TableDto } from './table.dto.js';
import type { TableEntity } from './table.entity.js';

export const toBaseDto = (base: BaseEntity): BaseDto => ({
  id: base.id,
  workspaceId: base.workspaceId,
  name: base.name,
  description: base.description,
  physical: { schema: base.schemaName },
  createdAt: base.createdAt.toISOString(),
  updatedAt: base.updatedAt.toISOString(),
});

export const toTableDto = (table: TableEntity, columns: readonly ColumnEntity[], schema: string): TableDto => ({
  id: table.id,
  baseId: table.baseId,
  workspaceId: table.workspaceId,
  key: table.key,
  name: table.name,
  description: table.description,
  schemaVersion: table.schemaVersion,
  columns: columns.map(toColumnDto),
  physical: { schema, table: table.physicalName },
  createdAt: table.createdAt.toISOString(),
  updatedAt: table.updatedAt.toISOString(),
});

/** `position` counts the columns that are there; the stored one may have holes. */
export const toColumnDto = (column: ColumnEntity, position: number): ColumnDto => ({
  id: column.id,
  key: column.key,
  name: column.name,
  type: column.type,
  required: column.required,
  unique: column.unique,
  default: column.default,
  options: column.options,
  position,
});
