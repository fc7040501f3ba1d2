import { linkColumnsOf, wholeOf, type RowBefore, type TableSchema } from '../../../query/index.js';
import type { SeenRow } from '../../../engines/index.js';
import type { Change } from './log-reader.js';

/** Looks what somebody sees of rows, and saw of them before. */
export type LookAtRows = (table: TableSchema, rows: readonly RowBefore[]) => Promise<ReadonlyMap<string, SeenRow>>;

/**
 * Changes as somebody is told them who sees part of the table: as changes of what he sees. A row that comes into sight is there whole, one that goes
 * out of sight is gone; rows that he neither saw nor sees are not named, and a number that touched nothing else tells nothing but that it was taken.
 *
 * Rows are told as they are now, with the last of their changes; whoever follows ends where the table is.
 */
export async function seenChanges(
  table: TableSchema,
  changes: readonly Change[],
  look: LookAtRows,
): Promise<readonly Change[]> {
  const befores = new Map<string, Record<string, unknown>>();
  const last = new Map<string, Change>();
  const first = new Map<string, Change>();
  const touched = new Map<string, Set<string>>();
  for (const change of changes) {
    if (change.rowId === null || change.withheld) continue;
    last.set(change.rowId, change);
    if (!first.has(change.rowId)) first.set(change.rowId, change);
    const keys = touched.get(change.rowId) ?? new Set();
    for (const key of Object.keys(change.after ?? {})) keys.add(key);
    touched.set(change.rowId, keys);
    // What was first is what was before.
    befores.set(change.rowId, { ...change.before, ...befores.get(change.rowId) });
  }
  const rows = await look(
    table,
    [...befores].map(([id, before]) => ({ id, before })),
  );
  const told = new Map<number, Change[]>();
  for (const change of changes) {
    const own = told.get(change.seq) ?? [];
    told.set(change.seq, own);
    const { rowId } = change;
    if (change.op === 'schema') own.push({ ...change, after: null });
    // Too much to tell anybody: that something was changed, and not what.
    else if (change.withheld) own.push({ ...nothing(change), withheld: 'rows' });
    else if (rowId !== null && last.get(rowId) === change) {
      const isNew = isBirth(first.get(rowId));
      own.push(...asSeen(change, rows.get(rowId), isNew, fieldsOf(table, touched.get(rowId))));
    }
  }
  return changes.flatMap((change, i) => {
    if (changes[i - 1]?.seq === change.seq) return [];
    const own = told.get(change.seq) ?? [];
    return own.length > 0 ? own : [nothing(change)];
  });
}

const isBirth = (change: Change | undefined): boolean => change?.op === 'create' || change?.op === 'restore';

/** Which of the fields that are seen these changes may have changed: with links what is computed from them, so all. */
function fieldsOf(table: TableSchema, touched: ReadonlySet<string> = new Set()): (key: string) => boolean {
  const hasLinks = linkColumnsOf(wholeOf(table)).some(({ key }) => touched.has(key));
  return (key) => hasLinks || touched.has(key);
}

function asSeen(
  change: Change,
  row: SeenRow | undefined,
  isNew: boolean,
  isTouched: (key: string) => boolean,
): readonly Change[] {
  const sawIt = !isNew && row?.was === true;
  if (row?.fields === undefined) return sawIt ? [{ ...change, op: 'delete', before: null, after: null }] : [];
  const now = { ...change, version: row.version, before: null };
  const { fields } = row;
  if (!sawIt || change.op !== 'update')
    return [{ ...now, op: change.op === 'create' ? 'create' : 'restore', after: fields }];
  const after = Object.fromEntries(Object.entries(fields).filter(([key]) => isTouched(key)));
  return [{ ...now, op: 'update', after }];
}

/** A number that told nothing. Who took it is no business of whoever does not see what for. */
const nothing = (change: Change): Change => ({
  ...change,
  op: 'update',
  rowId: null,
  version: null,
  before: null,
  after: null,
  actor: { id: null, name: '' },
});
