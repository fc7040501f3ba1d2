import path from 'node:path';
import type { Id } from '../../../common/index.js';
import { BackupError, dumpRecords, DUMPS, type DumpRecord } from '../../../database/backup/index.js';
import { RECORDS_OF_BASE, TABLES, type RecordsOfBase, type TableOfBase } from './restored-records.js';

/** Rows of views and of their versions, as they stand in a backup. */
export interface BackedUpViews {
  readonly views: readonly DumpRecord[];
  readonly versions: readonly DumpRecord[];
}

/** What the main database held of a base at the moment of a backup. */
export interface BackedUpBase {
  readonly base: Readonly<Record<'id' | 'workspace_id' | 'name' | 'schema_name', string>>;
  readonly records: RecordsOfBase;
  /** Of the whole workspace: which of them are the base's is known to those who keep views. */
  readonly views: BackedUpViews;
  /** Structure changes that were between their steps. */
  readonly pending: readonly string[];
}

/**
 * Reads what a backup's main database held of a base.
 * @param program path of `pg_restore`
 * @throws BackupError there is no such base in it; says which there are
 */
export async function backedUpBase(program: string, folder: string, baseId: Id): Promise<BackedUpBase> {
  const file = path.join(folder, DUMPS.main);
  const found = new Map<string, DumpRecord[]>();
  const keep = (table: string, record: DumpRecord) => {
    const kept = found.get(table);
    if (kept) kept.push(record);
    else found.set(table, [record]);
  };
  const others: string[] = [];
  for await (const { table, record } of dumpRecords(program, file, ['bases', 'tables', 'schema_ops'])) {
    if (record[table === 'bases' ? 'id' : 'base_id'] === baseId) keep(table, record);
    else if (table === 'bases') others.push(`${record.id ?? ''} (${record.name ?? ''})`);
  }
  const [base] = found.get('bases') ?? [];
  if (!isBase(base))
    throw new BackupError(
      `The backup holds no base ${baseId}. It holds: ${others.length === 0 ? 'none' : others.slice(0, 100).join(', ')}.`,
    );
  const tables = new Set(found.get('tables')?.map(({ id }) => id));
  const views = new Set<string | null | undefined>();
  const versions: DumpRecord[] = [];
  const rest = [...TABLES.filter((table) => !found.has(table)), 'views', 'view_versions'];
  for await (const { table, record } of dumpRecords(program, file, rest)) {
    if (table === 'view_versions') versions.push(record);
    else if (table === 'views') {
      if (record.workspace_id !== base.workspace_id) continue;
      views.add(record.id);
      keep(table, record);
    } else if (isOf(table as TableOfBase, record, baseId, tables)) keep(table, record);
  }
  return {
    base,
    records: Object.fromEntries(TABLES.map((table) => [table, found.get(table) ?? []])) as unknown as RecordsOfBase,
    views: { views: found.get('views') ?? [], versions: versions.filter(({ view_id: id }) => views.has(id)) },
    pending: (found.get('schema_ops') ?? []).flatMap(({ id, state }) => (id && state === 'pending' ? [id] : [])),
  };
}

function isOf(table: TableOfBase, record: DumpRecord, baseId: Id, tables: ReadonlySet<string | null | undefined>) {
  const by = RECORDS_OF_BASE[table];
  return by === 'table_id' ? tables.has(record.table_id) : record[by] === baseId;
}

const isBase = (record: DumpRecord | undefined): record is DumpRecord & BackedUpBase['base'] =>
  record !== undefined && ['id', 'workspace_id', 'name', 'schema_name'].every((name) => record[name] !== null);
