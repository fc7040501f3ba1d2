import { must, type Id } from '../../../common/index.js';
import type { Change } from '../../../engines/index.js';
import type { RowImage, ViewInMemory } from '../../../query/index.js';
import { MAX_EVENT_BYTES, sizeOf, type LiveEvent } from '../feed/index.js';
import type { ViewCause, ViewDataUpdateEvent, ViewInvalidatedEvent, ViewRow } from '../messages/index.js';
import type { BeforeAndAfter } from './row-images.js';

const NOBODY = { id: null, name: '' };

type View = Pick<ViewInMemory, 'has' | 'fieldsOf' | 'placeOf'>;

/**
 * What one number of the table did to what a view shows: rows that came into it and rows that left it, and of those that stayed the shown fields that changed. The
 * numbers are those of the table, so that none is missing; most of them say nothing of a view that shows little.
 * @param shown what is shown, and whether that is to somebody who sees part of the table: who did what he does not see is no business of his
 * @param imageOf of each change; undefined where it is none of the view's business
 */
export function viewEvent(
  channel: string,
  epoch: string,
  { view, isPart }: { readonly view: View; readonly isPart: boolean },
  changes: readonly Change[],
  imageOf: (change: Change) => BeforeAndAfter | undefined,
): LiveEvent {
  const first = must(changes[0], 'a seq has at least one change');
  const { seq, schemaVersion, at, changeSet, source } = first;
  const moved = movements(view, changes, imageOf);
  const isSeen = !isPart || Object.values(moved).some((list) => list.length > 0);
  const actor = isSeen ? first.actor : NOBODY;
  const payload = {
    ...{ channel, epoch, seq, prev: seq - 1, schemaVersion, at, actor, changeSet, source },
    ...moved,
  } satisfies ViewDataUpdateEvent;
  const bytes = sizeOf(payload);
  if (bytes > MAX_EVENT_BYTES) return viewInvalidated(channel, epoch, seq - 1, seq, at, { kind: 'size' });
  return { name: 'data:update', payload, bytes };
}

/** Read again. */
export function viewInvalidated(
  channel: string,
  epoch: string,
  prev: number,
  seq: number,
  at: string,
  cause: ViewCause,
): LiveEvent {
  const payload: ViewInvalidatedEvent = { channel, epoch, seq, prev, at, invalidated: true, cause };
  return { name: 'data:update', payload, bytes: sizeOf(payload) };
}

type Movements = Pick<ViewDataUpdateEvent, 'created' | 'entered' | 'updated' | 'deleted' | 'left' | 'moved'>;

function movements(
  view: View,
  changes: readonly Change[],
  imageOf: (change: Change) => BeforeAndAfter | undefined,
): Movements {
  const created: ViewRow[] = [];
  const entered: ViewRow[] = [];
  const updated: ViewRow[] = [];
  const deleted: { readonly id: Id; readonly version: number }[] = [];
  const left: Id[] = [];
  const moved: Id[] = [];
  for (const { id, version, isNew, before, after } of rowsOf(changes, imageOf)) {
    const was = before !== undefined && view.has(before) ? before : undefined;
    const is = after !== undefined && view.has(after) ? after : undefined;
    if (is && !was) (isNew ? created : entered).push({ id, version, fields: view.fieldsOf(is) });
    else if (was && !after) deleted.push({ id, version });
    else if (was && !is) left.push(id);
    else if (was && is) {
      const fields = difference(view.fieldsOf(was), view.fieldsOf(is));
      if (Object.keys(fields).length > 0) updated.push({ id, version, fields });
      if (view.placeOf(was) !== view.placeOf(is)) moved.push(id);
    }
  }
  return { created, entered, updated, deleted, left, moved };
}

interface RowChange {
  readonly id: Id;
  readonly version: number;
  /** Made by this, not one that was there before and is back. */
  readonly isNew: boolean;
  readonly before: RowImage | undefined;
  readonly after: RowImage | undefined;
}

/** A bulk call may touch a row twice: what it found at first, and what it left at last. */
function rowsOf(
  changes: readonly Change[],
  imageOf: (change: Change) => BeforeAndAfter | undefined,
): Iterable<RowChange> {
  const rows = new Map<Id, RowChange>();
  for (const change of changes) {
    const image = imageOf(change);
    if (change.rowId === null || !image) continue;
    const known = rows.get(change.rowId);
    rows.set(change.rowId, {
      id: change.rowId,
      version: must(change.version, 'a change of a row has a version'),
      isNew: known ? known.isNew : change.op === 'create',
      before: known ? known.before : image.before,
      after: image.after,
    });
  }
  return rows.values();
}

const difference = (
  was: Readonly<Record<string, unknown>>,
  is: Readonly<Record<string, unknown>>,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(is).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(was[key])));
