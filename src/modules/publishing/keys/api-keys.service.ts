import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import {
  hashSecretToken,
  idOfCursor,
  idPage,
  invalid,
  newId,
  newSecretToken,
  notFound,
  pointer,
  Problem,
  type Access,
  type Id,
  type PageQuery,
} from '../../../common/index.js';
import { actorOf, AuditedTransaction, type AuditedManager } from '../../../database/main/index.js';
import { parseJsonFilter } from '../../../query/index.js';
import { FrozenViews, type OpenedView } from '../../views/index.js';
import { publicationChanged } from '../settings/describe-api.js';
import { ApiVersionsService } from '../settings/api-versions.service.js';
import { heldApi, notPublished, ViewApisService } from '../settings/view-apis.service.js';
import type { ViewApiEntity } from '../settings/view-api.entity.js';
import type { ApiKeyListDto, CreateApiKeyDto, CreatedApiKeyDto } from './api-key.dto.js';
import { ApiKeyEntity } from './api-key.entity.js';
import { keyAudit, toApiKeyDto } from './describe-key.js';

/** Of one publication, with those that have expired. */
const MAX_KEYS = 100;
/** What people see of a key: enough to know it again, far too little to guess the rest. */
const PREFIX_LENGTH = 10;
const OVERLAP_SECONDS = 3_600;

