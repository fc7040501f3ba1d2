import { foldName, Problem } from '../../../common/index.js';
import { isUniqueViolation, type AuditEntry, type OutboxEvent } from '../../../database/main/index.js';
import type { ViewDto, ViewVersionDto, ViewVersionItemDto } from '../view.dto.js';
import type { ViewEntity } from './view.entity.js';
import type { ViewVersionEntity } from './view-version.entity.js';

export function toViewDto(view: ViewEntity): ViewDto {
  const { id, workspaceId, name, description, visibility, ownerId, definition, settings, version } = view;
  return {
    ...{ id, workspaceId, name, description, visibility, ownerId, definition, settings, version },
    createdAt: view.createdAt.toISOString(),
    createdBy: view.createdBy,
    updatedAt: view.updatedAt.toISOString(),
    updatedBy: view.updatedBy,
  };
}

type VersionItem = Pick<ViewVersionEntity, 'version' | 'name' | 'createdAt' | 'createdBy'>;

export const toVersionItemDto = ({ version, name, createdAt, createdBy }: VersionItem): ViewVersionItemDto => ({
  version,
  name,
  createdAt: createdAt.toISOString(),
  createdBy,
});

export const toVersionDto = (version: ViewVersionEntity): ViewVersionDto => ({
  ...toVersionItemDto(version),
  description: version.description,
  definition: version.definition,
  settings: version.settings,
});

/** The version that a view has now. */
export const snapshotOf = (view: ViewEntity): ViewVersionEntity => {
  const { id, version, name, description, definition, pins, settings, updatedAt, updatedBy } = view;
  return { viewId: id, version, name, description, definition, pins, settings, createdAt: updatedAt, createdBy: updatedBy };
}; // prettier-ignore

/** For the audit log, which admins read: of a private view, that there is one. */
const describe = ({ name, description, visibility, definition, settings }: ViewEntity): object =>
  visibility === 'private' ? { visibility } : { name, description, visibility, definition, settings };

export const viewAudit = (
  { workspaceId, id, name, visibility }: ViewEntity,
  action: string,
  { before, after }: { readonly before?: ViewEntity; readonly after?: ViewEntity },
): AuditEntry => ({
  workspaceId,
  action,
  resource: { type: 'view', id, name: visibility === 'private' ? 'Private view' : name },
  ...(before ? { before: describe(before) } : {}),
  ...(after ? { after: describe(after) } : {}),
});

export const viewChanged = ({ id, workspaceId }: ViewEntity): OutboxEvent => ({
  topic: 'view.changed',
  payload: { viewId: id, workspaceId },
});

export const named = (name: string): Pick<ViewEntity, 'name' | 'nameFolded'> => ({ name, nameFolded: foldName(name) });

export const nameTaken = (name: string): Problem => {
  const detail = `The name ${JSON.stringify(name)} is taken; letter case does not matter.`;
  return new Problem('name_taken', { detail, errors: [{ pointer: '/name', code: 'name_taken', detail }] });
};

/** The last word on names have the unique indexes. */
export const isNameTaken = (error: unknown): boolean =>
  isUniqueViolation(error, 'views_name') || isUniqueViolation(error, 'views_private_name');
