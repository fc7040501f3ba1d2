import { isDeepStrictEqual } from 'node:util';
import { must } from '../../../common/index.js';
import type { AuditedManager, AuditEntry, OutboxEvent } from '../../../database/main/index.js';
import type { BackedUpViews, WrittenViews } from '../../tables/index.js';
import { viewAudit, viewChanged } from './describe-view.js';
import { readsOnly } from './portable-view.js';
import { insertNamed, updateNamed } from './free-names.js';
import { keepVersion } from './view-writes.js';
import { ViewVersionEntity } from './view-version.entity.js';
import { ViewEntity, type StoredJson, type Visibility } from './view.entity.js';

type Rec = BackedUpViews['views'][number];

/** Views of a base that comes out of a backup, as they stand there. */
export interface BackedUp {
  readonly of: string;
  readonly backedUp: BackedUpViews;
}

/** Those that were not in the trash and read nothing but the tables of the base, with their versions, as JSON for {@link writeBackedUp}. */
export function viewsOfTables({ views, versions }: BackedUpViews, tables: ReadonlySet<string>, of: string): string {
  const known = new Map([...tables].map((id) => [id, true]));
  const own = views.filter((view) => view.deleted_at === null && readsOnly(json(view, 'definition'), known));
  const ids = new Set(own.map(({ id }) => id));
  const backedUp = { views: own, versions: versions.filter(({ view_id: id }) => ids.has(id)) };
  return JSON.stringify({ of, backedUp } satisfies BackedUp);
}

/**
 * A view that is gone comes back with its versions, under a name that is free; one that is there is what it was once more, as a further version, so that what it
 * was until now can be brought back. How a view is published is left as it is.
 */
export async function writeBackedUp(manager: AuditedManager, { of, backedUp }: BackedUp): Promise<WrittenViews> {
  const audit: AuditEntry[] = [];
  const events: OutboxEvent[] = [];
  for (const record of backedUp.views) {
    const view = viewOf(record);
    const before = await manager.findOne(ViewEntity, { where: { id: view.id }, lock: { mode: 'pessimistic_write' } });
    if (before && isSame(before, view)) continue;
    const made = before
      ? await updateNamed(manager, { ...view, version: before.version + 1, deletedAt: null, updatedAt: new Date() }, of)
      : await insertNamed(manager, { ...view, deletedAt: null }, of);
    await keepVersion(manager, made);
    if (!before) await keepFormer(manager, backedUp.versions, made);
    audit.push(viewAudit(made, 'view.restored_from_backup', { ...(before ? { before } : {}), after: made }));
    events.push(viewChanged(made));
  }
  return { audit, events };
}

const isSame = (now: ViewEntity, then: ViewEntity): boolean =>
  now.deletedAt === null && isDeepStrictEqual(contentOf(now), contentOf(then));

const contentOf = ({ name, description, visibility, ownerId, definition, pins, settings }: ViewEntity): object =>
  ({ name, description, visibility, ownerId, definition, pins, settings }); // prettier-ignore

/** The versions before the one that the view has. */
async function keepFormer(manager: AuditedManager, versions: readonly Rec[], { id, version }: ViewEntity) {
  const former = versions
    .filter((each) => each.view_id === id && Number(each.version) < version)
    .map((each): ViewVersionEntity => ({
      ...{ viewId: id, version: Number(each.version), name: text(each, 'name'), description: each.description ?? null },
      ...{ definition: json(each, 'definition'), pins: json(each, 'pins'), settings: json(each, 'settings') },
      ...{ createdAt: new Date(text(each, 'created_at')), createdBy: text(each, 'created_by') },
    }));
  if (former.length > 0) await manager.insert(ViewVersionEntity, former);
}

const viewOf = (record: Rec): ViewEntity => ({
  ...{ id: text(record, 'id'), workspaceId: text(record, 'workspace_id') },
  ...{ name: text(record, 'name'), nameFolded: text(record, 'name_folded'), description: record.description ?? null },
  ...{ visibility: text(record, 'visibility') as Visibility, ownerId: text(record, 'owner_id') },
  ...{ definition: json(record, 'definition'), pins: json(record, 'pins'), settings: json(record, 'settings') },
  ...{ version: Number(record.version), deletedAt: null },
  ...{ createdAt: new Date(text(record, 'created_at')), createdBy: text(record, 'created_by') },
  ...{ updatedAt: new Date(text(record, 'updated_at')), updatedBy: text(record, 'updated_by') },
});

const text = (record: Rec, name: string): string => must(record[name], `a view has ${name}`);

const json = (record: Rec, name: string): StoredJson => JSON.parse(text(record, name)) as StoredJson;