/** Use cases of the keys of published views. */
@Injectable()
export class ApiKeysService {
  constructor(
    @InjectRepository(ApiKeyEntity) private readonly keys: Repository<ApiKeyEntity>,
    private readonly apis: ViewApisService,
    private readonly versions: ApiVersionsService,
    private readonly views: FrozenViews,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** The key itself is told here and kept nowhere. @throws Problem `not_found`, `limit_reached`, `view_broken`, 422 */
  async create(access: Access, viewId: Id, input: CreateApiKeyDto): Promise<CreatedApiKeyDto> {
    await this.mustMakeSense(access, await this.versions.open(access, viewId), input);
    const { name, filter, columns, versions, allowedAddresses, rateLimit, quota, expiresAt } = input;
    return this.insert(access, viewId, () =>
      Promise.resolve({
        made: {
          name,
          filter: filter ?? null,
          columns: columns ?? null,
          versions: versions ?? null,
          allowedAddresses: allowedAddresses ?? null,
          rateLimit: rateLimit?.limit ?? null,
          rateWindowSeconds: rateLimit?.windowSeconds ?? null,
          ...{ quotaLimit: quota?.limit ?? null, quotaPer: quota?.per ?? null, quotaFrom: null, quotaTaken: 0 },
          expiresAt: expiresAt ? new Date(expiresAt) : null,
        },
        action: 'api_key.created',
      }),
    );
  }

  /** A new key that opens the same, with what is left of its quota; the old one goes on for a while. Throws as {@link create}. */
  async rotate(access: Access, viewId: Id, id: Id, overlapSeconds = OVERLAP_SECONDS): Promise<CreatedApiKeyDto> {
    return this.insert(access, viewId, async (manager) => {
      const old = await heldKey(manager, access, viewId, id);
      const end = new Date(Date.now() + overlapSeconds * 1_000);
      const expiresAt = old.expiresAt && old.expiresAt < end ? old.expiresAt : end;
      await manager.update(ApiKeyEntity, { id }, { expiresAt });
      return { made: old, replaced: { ...old, expiresAt }, action: 'api_key.rotated' };
    });
  }

  /** Oldest first; also those that have expired. @throws Problem `not_found` */
  async list(access: Access, viewId: Id, { limit, cursor }: PageQuery): Promise<ApiKeyListDto> {
    const api = await this.apis.find(access, viewId);
    const found = await this.keys.find({
      where: { viewId: api.viewId, ...(cursor === undefined ? {} : { id: MoreThan(idOfCursor(cursor)) }) },
      order: { id: 'ASC' },
      take: limit + 1,
    });
    return idPage(
      found.map((key) => toApiKeyDto(key)),
      limit,
    );
  }

  /** From now on it opens nothing. @throws Problem `not_found` */
  async revoke(access: Access, viewId: Id, id: Id): Promise<void> {
    const isPrivate = await this.views.isPrivate(access, viewId);
    await this.transaction.run(actorOf(access), async (manager) => {
      const api = await heldApi(manager, access, viewId);
      if (!api) throw notPublished();
      const before = await heldKey(manager, access, viewId, id);
      await manager.delete(ApiKeyEntity, { id });
      return {
        result: undefined,
        audit: [keyAudit('api_key.revoked', isPrivate, { before })],
        events: [publicationChanged(api)],
      };
    });
  }

  private async insert(
    access: Access,
    viewId: Id,
    wanted: (manager: AuditedManager) => Promise<Wanted>,
  ): Promise<CreatedApiKeyDto> {
    const key = `ltk_${newSecretToken()}`;
    const isPrivate = await this.views.isPrivate(access, viewId);
    return this.transaction.run(actorOf(access), async (manager) => {
      const api = await heldApi(manager, access, viewId);
      if (!api) throw notPublished();
      if ((await manager.countBy(ApiKeyEntity, { viewId })) >= MAX_KEYS)
        throw new Problem('limit_reached', { detail: `A published view has at most ${MAX_KEYS} keys.` });
      const { made, replaced, action } = await wanted(manager);
      const entity: ApiKeyEntity = {
        ...made,
        ...{ id: newId(), viewId, workspaceId: access.workspaceId },
        ...{ prefix: key.slice(0, PREFIX_LENGTH), hash: hashSecretToken(key) },
        ...{ createdAt: new Date(), createdBy: access.principal.userId },
      };
      await manager.insert(ApiKeyEntity, entity);
      return {
        result: { ...toApiKeyDto(entity), key },
        audit: [keyAudit(action, isPrivate, { ...(replaced ? { before: replaced } : {}), after: entity })],
        events: [publicationChanged(api)],
      };
    });
  }

  /** In every version that it is to open. */
  private async mustMakeSense(
    access: Access,
    open: readonly ViewApiEntity[],
    { versions, filter, columns }: CreateApiKeyDto,
  ): Promise<void> {
    const at = versions?.findIndex((version) => !open.some(({ apiVersion }) => apiVersion === version)) ?? -1;
    if (at >= 0) throw refused(`/versions${pointer(at)}`, 'not_published', 'There is no such version.');
    const { workspaceId, timeZone } = access;
    for (const api of open.filter(({ apiVersion }) => versions?.includes(apiVersion) ?? true)) {
      const opened = await this.views.check({ workspaceId, timeZone }, api, {
        ...(filter ? { filter: parseJsonFilter(filter, '/filter') } : {}),
        ...{ filterable: [], sortable: [] },
      });
      if (columns) mustShow(columns, api, opened);
    }
  }
}

const refused = (at: string, code: string, detail: string): Problem => invalid([{ pointer: at, code, detail }]);

function mustShow(keys: readonly string[], { columns, apiVersion }: ViewApiEntity, { isGrouped }: OpenedView): void {
  if (isGrouped) throw refused('/columns', 'not_with_groups', 'Of groups a key sees all columns.');
  const at = keys.findIndex((column) => !columns.some(({ key }) => key === column));
  if (at < 0) return;
  const detail = `No column of this key is published in version ${apiVersion}.`;
  throw refused(`/columns${pointer(at)}`, 'not_published', detail);
}

/** What a key that is to be made opens, and the one that it takes the place of. */
interface Wanted {
  readonly made: Omit<ApiKeyEntity, 'id' | 'viewId' | 'workspaceId' | 'prefix' | 'hash' | 'createdAt' | 'createdBy'>;
  readonly replaced?: ApiKeyEntity;
  readonly action: string;
}

/** @throws Problem `not_found`, also for one of another view */
async function heldKey(manager: AuditedManager, { workspaceId }: Access, viewId: Id, id: Id): Promise<ApiKeyEntity> {
  const where = { id, viewId, workspaceId };
  const key = await manager.findOne(ApiKeyEntity, { where, lock: { mode: 'pessimistic_write' } });
  if (!key) throw notFound('key');
  return key;
}
