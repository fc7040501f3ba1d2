import type { Id } from '../../src/common/index.js';
import type { Change, ChangeLog } from '../../src/engines/index.js';
import type { TableSchema } from '../../src/query/index.js';
import { sql as query } from '../harness/index.js';
import type { PostgresSettings } from '../../src/config/index.js';

export interface RowState {
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
}
export type Rows = ReadonlyMap<Id, RowState>;

/** The whole change log of a table, read in portions as its followers do. */
export async function readLog(log: ChangeLog, { physical, id }: TableSchema): Promise<Change[]> {
  const changes: Change[] = [];
  for (let after = 0; ;) {
    const portion = await log.read(physical.schema, id, after, 500);
    const last = portion.at(-1);
    if (!last) return changes;
    changes.push(...portion);
    after = last.seq;
  }
}

/**
 * Makes the table anew from its log, and holds the log to its own promises on the way: numbers without a hole, versions
 * without a hole, `before` is what was there.
 */
export function replay(changes: readonly Change[], onSeq: (seq: number, rows: Rows) => void = () => undefined): Rows {
  const rows = new Map<Id, RowState>();
  let seq = 0;
  for (const change of changes) {
    if (change.seq !== seq) {
      if (seq > 0) onSeq(seq, rows);
      if (change.seq !== seq + 1) throw new Error(`number ${change.seq} follows ${seq}`);
      seq = change.seq;
    }
    apply(rows, change);
  }
  if (seq > 0) onSeq(seq, rows);
  return rows;
}

function apply(rows: Map<Id, RowState>, { op, rowId, version, before, after, seq }: Change): void {
  if (op === 'schema' || rowId === null || version === null) return;
  const row = rows.get(rowId);
  const expected = op === 'create' ? 1 : (row?.version ?? 0) + 1;
  if ((op === 'create') !== (row === undefined) || version !== expected)
    throw new Error(`${op} at ${seq} makes version ${version} of ${JSON.stringify(row)}`);
  for (const [key, was] of Object.entries(before ?? {}))
    if (JSON.stringify(row?.fields[key] ?? null) !== JSON.stringify(was))
      throw new Error(`${op} at ${seq}: ${key} was ${JSON.stringify(row?.fields[key])}, not ${JSON.stringify(was)}`);
  if (op === 'delete') rows.delete(rowId);
  else rows.set(rowId, { version, fields: { ...row?.fields, ...after } });
}

/** The live rows as they lie in the table, past everything of ours: what PostgreSQL itself says, as JSON. */
export async function tableRows(mini: PostgresSettings, { physical, columns }: TableSchema): Promise<Rows> {
  const found = await query<{ row: Record<string, unknown> & { _id: Id; _version: number } }>(
    mini,
    `select to_jsonb(t) as row from "${physical.schema}"."${physical.table}" t where _deleted_at is null`,
  );
  return new Map(
    found.map(({ row }) => [
      row._id,
      {
        version: row._version,
        fields: Object.fromEntries(columns.map((column) => [column.key, row[column.physical]])),
      },
    ]),
  );
}
