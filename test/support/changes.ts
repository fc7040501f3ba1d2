import type { PostgresSettings } from '../../src/config/index.js';
import { sql } from '../harness/index.js';

interface TableLike {
  readonly id: string;
  readonly physical: { readonly schema: string; readonly table: string };
  readonly columns: readonly { readonly key: string }[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What a replay needs of an entry of the change log. */
export interface LoggedChange {
  readonly seq: number;
  readonly op: 'create' | 'update' | 'delete' | 'restore' | 'schema';
  readonly rowId: string | null;
  readonly version: number | null;
  readonly before: Fields | null;
  readonly after: Fields | null;
}

export interface RowState {
  readonly version: number;
  readonly fields: Fields;
}
export type Rows = ReadonlyMap<string, RowState>;

/** The change log of a table as it lies in the mini-DB, past everything of ours. */
export function loggedChanges(mini: PostgresSettings, { id, physical }: TableLike): Promise<LoggedChange[]> {
  return sql<LoggedChange>(
    mini,
    `select seq::int, op, row_id as "rowId", version, before, after from "${physical.schema}"._change where table_id = $1 order by seq, ord`,
    [id],
  );
}

/** The live rows as they lie in the table, past everything of ours: what PostgreSQL itself says, as JSON. */
export async function storedRows(mini: PostgresSettings, { physical, columns }: TableLike): Promise<Rows> {
  const found = await sql<{ row: Record<string, unknown> & { _id: string; _version: number } }>(
    mini,
    `select to_jsonb(t) as row from "${physical.schema}"."${physical.table}" t where _deleted_at is null`,
  );
  return new Map(
    found.map(({ row }) => [
      row._id,
      { version: row._version, fields: Object.fromEntries(columns.map(({ key }) => [key, row[key]])) },
    ]),
  );
}

/**
 * Makes the table anew from its log, and holds the log to its own promises on the way: numbers without a hole, versions
 * without a hole, `before` is what was there. `onSeq` sees the rows as they were after each number.
 */
export function replay(
  changes: readonly LoggedChange[],
  onSeq: (seq: number, rows: Rows) => void = () => undefined,
): Rows {
  const rows = new Map<string, RowState>();
  const gone = new Map<string, RowState>();
  const hidden: Hidden = new Map();
  let seq = 0;
  for (const change of changes) {
    if (change.seq !== seq) {
      if (seq > 0) onSeq(seq, rows);
      if (change.seq !== seq + 1) throw new Error(`number ${change.seq} follows ${seq}`);
      seq = change.seq;
    }
    if (change.op === 'schema') applyStructure(rows, hidden, (change.after ?? {}) as StructureChange);
    else applyRow(rows, gone, change);
  }
  if (seq > 0) onSeq(seq, rows);
  return rows;
}

function applyRow(
  rows: Map<string, RowState>,
  gone: Map<string, RowState>,
  { op, rowId, version, before, after, seq }: LoggedChange,
): void {
  if (rowId === null || version === null) throw new Error(`${op} at ${seq} names no row`);
  const row = rows.get(rowId);
  const previous = op === 'restore' ? gone.get(rowId) : row;
  const isNew = op === 'create' || op === 'restore';
  if (isNew === (row !== undefined) || (op !== 'create' && !previous) || version !== (previous?.version ?? 0) + 1)
    throw new Error(`${op} at ${seq} makes version ${version} of ${JSON.stringify(previous)}`);
  for (const [key, was] of Object.entries(before ?? {}))
    if (JSON.stringify(row?.fields[key]) !== JSON.stringify(was))
      throw new Error(`${op} at ${seq}: ${key} was ${JSON.stringify(row?.fields[key])}, not ${JSON.stringify(was)}`);
  if (op === 'delete') {
    rows.delete(rowId);
    gone.set(rowId, { version, fields: row?.fields ?? {} });
  } else rows.set(rowId, { version, fields: { ...row?.fields, ...after } });
}

type StructureChange = Readonly<Record<string, { id: string; key: string; default: unknown } | undefined>>;

/** Values of deleted columns, by column and row. */
type Hidden = Map<string, ReadonlyMap<string, unknown>>;

/** A new column gives every row its default; a deleted one is gone from all; a restored one has what it had, null in rows made since. */
function applyStructure(rows: Map<string, RowState>, hidden: Hidden, change: StructureChange): void {
  const { 'column.created': created, 'column.deleted': deleted, 'column.restored': restored } = change;
  if (!created && !deleted && !restored) return;
  if (deleted) hidden.set(deleted.id, new Map([...rows].map(([id, { fields }]) => [id, fields[deleted.key]])));
  for (const [id, { version, fields }] of rows) {
    const next: Record<string, unknown> = { ...fields };
    if (created) next[created.key] = created.default;
    if (deleted) Reflect.deleteProperty(next, deleted.key);
    if (restored) next[restored.key] = hidden.get(restored.id)?.get(id) ?? null;
    rows.set(id, { version, fields: next });
  }
}
