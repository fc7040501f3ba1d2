import type { ColumnOptions } from '../../../query/index.js';
import type { InTrashDto } from '../trash.dto.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { BaseDto } from '../bases/base.dto.js';
import type { ColumnDto } from '../columns/column.dto.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { toldDefault } from '../columns/told-default.js';
import type { TableDto } from './table.dto.js';
import type { TableEntity } from './table.entity.js';

export const toBaseDto = (base: BaseEntity, inTrash: InTrashDto = {}): BaseDto => ({
  id: base.id,
  workspaceId: base.workspaceId,
  name: base.name,
  description: base.description,
  color: base.color,
  icon: base.icon,
  position: base.position,
  physical: { schema: base.schemaName },
  createdAt: base.createdAt.toISOString(),
  updatedAt: base.updatedAt.toISOString(),
  ...inTrash,
});

export const toTableDto = (
  table: TableEntity,
  columns: readonly ColumnEntity[],
  schema: string,
  inTrash: InTrashDto = {},
): TableDto => ({
  id: table.id,
  baseId: table.baseId,
  workspaceId: table.workspaceId,
  key: table.key,
  name: table.name,
  description: table.description,
  color: table.color,
  icon: table.icon,
  position: table.position,
  schemaVersion: table.schemaVersion,
  columns: columns.map((column, position) => toColumnDto(column, position)),
  physical: { schema, table: table.physicalName },
  createdAt: table.createdAt.toISOString(),
  updatedAt: table.updatedAt.toISOString(),
  ...inTrash,
});

/** Which columns the keys in a formula mean is for ourselves. */
const shownOptions = ({ formula, ...options }: ColumnOptions): ColumnOptions =>
  formula === undefined ? options : { formula };

/** `position` counts the columns that are there; the stored one may have holes. */
export const toColumnDto = (column: ColumnEntity, position: number, inTrash: InTrashDto = {}): ColumnDto => ({
  id: column.id,
  key: column.key,
  name: column.name,
  description: column.description,
  type: column.type,
  required: column.required,
  unique: column.unique,
  default: toldDefault(column),
  options: shownOptions(column.options),
  position,
  ...inTrash,
});
