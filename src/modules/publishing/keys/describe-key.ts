import { must } from '../../../common/index.js';
import type { AuditEntry } from '../../../database/main/index.js';
import type { ApiKeyDto, QuotaUseDto } from './api-key.dto.js';
import type { ApiKeyEntity, QuotaPeriod } from './api-key.entity.js';

export function toApiKeyDto(key: ApiKeyEntity, now = new Date()): ApiKeyDto {
  const { id, name, prefix, filter, columns, versions, allowedAddresses, rateLimit, rateWindowSeconds } = key;
  return {
    ...{ id, name, prefix, filter, columns, versions, allowedAddresses },
    rateLimit:
      rateLimit === null || rateWindowSeconds === null ? null : { limit: rateLimit, windowSeconds: rateWindowSeconds },
    quota: quotaUse(key, now),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    createdAt: key.createdAt.toISOString(),
    createdBy: key.createdBy,
  };
}

/** What was taken counts for the period that it was taken in only. */
function quotaUse(
  { quotaLimit: limit, quotaPer: per, quotaFrom, quotaTaken }: ApiKeyEntity,
  now: Date,
): QuotaUseDto | null {
  if (limit === null || per === null) return null;
  const { start, end } = periodAt(now, per);
  const taken = quotaFrom && quotaFrom.getTime() >= start ? quotaTaken : 0;
  return { limit, per, remaining: Math.max(0, limit - taken), resetsAt: new Date(end).toISOString() };
}

/** Of UTC, in milliseconds. */
function periodAt(now: Date, per: QuotaPeriod): { readonly start: number; readonly end: number } {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  return per === 'day'
    ? { start: Date.UTC(year, month, day), end: Date.UTC(year, month, day + 1) }
    : { start: Date.UTC(year, month), end: Date.UTC(year, month + 1) };
}

/** What it opens, and how it begins. */
function describe(key: ApiKeyEntity): object {
  const { name, prefix, filter, columns, versions, allowedAddresses, rateLimit, expiresAt } = toApiKeyDto(key);
  const quota = key.quotaLimit === null ? null : { limit: key.quotaLimit, per: key.quotaPer };
  return { viewId: key.viewId, name, prefix, filter, columns, versions, allowedAddresses, rateLimit, quota, expiresAt };
}

/** For the audit log, which admins read: of a private view, that it has keys. */
export function keyAudit(
  action: string,
  isPrivate: boolean,
  { before, after }: { readonly before?: ApiKeyEntity; readonly after?: ApiKeyEntity },
): AuditEntry {
  const { workspaceId, id, name } = must(after ?? before, 'a key that something was done to');
  const told = (each: ApiKeyEntity): object => (isPrivate ? { visibility: 'private' } : describe(each));
  return {
    workspaceId,
    action,
    resource: { type: 'api_key', id, name: isPrivate ? 'Key of a private view' : name },
    ...(before ? { before: told(before) } : {}),
    ...(after ? { after: told(after) } : {}),
  };
}
