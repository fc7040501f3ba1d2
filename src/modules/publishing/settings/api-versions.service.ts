import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { notFound, Problem, type Access, type Id } from '../../../common/index.js';
import { actorOf, AuditedTransaction, type AuditEntry } from '../../../database/main/index.js';
import { FrozenViews } from '../../views/index.js';
import type { ApiVersionDto, ApiVersionListDto, UpdateApiVersionDto } from './api-version.dto.js';
import { publicationChanged, toViewApiDto } from './describe-api.js';
import { FormerVersionEntity } from './former-version.entity.js';
import { heldApi, notPublished, ViewApisService } from './view-apis.service.js';
import type { ViewApiEntity } from './view-api.entity.js';

/** Use cases of the versions of a published view: which there are, and when those that have a successor end. */
@Injectable()
export class ApiVersionsService {
  constructor(
    @InjectRepository(FormerVersionEntity) private readonly formers: Repository<FormerVersionEntity>,
    private readonly apis: ViewApisService,
    private readonly views: FrozenViews,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** The newest first. @throws Problem `not_found` the view is not published */
  async list(access: Access, viewId: Id): Promise<ApiVersionListDto> {
    const api = await this.apis.find(access, viewId);
    const formers = await this.formers.find({ where: { viewId }, order: { apiVersion: 'DESC' } });
    const data = [newestDto(api), ...formers.map((former) => formerDto(api, former))];
    return { data, page: { limit: data.length } };
  }

  /** Those that can be read, each as if it was the newest. @throws Problem `not_found` the view is not published */
  async open(access: Access, viewId: Id): Promise<readonly ViewApiEntity[]> {
    const api = await this.apis.find(access, viewId);
    const formers = await this.formers.findBy({ viewId });
    const now = new Date();
    return [
      api,
      ...formers.filter(({ sunsetAt }) => !sunsetAt || sunsetAt > now).map((former) => ({ ...api, ...former })),
    ];
  }

  /** @throws Problem `not_found`; `newest_version`, which ends with the publication only */
  update(access: Access, viewId: Id, apiVersion: number, { sunsetAt }: UpdateApiVersionDto): Promise<ApiVersionDto> {
    return this.change(access, viewId, apiVersion, (before) =>
      sunsetAt === undefined ? before : { ...before, sunsetAt: sunsetAt === null ? null : new Date(sunsetAt) },
    );
  }

  /** Ends it now. Throws as {@link update}. */
  async end(access: Access, viewId: Id, apiVersion: number): Promise<void> {
    await this.change(access, viewId, apiVersion, () => undefined);
  }

  /** @param become what the version becomes; undefined: nothing is left of it */
  private async change(
    access: Access,
    viewId: Id,
    apiVersion: number,
    become: (before: FormerVersionEntity) => FormerVersionEntity | undefined,
  ): Promise<ApiVersionDto> {
    const isPrivate = await this.views.isPrivate(access, viewId);
    return this.transaction.run(actorOf(access), async (manager) => {
      const api = await heldApi(manager, access, viewId);
      if (!api) throw notPublished();
      if (api.apiVersion === apiVersion) throw new Problem('newest_version');
      const before = await manager.findOneBy(FormerVersionEntity, { viewId, apiVersion });
      if (!before) throw notFound('version');
      const after = become(before);
      if (after) await manager.update(FormerVersionEntity, { viewId, apiVersion }, after);
      else await manager.delete(FormerVersionEntity, { viewId, apiVersion });
      return {
        result: formerDto(api, after ?? before),
        audit: [versionAudit(api, isPrivate, before, after)],
        events: [publicationChanged(api)],
      };
    });
  }
}

function newestDto(api: ViewApiEntity): ApiVersionDto {
  const { apiVersion, url, auth, filterable, sortable, maxLimit, columns, rights, viewVersion } = toViewApiDto(api);
  return {
    ...{ apiVersion, url, auth, filterable, sortable, maxLimit, columns, rights, viewVersion },
    ...{ publishedAt: api.publishedAt.toISOString(), deprecatedAt: null, sunsetAt: null },
  };
}

const formerDto = (api: ViewApiEntity, former: FormerVersionEntity): ApiVersionDto => ({
  ...newestDto({ ...api, ...former }),
  deprecatedAt: former.deprecatedAt.toISOString(),
  sunsetAt: former.sunsetAt?.toISOString() ?? null,
});

/** What admins read in the audit log; of a private view, which of its versions. */
function versionAudit(
  { workspaceId, viewId, slug }: ViewApiEntity,
  isPrivate: boolean,
  before: FormerVersionEntity,
  after: FormerVersionEntity | undefined,
): AuditEntry {
  const told = ({ apiVersion, sunsetAt }: FormerVersionEntity): object => ({ apiVersion, sunsetAt });
  return {
    workspaceId,
    action: after ? 'view.version_changed' : 'view.version_ended',
    resource: { type: 'view', id: viewId, name: isPrivate ? 'Private view' : slug },
    before: told(before),
    ...(after ? { after: told(after) } : {}),
  };
}
