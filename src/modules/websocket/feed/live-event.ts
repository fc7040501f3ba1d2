import { must } from '../../../common/index.js';
import { foldRows, type RowChange } from './fold-rows.js';
import type { FollowLimits } from '../../../engines/index.js';
import type { Change } from './log-reader.js';

/** A change that touches more rows than this is announced without its data. */
export const MAX_EVENT_ROWS = 200;
/** A payload larger than this, as JSON in UTF-8, is announced without its data. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** Row ids, as JSON, that fit into an event together with the rest. */
const MAX_EVENT_IDS = 1_500;

/** How much of one seq is worth reading: beyond it the event would be without its data, or without its ids, anyway. */
export const FOLLOW_LIMITS: FollowLimits = { bytes: MAX_EVENT_BYTES, rows: MAX_EVENT_IDS };

/** One server event of a table channel: everything that one `seq` did. */
export interface LiveEvent {
  readonly name: 'data:update' | 'schema:update';
  readonly payload: LivePayload;
  /** Size of the payload on the wire, about. */
  readonly bytes: number;
}

export interface LivePayload {
  readonly channel: string;
  readonly epoch: string;
  readonly seq: number;
  /** The number before this one: a client that has seen `prev` has missed nothing. */
  readonly prev: number;
  readonly schemaVersion: number;
  readonly at: string;
  readonly actor: Change['actor'];
  readonly [member: string]: unknown;
}

/** The event of one `seq`, from all its changes in order. Pure. */
export function liveEvent(channel: string, epoch: string, changes: readonly Change[]): LiveEvent {
  const first = must(changes[0], 'a seq has at least one change');
  const common: LivePayload = {
    channel,
    epoch,
    seq: first.seq,
    prev: first.seq - 1,
    schemaVersion: first.schemaVersion,
    at: first.at,
    actor: first.actor,
  };
  if (changes.some((change) => change.op === 'schema')) return sized('schema:update', common);
  const head: LivePayload = { ...common, changeSet: first.changeSet, source: first.source };
  const rows = foldRows(changes);
  if (rows.length > MAX_EVENT_ROWS || first.withheld) return invalidated(head, rows, first.withheld);
  const event = sized('data:update', {
    ...head,
    created: rows.flatMap((row) => (row.kind === 'created' ? [createdRow(row)] : [])),
    updated: rows.flatMap((row) =>
      row.kind === 'updated' ? [{ id: row.id, version: row.version, fields: row.fields }] : [],
    ),
    deleted: rows.flatMap((row) => (row.kind === 'deleted' ? [{ id: row.id, version: row.version }] : [])),
  });
  return event.bytes > MAX_EVENT_BYTES ? invalidated(head, rows, first.withheld) : event;
}

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
const createdRow = (row: RowChange) => ({
  id: row.id,
  version: row.version,
  fields: row.fields,
  ...(row.restored ? { restored: true } : { createdAt: row.at, createdBy: row.actorId }),
  updatedAt: row.at,
  updatedBy: row.actorId,
});

/** "Something changed, read again": with the ids, if they are all here and fit. */
function invalidated(head: LivePayload, rows: readonly RowChange[], withheld: Change['withheld']): LiveEvent {
  const complete = withheld !== 'rows' && rows.length <= MAX_EVENT_IDS;
  return sized('data:update', {
    ...head,
    invalidated: true,
    ...(complete ? { rowIds: rows.map((row) => row.id) } : {}),
  });
}

const sized = (name: LiveEvent['name'], payload: LivePayload): LiveEvent => ({
  name,
  payload,
  bytes: Buffer.byteLength(JSON.stringify(payload)),
});
