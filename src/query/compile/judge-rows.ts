import type { Id } from '../../common/index.js';
import type { RowFilter, TableSchema } from '../schema.js';
import { comma, join, sql, value, type Sql } from '../sql.js';
import { tableName } from './read.js';

/** Which of the conditions hold for these rows: rows `id, verdicts`, a letter for each condition, `t` or `f`. Of rows outside the trash. */
export function judgeRows(table: TableSchema, ids: readonly Id[], conditions: readonly RowFilter[]): Sql {
  const verdicts = conditions.map(({ under }) => sql`case when ${under('t')} then 't' else 'f' end`);
  return sql`select t._id, concat(${join([sql`''`, ...verdicts], comma)}) from ${tableName(table)} t
where t._id = any(${value([...ids], 'uuid[]')}) and t._deleted_at is null`;
}
