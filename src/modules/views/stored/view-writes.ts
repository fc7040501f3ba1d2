import { IsNull, LessThanOrEqual, Not, type EntityManager } from 'typeorm';
import { notFound, Problem, type Access, type Id } from '../../../common/index.js';
import type { AuditedManager } from '../../../database/main/index.js';
import { isNameTaken, nameTaken, snapshotOf } from './describe-view.js';
import { isSeenBy } from './view-catalog.js';
import { ViewEntity } from './view.entity.js';
import { ViewVersionEntity } from './view-version.entity.js';

/** The steps that changes of views are made of; all of them within the caller's transaction. */

/** Of one view. */
const KEPT_VERSIONS = 100;

/** Locked until the end of the transaction. @throws Problem `not_found`; `version_mismatch` it is not the one that was expected */
export async function heldView(
  manager: AuditedManager,
  { workspaceId, principal }: Access,
  id: Id,
  expectedVersion?: number,
): Promise<ViewEntity> {
  const view = await manager.findOne(ViewEntity, {
    where: { id, workspaceId, deletedAt: IsNull() },
    lock: { mode: 'pessimistic_write' },
  });
  if (!view || !isSeenBy(view, principal.userId)) throw notFound('view');
  mustHaveVersion(view, expectedVersion);
  return view;
}

/** @throws Problem `version_mismatch` */
export function mustHaveVersion({ version }: ViewEntity, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  throw new Problem('version_mismatch', {
    detail: `Somebody else changed the view: it has version ${version} now. Read it, decide, and repeat with its version.`,
    headers: { etag: `"${version}"` },
  });
}

/** A private view takes no name from others, and tells nobody that it has it. @throws Problem `name_taken` */
export async function mustBeFree(manager: EntityManager, view: ViewEntity): Promise<void> {
  const { id, workspaceId, visibility, ownerId, name, nameFolded } = view;
  const rivals = visibility === 'private' ? { visibility, ownerId } : { visibility };
  const where = { id: Not(id), workspaceId, nameFolded, deletedAt: IsNull(), ...rivals };
  if (await manager.existsBy(ViewEntity, where)) throw nameTaken(name);
}

/** @param more how many there will be more @throws Problem `limit_reached` */
export async function mustHaveRoom(manager: EntityManager, workspaceId: Id, most: number, more = 1): Promise<void> {
  if ((await manager.countBy(ViewEntity, { workspaceId, deletedAt: IsNull() })) + more <= most) return;
  throw new Problem('limit_reached', { detail: `A workspace has at most ${most.toLocaleString('en')} views.` });
}

/** Keeps what the view is from now on, and forgets what it was a hundred versions ago. */
export async function keepVersion(manager: AuditedManager, view: ViewEntity): Promise<void> {
  await manager.insert(ViewVersionEntity, snapshotOf(view));
  const version = LessThanOrEqual(view.version - KEPT_VERSIONS);
  await manager.delete(ViewVersionEntity, { viewId: view.id, version });
}

/** `name` may not be known before the work begins. @throws Problem `name_taken`: the last word on names have the unique indexes */
export async function tellingNameTaken<T>(work: (naming: (name: string) => void) => Promise<T>): Promise<T> {
  let wanted = '';
  try {
    return await work((name) => (wanted = name));
  } catch (error) {
    throw isNameTaken(error) ? nameTaken(wanted) : error;
  }
}
