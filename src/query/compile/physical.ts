import { isDynamicDefault, kindOf } from '../kind.js';
import type { ColumnSchema, Scalar } from '../schema.js';
import { columnType } from '../types/index.js';
import { comma, join, literal, sql, type Sql } from '../sql.js';

/** PostgreSQL's type of a stored column, without collation. */
type Typed = Parameters<typeof kindOf>[0];

export function bareType(column: Typed): Sql {
  const one = columnType(column.type).physical(column.options);
  return kindOf(column).list ? sql`${one}[]` : one;
}

/** PostgreSQL's type of a stored column. */
export function physicalType(column: Typed): Sql {
  const { collation } = columnType(column.type);
  return collation ? sql`${bareType(column)} ${collation}` : bareType(column);
}

/**
 * The default as PostgreSQL keeps it, for the rows that are there when a column is added, and for operators; rows of ours always
 * name every column. A word such as `now` is for rows that people make.
 */
export function defaultValue(column: ColumnSchema): Sql | undefined {
  const { default: initial } = column;
  if (initial === null || isDynamicDefault(column)) return undefined;
  const constant = (value: Scalar): Sql => literal(String(value));
  if (!Array.isArray(initial)) return constant(initial as Scalar);
  const elements = join((initial as readonly Scalar[]).map(constant), comma);
  return sql`array[${elements}]::${bareType(column)}`;
}
