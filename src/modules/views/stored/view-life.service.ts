import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { bodyOf } from '../../../query/index.js';
import { versionOfCursor, versionPage } from './version-page.js';
import { newId, notFound, type Access, type Id, type PageQuery } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { actorOf, AuditedTransaction } from '../../../database/main/index.js';
import { Retention } from '../../tables/index.js';
import type { ViewDto, ViewVersionDto, ViewVersionListDto } from '../view.dto.js';
import { named, toVersionDto, toVersionItemDto, viewAudit, viewChanged } from './describe-view.js';
import { isSeenBy } from './view-catalog.js';
import { ViewEntity } from './view.entity.js';
import { ViewFit } from './view-fit.js';
import { nameOf } from './view-input.js';
import { ViewVersionEntity } from './view-version.entity.js';
import { heldView, keepVersion, mustBeFree, mustHaveRoom, tellingNameTaken } from './view-writes.js';
import { ViewsService } from './views.service.js';

/** What views were, what becomes of them, and copies. */
@Injectable()
export class ViewLife {
  constructor(
    @InjectRepository(ViewVersionEntity) private readonly versions: Repository<ViewVersionEntity>,
    private readonly views: ViewsService,
    private readonly transaction: AuditedTransaction,
    private readonly fit: ViewFit,
    private readonly retention: Retention,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** A copy that belongs to the caller, seen by whom the original is. @throws Problem `not_found`, `name_taken`, `limit_reached` */
  async duplicate(access: Access, id: Id, body: unknown): Promise<ViewDto> {
    const name = nameOf(bodyOf(body, '', ['name']).name);
    const original = await this.views.find(access, id);
    const [{ userId }, at] = [access.principal, new Date()];
    const copy = { ...original, id: newId(), ...named(name), ownerId: userId, version: 1 };
    return this.views.insert(
      access,
      { ...copy, createdAt: at, createdBy: userId, updatedAt: at, updatedBy: userId },
      'view.created',
    );
  }

  /** The last hundred, newest first. @throws Problem `not_found` */
  async list(access: Access, id: Id, { limit, cursor }: PageQuery): Promise<ViewVersionListDto> {
    const { id: viewId } = await this.views.find(access, id);
    const found = await this.versions.find({
      select: { viewId: true, version: true, name: true, createdAt: true, createdBy: true },
      where: { viewId, ...(cursor === undefined ? {} : { version: LessThan(versionOfCursor(cursor)) }) },
      order: { version: 'DESC' },
      take: limit + 1,
    });
    return versionPage(found.map(toVersionItemDto), limit);
  }

  /** @throws Problem `not_found` */
  async get(access: Access, id: Id, version: number): Promise<ViewVersionDto> {
    const found = await this.version(await this.views.find(access, id), version);
    const part = await this.fit.inPart(access, found);
    return toVersionDto(part ? { ...found, definition: part.definition, settings: part.settings } : found);
  }

  /**
   * Name, description, definition and settings as they were, as a new version. Who sees the view stays as it is.
   * @throws Problem `not_found`, `view_broken`, `name_taken`, `version_mismatch`
   */
  async restoreVersion(access: Access, id: Id, version: number, expectedVersion?: number): Promise<ViewDto> {
    const old = await this.version(await this.views.find(access, id), version);
    await this.fit.checkStored(access, old);
    const restored = await tellingNameTaken((naming) =>
      this.transaction.run(actorOf(access), async (manager) => {
        const before = await heldView(manager, access, id, expectedVersion);
        const { name, description, definition, pins, settings } = old;
        const after: ViewEntity = {
          ...before,
          ...{ ...named(name), description, definition, pins, settings },
          version: before.version + 1,
          updatedAt: new Date(),
          updatedBy: access.principal.userId,
        };
        naming(name);
        await mustBeFree(manager, after);
        await manager.update(ViewEntity, { id }, after);
        await keepVersion(manager, after);
        return {
          result: after,
          audit: [viewAudit(after, 'view.updated', { before, after })],
          events: [viewChanged(after)],
        };
      }),
    );
    return this.views.told(access, restored);
  }

  /** Out of the trash. @throws Problem `not_found`, `name_taken`, `limit_reached` */
  async restore(access: Access, id: Id): Promise<ViewDto> {
    const { workspaceId, principal } = access;
    const restored = await tellingNameTaken((naming) =>
      this.transaction.run(actorOf(access), async (manager) => {
        // Locked, so that the purge either comes after this or has taken place.
        const trashed = await manager.findOne(ViewEntity, {
          where: { id, workspaceId, deletedAt: this.retention.restorable() },
          lock: { mode: 'pessimistic_write' },
        });
        if (!trashed || !isSeenBy(trashed, principal.userId)) throw notFound('view');
        const view = { ...trashed, deletedAt: null };
        naming(view.name);
        await mustBeFree(manager, view);
        await mustHaveRoom(manager, workspaceId, this.config.maxViews);
        await manager.update(ViewEntity, { id }, { deletedAt: null });
        return {
          result: view,
          audit: [viewAudit(view, 'view.restored', { after: view })],
          events: [viewChanged(view)],
        };
      }),
    );
    return this.views.told(access, restored);
  }

  private async version({ id }: ViewEntity, version: number): Promise<ViewVersionEntity> {
    const found = await this.versions.findOneBy({ viewId: id, version });
    if (!found) throw notFound('version');
    return found;
  }
}
