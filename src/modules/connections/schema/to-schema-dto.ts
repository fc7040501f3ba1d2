import type { FoundColumn, FoundObject } from '../../../engines/index.js';
import type { FoundSchema } from './schema-store.js';
import type { ConnectionSchemaDto, FoundColumnDto, FoundObjectDto } from './schema.dto.js';

export const toSchemaDto = ({ objects, drift, discoveredAt }: FoundSchema): ConnectionSchemaDto => ({
  objects: objects.map(toObjectDto),
  discoveredAt: discoveredAt.toISOString(),
  drift,
});

function toObjectDto(object: FoundObject): FoundObjectDto {
  const { schema, name, kind, primaryKey, uniqueKeys, foreignKeys, estimatedRows } = object;
  const key = new Set(primaryKey);
  const columns = object.columns.map((column) => toColumnDto(column, key.has(column.key)));
  return { schema, name, kind, columns, primaryKey, uniqueKeys, foreignKeys, estimatedRows };
}

/** How the dialect names the form of its values concerns nobody else. */
const toColumnDto = (column: FoundColumn, primaryKey: boolean): FoundColumnDto => {
  const { key, nativeType, type, options, nullable, mixed } = column;
  return { key, nativeType, type, options, nullable, primaryKey, ...(mixed ? { mixed } : {}) };
};
