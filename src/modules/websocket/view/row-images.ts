import type { Id } from '../../../common/index.js';
import type { Change, HeldRow } from '../../../engines/index.js';
import { isListChange, withListChange, type RowImage } from '../../../query/index.js';

/** What a change found, and what it left; undefined where the row was not there, or is gone. */
export interface BeforeAndAfter {
  readonly before: RowImage | undefined;
  readonly after: RowImage | undefined;
}

/**
 * What each change of one row found and left. The log has of an update no more than what changed, so the row as it is now is taken back, change by
 * change. Pure.
 * @param changes all of the row behind some number, in order; those that came after the row was read are left out
 * @param now undefined where the row is not there
 */
export function rowImages(
  id: Id,
  changes: readonly Change[],
  now: HeldRow | undefined,
): ReadonlyMap<Change, BeforeAndAfter> {
  const images = new Map<Change, BeforeAndAfter>();
  let known = false;
  let after: RowImage | undefined;
  for (const change of changes.toReversed()) {
    if (!known) {
      known = now ? (change.version ?? 0) <= now.version : change.op === 'delete';
      if (!known) continue;
      after = now && { id, fields: now.fields };
    }
    const before = found(id, change, after);
    images.set(change, { before, after });
    after = before;
  }
  return images;
}

function found(id: Id, { op, before }: Change, after: RowImage | undefined): RowImage | undefined {
  switch (op) {
    case 'create':
    case 'restore':
      return undefined;
    case 'delete':
      return { id, fields: before ?? {} };
    case 'update': {
      const fields = { ...after?.fields };
      for (const [key, had] of Object.entries(before ?? {}))
        fields[key] = isListChange(had) ? withListChange(fields[key], had) : had;
      return { id, fields };
    }
    case 'schema':
      return after;
  }
}
