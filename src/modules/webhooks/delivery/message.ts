import { createHash } from 'node:crypto';
import { must, type Id } from '../../../common/index.js';
import type { Change } from '../../../engines/index.js';
import { liveEvent, tableChannel, wholeEvent, type ResetReason } from '../../websocket/index.js';
import type { WebhookEvent } from '../settings/webhook.entity.js';

/** Something that a receiver is told: the same id means the same thing, however often it is sent. */
export interface WebhookMessage {
  readonly id: string;
  readonly type: 'rows.changed' | 'schema.changed' | 'reset' | 'test';
  readonly body: string;
  /** The number of a table's log that it tells of; of a reset, the one that it goes on from. */
  readonly of?: { readonly tableId: Id; readonly epoch: string; readonly seq: number };
}

/** A webhook, as far as it matters to what it is told. */
export interface Told {
  readonly id: Id;
  readonly workspaceId: Id;
  readonly events: readonly WebhookEvent[];
}

/**
 * What a webhook is told of one number of a table's log, from all its changes in order; undefined where that is none of its events. What
 * the log withheld for its size is told without data, as on the live channel. Pure.
 */
export function messageOf(
  told: Told,
  tableId: Id,
  epoch: string,
  changes: readonly Change[],
): WebhookMessage | undefined {
  const { seq, at, withheld } = must(changes[0], 'a number has at least one change');
  const channel = tableChannel(tableId);
  const entry = withheld ? inShort(channel, epoch, changes) : only(told.events, wholeEvent(channel, epoch, changes));
  if (!isWanted(told.events, entry)) return undefined;
  const type = entry.event === 'schema:update' ? 'schema.changed' : 'rows.changed';
  return {
    id: idOf(told.id, tableId, epoch, seq),
    type,
    body: bodyOf(type, at, told.workspaceId, tableId, entry),
    of: { tableId, epoch, seq },
  };
}

/** "Read the table again": told where the log does not go on from where a webhook stands. What follows is behind `seq`. */
export function resetMessage(
  { id, workspaceId }: Told,
  tableId: Id,
  { epoch, seq, reason }: { readonly epoch: string; readonly seq: number; readonly reason: ResetReason },
): WebhookMessage {
  const data = { type: 'reset', channel: tableChannel(tableId), reason, epoch, seq };
  return {
    id: idOf(id, tableId, epoch, seq, 'reset'),
    type: 'reset',
    body: bodyOf('reset', new Date().toISOString(), workspaceId, tableId, data),
    of: { tableId, epoch, seq },
  };
}

/** Something to try a receiver with. */
export const testMessage = ({ id, workspaceId }: Told, nonce: Id): WebhookMessage => ({
  id: idOf(id, nonce),
  type: 'test',
  body: JSON.stringify({ type: 'test', timestamp: new Date().toISOString(), workspaceId, data: { webhookId: id } }),
});

interface Entry {
  readonly event: string;
}
interface Rows extends Entry {
  readonly created: readonly { readonly restored?: true }[];
  readonly updated: readonly unknown[];
  readonly deleted: readonly unknown[];
}

const inShort = (channel: string, epoch: string, changes: readonly Change[]): Entry => {
  const { name, payload } = liveEvent(channel, epoch, changes);
  return { event: name, ...payload };
};

const hasRows = (entry: Entry): entry is Rows => 'created' in entry;

/** The same entry with the kinds of changes that are wanted. */
function only(events: readonly WebhookEvent[], entry: Entry): Entry {
  if (!hasRows(entry)) return entry;
  const of = <T>(event: WebhookEvent, rows: readonly T[]): readonly T[] => (events.includes(event) ? rows : []);
  const rows: Rows = {
    ...entry,
    created: entry.created.filter(({ restored }) => events.includes(restored ? 'rows.restored' : 'rows.created')),
    updated: of('rows.updated', entry.updated),
    deleted: of('rows.deleted', entry.deleted),
  };
  return rows;
}

function isWanted(events: readonly WebhookEvent[], entry: Entry): boolean {
  if (entry.event === 'schema:update') return events.includes('schema.changed');
  // Without its data nobody can tell which kind of change it was.
  if (!hasRows(entry)) return events.some((event) => event !== 'schema.changed');
  return entry.created.length + entry.updated.length + entry.deleted.length > 0;
}

const bodyOf = (type: string, timestamp: string, workspaceId: Id, tableId: Id, data: object): string =>
  JSON.stringify({ type, timestamp, workspaceId, tableId, data });

/** Made of what it is about, so that it is the same after a crash. */
const idOf = (...about: readonly (string | number)[]): string =>
  `msg_${createHash('sha256').update(about.join('/')).digest('base64url').slice(0, 32)}`;
