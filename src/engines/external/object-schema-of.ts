import type { Id } from '../../common/index.js';
import type { ObjectColumn, ObjectSchema } from '../../query/index.js';
import type { FoundObject } from './external-engine.js';

/** A found object as the query core takes it. */
export function objectSchemaOf(connectionId: Id, found: FoundObject): ObjectSchema {
  const columns = found.columns.map(({ key, type, options, form, nullable }): ObjectColumn => ({
    id: key,
    key,
    name: key,
    type,
    options,
    required: !nullable,
    unique: false,
    default: null,
    physical: key,
    form,
    alias: found.name,
  }));
  const key = found.primaryKey.length > 0 ? found.primaryKey : (found.uniqueKeys[0] ?? []);
  return {
    id: `${connectionId}/${found.schema}.${found.name}`,
    schemaVersion: 0,
    physical: { schema: found.schema, table: found.name },
    kind: found.kind,
    columns,
    key: key.flatMap((name) => columns.find((column) => column.key === name) ?? []),
    estimatedRows: found.estimatedRows,
  };
}
