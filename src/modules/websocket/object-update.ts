import type { ObjectChange } from '../events/index.js';
import { OBJECT_OPS, type ObjectInvalidatedEvent, type ObjectUpdateEvent } from './messages/index.js';

/** What is told of a change of a row of an external database. Pure. */
export function objectUpdate(
  channel: string,
  { op: given, row, actorId, actorName, clientId }: ObjectChange,
  now: Date,
): ObjectUpdateEvent | ObjectInvalidatedEvent {
  const op = OBJECT_OPS.find((known) => known === given);
  const head = {
    channel,
    at: now.toISOString(),
    // A newer node may know more: whatever it was, the row is to be read again.
    op: op ?? 'update',
    actor: { id: actorId, name: actorName, ...(clientId === '' ? {} : { clientId }) },
    source: 'api' as const,
  };
  const fields = op === undefined || row === '' ? undefined : (JSON.parse(row) as Record<string, unknown>);
  return fields === undefined ? { ...head, invalidated: true } : { ...head, fields };
}
