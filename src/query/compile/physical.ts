import { isDynamicDefault, kindOf } from '../kind.js';
import type { ColumnSchema, Scalar } from '../schema.js';
import { columnType } from '../types/index.js';
import { comma, empty, join, literal, sql, type Sql } from '../sql.js';

/** PostgreSQL's type of a stored column, without collation. */
function bareType(column: ColumnSchema): Sql {
  const one = columnType(column.type).physical(column.options);
  return kindOf(column).list ? sql`${one}[]` : one;
}

/** PostgreSQL's type of a stored column. */
export function physicalType(column: ColumnSchema): Sql {
  const { collation } = columnType(column.type);
  return collation ? sql`${bareType(column)} ${collation}` : bareType(column);
}

/** The default that PostgreSQL itself holds; a word such as `now` is for the rows that people make, not for those that are there. */
export function physicalDefault(column: ColumnSchema): Sql {
  const { default: initial } = column;
  if (initial === null || isDynamicDefault(column)) return empty;
  const constant = (value: Scalar): Sql => literal(String(value));
  if (!Array.isArray(initial)) return sql` default ${constant(initial as Scalar)}`;
  const elements = join((initial as readonly Scalar[]).map(constant), comma);
  return sql` default array[${elements}]::${bareType(column)}`;
}
