import type { Id } from '../../../common/index.js';
import type { DumpRecord } from '../../../database/backup/index.js';
import type { AuditedManager } from '../../../database/main/index.js';

/**
 * What the main database holds of a base and nobody else's, and by what it is known; each behind those that it refers to. What else hangs on a base stays as it
 * is (imports, counters), as far as its tables are there, or is put back by whoever keeps it (views).
 */
export const RECORDS_OF_BASE = {
  bases: 'id',
  tables: 'base_id',
  columns: 'table_id',
  table_rules: 'base_id',
  table_indexes: 'base_id',
  column_conversions: 'base_id',
} as const;

export type TableOfBase = keyof typeof RECORDS_OF_BASE;
export const TABLES = Object.keys(RECORDS_OF_BASE) as readonly TableOfBase[];

export type RecordsOfBase = Readonly<Record<TableOfBase, readonly DumpRecord[]>>;

/** A base as a backup has it; part of a pending operation, so that whoever finds that can complete it. */
export interface RestoredBase {
  readonly baseId: Id;
  readonly records: RecordsOfBase;
}

/** Puts the records of a base into the place of those that are there. */
export async function writeRestored(manager: AuditedManager, { baseId, records }: RestoredBase): Promise<void> {
  const kept = records.tables.map(({ id }) => id);
  // Names that come back may be somebody else's by now: all step aside, and the next statements say who has which.
  await manager.query(
    'update tables set physical_name = id::text, deleted_at = coalesce(deleted_at, now()) where base_id = $1',
    [baseId],
  );
  await manager.query('delete from tables where base_id = $1 and id <> all($2::uuid[])', [baseId, kept]);
  await manager.query('delete from columns where table_id in (select id from tables where base_id = $1)', [baseId]);
  for (const table of ['table_rules', 'table_indexes', 'column_conversions'] as const)
    await manager.query(`delete from ${table} where base_id = $1`, [baseId]);
  for (const table of TABLES) await upsert(manager, table, records[table]);
  // A request for a structure change that is gone again is no repetition when it comes once more.
  await manager.query("update schema_ops set operation_key = null where base_id = $1 and state = 'done'", [baseId]);
}

/** Each text becomes a value as its column reads it; PostgreSQL writes the names and types into the statement itself. */
async function upsert(manager: AuditedManager, table: TableOfBase, rows: readonly DumpRecord[]): Promise<void> {
  if (rows.length === 0) return;
  const [parts] = await manager.query<{ names: string; values: string; changes: string }[]>(
    `select string_agg(quote_ident(attname), ', ' order by attnum) as names,
            string_agg(format('(r->>%L)::%s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum) as values,
            string_agg(format('%1$I = excluded.%1$I', attname), ', ' order by attnum) as changes
       from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  );
  if (!parts) return;
  await manager.query(
    `insert into ${table} (${parts.names}) select ${parts.values} from jsonb_array_elements($1::jsonb) r
     on conflict (${table === 'table_rules' ? 'table_id' : 'id'}) do update set ${parts.changes}`,
    [JSON.stringify(rows)],
  );
}
