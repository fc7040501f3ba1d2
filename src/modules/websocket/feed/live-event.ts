import { must, type Id } from '../../../common/index.js';
import type { FollowLimits } from '../../../engines/index.js';
import type {
  ChangeEvent,
  CreatedRow,
  DataUpdateEvent,
  InvalidatedEvent,
  SchemaUpdateEvent,
  ViewDataUpdateEvent,
  ViewInvalidatedEvent,
  WorkspaceUpdateEvent,
} from '../messages/index.js';
import { foldRows, type RowChange } from './fold-rows.js';
import type { Change } from './log-reader.js';

/** A change that touches more rows than this is announced without its data. */
export const MAX_EVENT_ROWS = 200;
/** A payload larger than this, as JSON in UTF-8, is announced without its data. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** What both forms of a `data:update` begin with. */
type EventHead = Omit<InvalidatedEvent, 'invalidated' | 'rowIds'>;

/** Row ids, as JSON, that fit into an event together with the rest. */
const MAX_EVENT_IDS = 1_500;

/** How much of one seq is worth reading: beyond it the event would be without its data, or without its ids, anyway. */
export const FOLLOW_LIMITS: FollowLimits = { bytes: MAX_EVENT_BYTES, rows: MAX_EVENT_IDS };

/** One server event of a numbered channel: everything that one `seq` did. */
export type LiveEvent = (
  | {
      readonly name: 'data:update';
      readonly payload: DataUpdateEvent | InvalidatedEvent | ViewDataUpdateEvent | ViewInvalidatedEvent;
    }
  | { readonly name: 'schema:update'; readonly payload: SchemaUpdateEvent }
  | {
      readonly name: 'workspace:update';
      readonly payload: WorkspaceUpdateEvent;
      /** What one person is told in the place of that. */
      readonly instead?: { readonly userId: Id; readonly payload: WorkspaceUpdateEvent };
    }
) & {
  /** Size of the payload on the wire, about. */
  readonly bytes: number;
};

/** The event of one `seq`, from all its changes in order. Pure. */
export function liveEvent(channel: string, epoch: string, changes: readonly Change[]): LiveEvent {
  const first = must(changes[0], 'a seq has at least one change');
  const schema = schemaChangeOf(changes);
  if (schema) {
    const payload = { ...numbered(channel, epoch, first), ...(schema.after ? { change: schema.after } : {}) };
    const bytes = sizeOf(payload);
    if (bytes <= MAX_EVENT_BYTES) return { name: 'schema:update', payload, bytes };
    const short = numbered(channel, epoch, first);
    return { name: 'schema:update', payload: short, bytes: sizeOf(short) };
  }
  const head = headOf(channel, epoch, first);
  const rows = foldRows(changes);
  if (rows.length > MAX_EVENT_ROWS || first.withheld) return invalidated(head, rows, first.withheld);
  const payload = { ...head, ...byKind(rows) };
  const bytes = sizeOf(payload);
  return bytes > MAX_EVENT_BYTES ? invalidated(head, rows, first.withheld) : { name: 'data:update', payload, bytes };
}

/** The same whatever its size, for those who ask for all of it, with what a structure change did. */
export function wholeEvent(channel: string, epoch: string, changes: readonly Change[]): ChangeEvent {
  const first = must(changes[0], 'a seq has at least one change');
  const schema = schemaChangeOf(changes);
  if (schema) return { event: 'schema:update', ...numbered(channel, epoch, first), change: schema.after ?? {} };
  return { event: 'data:update', ...headOf(channel, epoch, first), ...byKind(foldRows(changes)) };
}

const schemaChangeOf = (changes: readonly Change[]): Change | undefined => changes.find(({ op }) => op === 'schema');

const numbered = (channel: string, epoch: string, first: Change): SchemaUpdateEvent => ({
  channel,
  epoch,
  seq: first.seq,
  prev: first.seq - 1,
  schemaVersion: first.schemaVersion,
  at: first.at,
  actor: first.actor,
});

const headOf = (channel: string, epoch: string, first: Change): EventHead => ({
  ...numbered(channel, epoch, first),
  changeSet: first.changeSet,
  source: first.source,
});

const byKind = (rows: readonly RowChange[]): Pick<DataUpdateEvent, 'created' | 'updated' | 'deleted'> => ({
  created: rows.flatMap((row) => (row.kind === 'created' ? [createdRow(row)] : [])),
  updated: rows.flatMap((row) =>
    row.kind === 'updated' ? [{ id: row.id, version: row.version, fields: row.fields }] : [],
  ),
  deleted: rows.flatMap((row) => (row.kind === 'deleted' ? [{ id: row.id, version: row.version }] : [])),
});

/** The changes of a batch, one list per seq, in order. */
export function bySeq(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const last = groups.at(-1);
    if (last?.[0]?.seq === change.seq) last.push(change);
    else groups.push([change]);
  }
  return groups;
}

/** A row as REST shows it. The log does not know when a restored row was first made, so such a row says `restored` instead. */
const createdRow = (row: RowChange): CreatedRow => ({
  id: row.id,
  version: row.version,
  fields: row.fields,
  ...(row.restored ? { restored: true as const } : { createdAt: row.at, createdBy: row.actorId }),
  updatedAt: row.at,
  updatedBy: row.actorId,
});

/** "Something changed, read again": with the ids, if they are all here and fit. */
function invalidated(head: EventHead, rows: readonly RowChange[], withheld: Change['withheld']): LiveEvent {
  const complete = withheld !== 'rows' && rows.length <= MAX_EVENT_IDS;
  const payload: InvalidatedEvent = {
    ...head,
    invalidated: true,
    ...(complete ? { rowIds: rows.map((row) => row.id) } : {}),
  };
  return { name: 'data:update', payload, bytes: sizeOf(payload) };
}

/** Of a payload on the wire, in bytes. */
export const sizeOf = (payload: LiveEvent['payload']): number => Buffer.byteLength(JSON.stringify(payload));
