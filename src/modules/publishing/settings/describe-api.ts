import { Problem } from '../../../common/index.js';
import type { AuditEntry, OutboxEvent } from '../../../database/main/index.js';
import { publicPath } from '../public-path.js';
import type { ViewApiDto } from './view-api.dto.js';
import type { ViewApiEntity } from './view-api.entity.js';

export function toViewApiDto(api: ViewApiEntity): ViewApiDto {
  const {
    viewId,
    enabled,
    slug,
    auth,
    cacheSeconds,
    staleWhileRevalidateSeconds,
    staleIfErrorSeconds,
    corsOrigins,
    filterable,
    sortable,
    maxLimit,
    page,
  } = api;
  const { columns, rights, apiVersion, viewVersion, version, createdBy, updatedBy } = api;
  return {
    ...{ viewId, enabled, slug, url: `${publicPath(slug, apiVersion)}/data`, auth, cacheSeconds },
    ...{ staleWhileRevalidateSeconds, staleIfErrorSeconds },
    rateLimit: { limit: api.rateLimit, windowSeconds: api.rateWindowSeconds },
    ...{
      corsOrigins,
      filterable,
      sortable,
      maxLimit,
      page,
      columns: [...columns],
      rights,
      apiVersion,
      viewVersion,
      version,
    },
    createdAt: api.createdAt.toISOString(),
    createdBy,
    updatedAt: api.updatedAt.toISOString(),
    updatedBy,
  };
}

/** Settings, which can be changed one by one. */
export const SETTINGS = [
  'enabled', 'slug', 'auth', 'cacheSeconds', 'staleWhileRevalidateSeconds', 'staleIfErrorSeconds', 'rateLimit', 'corsOrigins', 'filterable', 'sortable', 'maxLimit',
  'page',
] as const; // prettier-ignore

/** What the audit log tells. */
const TOLD = [...SETTINGS, 'apiVersion', 'viewVersion', 'rights'] as const;

const describe = (api: ViewApiEntity): object => {
  const settings = toViewApiDto(api);
  return {
    ...Object.fromEntries(TOLD.map((name) => [name, settings[name]])),
    columns: api.columns.map(({ key }) => key),
  };
};

/** What admins read in the audit log; of a private view, that there is one. */
export const apiAudit = (
  api: ViewApiEntity,
  action: string,
  {
    before,
    after,
    isPrivate,
  }: { readonly before?: ViewApiEntity; readonly after?: ViewApiEntity; readonly isPrivate: boolean },
): AuditEntry => {
  const told = (each: ViewApiEntity): object => (isPrivate ? { visibility: 'private' } : describe(each));
  return {
    workspaceId: api.workspaceId,
    action,
    resource: { type: 'view', id: api.viewId, name: isPrivate ? 'Private view' : api.slug },
    ...(before ? { before: told(before) } : {}),
    ...(after ? { after: told(after) } : {}),
  };
};

export const publicationChanged = ({
  viewId,
  workspaceId,
  slug,
}: Pick<ViewApiEntity, 'viewId' | 'workspaceId' | 'slug'>): OutboxEvent => ({
  topic: 'publication.changed',
  payload: { viewId, workspaceId, slug },
});

export const slugTaken = (slug: string): Problem => {
  const detail = `The address ${JSON.stringify(slug)} is taken.`;
  return new Problem('name_taken', { detail, errors: [{ pointer: '/slug', code: 'name_taken', detail }] });
};
