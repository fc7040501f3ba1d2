import { must } from '../../src/common/index.js';
import type { PostgresSettings } from '../../src/config/index.js';
import { sql } from '../harness/index.js';

/** Another value of a column, by its type; for columns of the logs, where they can be changed at all. */
const ANOTHER: Readonly<Record<string, (column: string) => string>> = {
  uuid: () => 'gen_random_uuid()',
  bigint: (column) => `coalesce(${column}, 0) + 1000`,
  integer: (column) => `coalesce(${column}, 0) + 1000`,
  text: (column) => `coalesce(${column}, '') || 'x'`,
  bytea: (column) => `sha256(coalesce(${column}, ''))`,
  json: () => `'{"forged":1}'`,
  jsonb: () => `'{"forged":1}'`,
  'timestamp with time zone': (column) => `${column} + interval '1 millisecond'`,
};

/** For each column of a table, except some, an assignment of another value. */
export async function forgeries(
  database: PostgresSettings,
  [schema, table]: readonly [string, string],
  except: readonly string[] = [],
): Promise<readonly string[]> {
  const columns = await sql<{ name: string; type: string }>(
    database,
    'select column_name as name, data_type as type from information_schema.columns where table_schema = $1 and table_name = $2',
    [schema, table],
  );
  return columns
    .filter(({ name }) => !except.includes(name))
    .map(({ name, type }) => `"${name}" = ${must(ANOTHER[type], type)(`"${name}"`)}`);
}
