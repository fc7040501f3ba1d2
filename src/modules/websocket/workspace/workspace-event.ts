import type { WorkspaceEvent } from '../../../database/main/index.js';
import { sizeOf, type LiveEvent } from '../feed/index.js';
import type { WorkspaceChange, WorkspaceUpdateEvent } from '../messages/index.js';

type Numbered = Pick<WorkspaceUpdateEvent, 'channel' | 'epoch' | 'seq' | 'prev' | 'at'>;

/**
 * What is told of one number, to everybody; of a private view nothing but that there was something, and the rest to the person whose it is. Nobody
 * but its owner changes a private view, so whoever did it is he. Pure.
 */
export function workspaceEvent(channel: string, epoch: string, event: WorkspaceEvent): LiveEvent {
  const { seq, at, actor } = event;
  const numbered = { channel, epoch, seq, prev: seq - 1, at: at.toISOString() };
  const [forAll, forOwner] = changesOf(event);
  const told = (change: WorkspaceChange): WorkspaceUpdateEvent => ({ ...numbered, actor, change });
  const payload: WorkspaceUpdateEvent = forAll ? told(forAll) : withheld(numbered);
  return {
    name: 'workspace:update',
    payload,
    bytes: sizeOf(payload),
    ...(forOwner && actor.id !== null ? { instead: { userId: actor.id, payload: told(forOwner) } } : {}),
  };
}

/** The number is told, so that nobody takes it for lost. */
const withheld = (numbered: Numbered): WorkspaceUpdateEvent => numbered;

function changesOf(event: WorkspaceEvent): readonly [WorkspaceChange | undefined, WorkspaceChange?] {
  const { action, resource, baseId, tableId, role, view } = event;
  const change: WorkspaceChange = {
    action,
    resource: {
      ...resource,
      ...(baseId === undefined ? {} : { baseId }),
      ...(tableId === undefined ? {} : { tableId }),
    },
    ...(role === undefined ? {} : { role }),
  };
  if (!view) return [change];
  if ((view.after ?? view.before) !== 'private') return [change];
  const own = { ...change, resource: { ...resource, name: view.name ?? resource.name } };
  const wasSeen = view.after !== undefined && view.before === 'workspace';
  if (!wasSeen) return [undefined, own];
  // Others saw it until now.
  return [{ action: 'view.hidden', resource: { ...resource, name: view.nameBefore ?? '' } }, own];
}
