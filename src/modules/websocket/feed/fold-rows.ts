import { must, type Id } from '../../../common/index.js';
import type { Change } from './log-reader.js';

/** What one `seq` did to one row, all its changes taken together. */
export interface RowChange {
  readonly kind: 'created' | 'updated' | 'deleted';
  readonly id: Id;
  readonly version: number;
  /** All fields of a created row, the changed ones of an updated row, none of a deleted one. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly restored: boolean;
  readonly at: string;
  readonly actorId: Id | null;
}

/**
 * One entry per row that the changes leave different, in the order of the first touch. A bulk call may touch a row twice;
 * a client that applies `created`, `updated`, `deleted` one after the other must still end where the table did.
 */
export function foldRows(changes: readonly Change[]): RowChange[] {
  const rows = new Map<Id, RowChange | undefined>();
  for (const change of changes) {
    if (change.rowId === null) continue;
    rows.set(change.rowId, then(rows.get(change.rowId), change, change.rowId));
  }
  return [...rows.values()].filter((row) => row !== undefined);
}

/** `undefined` stands for a row that others have never seen: not touched yet, or created and deleted at once. */
function then(before: RowChange | undefined, change: Change, id: Id): RowChange | undefined {
  const fields = change.after ?? {};
  const now = {
    id,
    version: must(change.version, 'a change of a row has a version'),
    at: change.at,
    actorId: change.actor.id,
    restored: false,
  };
  switch (change.op) {
    case 'create':
      return { ...now, kind: 'created', fields };
    case 'restore':
      return { ...now, kind: 'created', fields, restored: true };
    case 'update':
      return before?.kind === 'created'
        ? { ...before, ...now, kind: 'created', restored: before.restored, fields: { ...before.fields, ...fields } }
        : { ...now, kind: 'updated', fields: { ...before?.fields, ...fields } };
    case 'delete':
      return before?.kind === 'created' && !before.restored ? undefined : { ...now, kind: 'deleted', fields: {} };
    case 'schema':
      return before;
  }
}
