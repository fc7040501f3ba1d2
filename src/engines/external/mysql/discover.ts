import { integer, sql, value, type ObjectKind, type Sql } from '../../../query/index.js';
import type { ExternalLimits, FoundColumn, FoundObject, FoundReference } from '../external-engine.js';
import { nativeForm } from './forms.js';
import type { Cell } from '../sql/sql-engine.js';
import type { MysqlSession } from './session.js';

/** Schemas of the server itself. */
const SYSTEM = sql`('information_schema', 'mysql', 'performance_schema', 'sys', 'ndbinfo')`;
/** Sequences are tables to MariaDB, and nothing to look at. */
const tablesUpTo = (most: number): Sql => sql`
  select table_schema, table_name, table_type, table_rows from information_schema.tables
  where lower(table_schema) not in ${SYSTEM} and table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
  order by table_schema, table_name limit ${integer(most)}`;

interface Parts {
  readonly columns: Sql;
  readonly keys: Sql;
  readonly references: Sql;
}

/** Of the tables up to the last one that is looked at, in the order of the server. */
function partsUpTo(schema: string, name: string): Parts {
  const [last, lastName] = [value(schema, 'text'), value(name, 'text')];
  const lookedAt = sql`lower(table_schema) not in ${SYSTEM} and (table_schema < ${last} or (table_schema = ${last} and table_name <= ${lastName}))`;
  return {
    columns: sql`
  select table_schema, table_name, column_name, data_type, column_type, is_nullable, numeric_precision, numeric_scale
  from information_schema.columns where ${lookedAt} order by table_schema, table_name, ordinal_position`,
    keys: sql`
  select table_schema, table_name, index_name, column_name, nullable
  from information_schema.statistics where non_unique = 0 and ${lookedAt} order by table_schema, table_name, index_name, seq_in_index`,
    references: sql`
  select table_schema, table_name, constraint_name, column_name, referenced_table_schema, referenced_table_name, referenced_column_name
  from information_schema.key_column_usage where referenced_table_name is not null and ${lookedAt}
  order by table_schema, table_name, constraint_name, ordinal_position`,
  };
}

/** Of MariaDB only, where JSON is a text with such a check of the column's name; told in the quotes of the session. */
const JSON_CHECKS = sql`
  select constraint_schema, table_name, constraint_name from information_schema.check_constraints
  where check_clause = concat('json_valid("', replace(constraint_name, '"', '""'), '")')`;

/** More than any server has columns, keys or references in so many tables; that there is a bound is what matters. */
const PARTS_PER_TABLE = 4_096;

/** A row of the catalogue as texts; null is an empty text, which no name is. */
type Row = readonly string[];
const textOf = (cell: Cell): string => (Buffer.isBuffer(cell) ? cell.toString('utf8') : String(cell ?? ''));
const at = (row: Row, i: number): string => row[i] ?? '';
const placeOf = (row: Row): string => JSON.stringify([at(row, 0), at(row, 1)]);

/** Every table and view that the user may see, but those of the server itself. */
export async function discover(
  session: MysqlSession,
  { maxObjects }: ExternalLimits,
  signal?: AbortSignal,
): Promise<readonly FoundObject[]> {
  const ask = async (statement: Sql, most: number): Promise<readonly Row[]> =>
    (await session.run(statement, most, signal)).map((row) => row.map(textOf));
  const tables = await ask(tablesUpTo(maxObjects), maxObjects);
  const last = tables.at(-1);
  if (!last) return [];
  const parts = partsUpTo(at(last, 0), at(last, 1));
  const most = maxObjects * PARTS_PER_TABLE;
  const columns = byTable(await ask(parts.columns, most));
  const keys = byTable(await ask(parts.keys, most));
  const references = byTable(await ask(parts.references, most));
  const checks = session.flavour.family === 'MariaDB' ? await ask(JSON_CHECKS, most) : [];
  const json = new Set(checks.map((row) => JSON.stringify(row)));
  return tables.map((table) => {
    const place = placeOf(table);
    return {
      schema: at(table, 0),
      name: at(table, 1),
      kind: kindOf(at(table, 2)),
      columns: (columns.get(place) ?? []).map((row) => foundColumn(row, json)),
      ...foundKeys(keys.get(place) ?? []),
      foreignKeys: foundReferences(references.get(place) ?? []),
      estimatedRows: /^\d+$/.test(at(table, 3)) ? Number(at(table, 3)) : null,
    };
  });
}

const kindOf = (tableType: string): ObjectKind => (tableType === 'VIEW' ? 'view' : 'table');

function groupedBy(rows: readonly Row[], key: (row: Row) => string): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}

const byTable = (rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> => groupedBy(rows, placeOf);

function foundColumn(row: Row, json: ReadonlySet<string>): FoundColumn {
  const [schema, table, key, dataType, columnType] = [at(row, 0), at(row, 1), at(row, 2), at(row, 3), at(row, 4)];
  const form = nativeForm({
    dataType: dataType.toLowerCase(),
    columnType: columnType.toLowerCase(),
    precision: Number(at(row, 6)),
    scale: Number(at(row, 7)),
    isJson: json.has(JSON.stringify([schema, table, key])),
  });
  return { key, nativeType: columnType, ...form, nullable: at(row, 5) === 'YES' };
}

/** Keys of which all columns are never null; an index over an expression has parts without a column. */
function foundKeys(rows: readonly Row[]): Pick<FoundObject, 'primaryKey' | 'uniqueKeys'> {
  const all = [...groupedBy(rows, (row) => at(row, 2))].filter(([, parts]) =>
    parts.every((part) => at(part, 3) !== '' && at(part, 4) !== 'YES'),
  );
  const columnsOf = (parts: readonly Row[]) => parts.map((part) => at(part, 3));
  return {
    primaryKey: all.filter(([name]) => name === 'PRIMARY').flatMap(([, parts]) => columnsOf(parts)),
    uniqueKeys: all.filter(([name]) => name !== 'PRIMARY').map(([, parts]) => columnsOf(parts)),
  };
}

const foundReferences = (rows: readonly Row[]): readonly FoundReference[] =>
  [...groupedBy(rows, (row) => at(row, 2)).values()].map((parts) => ({
    columns: parts.map((part) => at(part, 3)),
    schema: at(parts[0] ?? [], 4),
    name: at(parts[0] ?? [], 5),
    references: parts.map((part) => at(part, 6)),
  }));
