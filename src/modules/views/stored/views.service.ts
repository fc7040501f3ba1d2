import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Brackets, IsNull, Repository } from 'typeorm';
import { idOfCursor, idPage, invalid, newId, notFound, Problem, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { actorOf, AuditedTransaction } from '../../../database/main/index.js';
import { pinsOf } from '../../../query/index.js';
import { Retention } from '../../tables/index.js';
import { DEFAULT_SETTINGS } from '../settings/index.js';
import type { ViewDto, ViewListDto, ViewsQuery } from '../view.dto.js';
import { named, toViewDto, viewAudit, viewChanged } from './describe-view.js';
import { isSeenBy } from './view-catalog.js';
import { ViewEntity } from './view.entity.js';
import { ViewFit } from './view-fit.js';
import { changedView, newView, type ChangedView } from './view-input.js';
import { settingsFor } from './view-settings.js';
import { heldView, keepVersion, mustBeFree, mustHaveRoom, mustHaveVersion, tellingNameTaken } from './view-writes.js';

/** Use cases of views: what they ask, and who sees them. */
@Injectable()
export class ViewsService {
  constructor(
    @InjectRepository(ViewEntity) private readonly views: Repository<ViewEntity>,
    private readonly transaction: AuditedTransaction,
    private readonly fit: ViewFit,
    private readonly retention: Retention,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** Those that the caller sees, oldest first. */
  async list(access: Access, { limit, cursor, trashed }: ViewsQuery): Promise<ViewListDto> {
    const { workspaceId, principal } = access;
    const deletedAt = trashed === 'true' ? this.retention.restorable() : IsNull();
    const query = this.views
      .createQueryBuilder('view')
      .where({ workspaceId, deletedAt })
      .andWhere(
        new Brackets((either) =>
          either.where({ visibility: 'workspace' }).orWhere('view.ownerId = :me', { me: principal.userId }),
        ),
      )
      .orderBy('view.id', 'ASC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('view.id > :after', { after: idOfCursor(cursor) });
    const found = await query.getMany();
    const told: ViewDto[] = [];
    for (const view of found)
      told.push({ ...(await this.told(access, view)), ...this.retention.inTrash(view.deletedAt) });
    return idPage(told, limit);
  }

  /** With what it shows, or the reason why it cannot. @throws Problem `not_found` */
  async get(access: Access, id: Id): Promise<ViewDto> {
    const view = await this.find(access, id);
    return { ...(await this.told(access, view)), ...(await this.fit.shown(access, view)) };
  }

  /** The view without what rules keep the caller from. */
  async told(access: Access, view: ViewEntity): Promise<ViewDto> {
    const part = await this.fit.inPart(access, view);
    return toViewDto(part ? { ...view, definition: part.definition, settings: part.settings } : view);
  }

  /** @throws Problem what a definition is refused with, `name_taken`, `limit_reached` */
  async create(access: Access, body: unknown): Promise<ViewDto> {
    const { name, description, visibility, definition, settings } = newView(body);
    const resolved = await this.fit.check(access, definition.parsed);
    const [userId, at] = [access.principal.userId, new Date()];
    const view: ViewEntity = {
      ...{ id: newId(), workspaceId: access.workspaceId, ...named(name), description, visibility, ownerId: userId },
      definition: definition.json,
      pins: pinsOf(resolved.table),
      settings: settings === undefined ? DEFAULT_SETTINGS : settingsFor(access, resolved, settings),
      version: 1,
      ...{ createdAt: at, createdBy: userId, updatedAt: at, updatedBy: userId, deletedAt: null },
    };
    return this.insert(access, view, 'view.created');
  }

  /** @throws Problem `name_taken`, `limit_reached` */
  async insert(access: Access, view: ViewEntity, action: string): Promise<ViewDto> {
    await tellingNameTaken((naming) =>
      this.transaction.run(actorOf(access), async (manager) => {
        naming(view.name);
        await mustBeFree(manager, view);
        await mustHaveRoom(manager, view.workspaceId, this.config.maxViews);
        await manager.insert(ViewEntity, view);
        await keepVersion(manager, view);
        return {
          result: undefined,
          audit: [viewAudit(view, action, { after: view })],
          events: [viewChanged(view)],
        };
      }),
    );
    return this.told(access, view);
  }

  /**
   * Changes what is given; what changes nothing makes no version.
   * @throws Problem what a definition is refused with, `name_taken`, `not_found`, `version_mismatch`
   */
  async update(access: Access, id: Id, body: unknown, expectedVersion?: number): Promise<ViewDto> {
    const input = changedView(body);
    const now = await this.find(access, id);
    if (changesNothing(now, input)) {
      mustHaveVersion(now, expectedVersion);
      return this.told(access, now);
    }
    const checked = await this.checked(access, now, input);
    const changedTo = await tellingNameTaken((naming) =>
      this.transaction.run(actorOf(access), async (manager) => {
        const before = await heldView(manager, access, id, expectedVersion);
        const after = changed(before, input, checked, access);
        if (before.visibility === 'workspace' && after.visibility === 'private' && !isOwner(before, access))
          throw notOwner();
        naming(after.name);
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
    return this.told(access, changedTo);
  }

  /** Into the trash. @throws Problem `not_found`, `version_mismatch` */
  async remove(access: Access, id: Id, expectedVersion?: number): Promise<void> {
    await this.transaction.run(actorOf(access), async (manager) => {
      const before = await heldView(manager, access, id, expectedVersion);
      await manager.update(ViewEntity, { id }, { deletedAt: new Date() });
      return {
        result: undefined,
        audit: [viewAudit(before, 'view.deleted', { before })],
        events: [viewChanged(before)],
      };
    });
  }

  /** @throws Problem `not_found` */
  async find({ workspaceId, principal }: Access, id: Id): Promise<ViewEntity> {
    const view = await this.views.findOneBy({ id, workspaceId, deletedAt: IsNull() });
    if (!view || !isSeenBy(view, principal.userId)) throw notFound('view');
    return view;
  }

  /**
   * Looks at what is to be stored before a transaction is open, since other databases may have to be asked. The settings that were there
   * stay when only the definition changes: what they say of columns that are shown no more has no effect.
   */
  private async checked(
    access: Access,
    now: ViewEntity,
    { definition, settings }: ChangedView,
  ): Promise<Pick<Partial<ViewEntity>, 'pins' | 'settings'>> {
    if (definition === undefined && settings === undefined) return {};
    // Whoever was told a part would put that in the place of the whole.
    if ((await this.fit.inPart(access, now))?.isBroken)
      throw new Problem('ruled_out', { detail: 'Rules keep you from something that this view speaks of.' });
    const resolved = definition
      ? await this.fit.check(access, definition.parsed)
      : await this.fit.checkStored(access, now);
    return {
      ...(definition === undefined ? {} : { pins: pinsOf(resolved.table) }),
      ...(settings === undefined ? {} : { settings: settingsFor(access, resolved, settings) }),
    };
  }
}

function changed(
  before: ViewEntity,
  { name, description, visibility, definition }: ChangedView,
  checked: Pick<Partial<ViewEntity>, 'pins' | 'settings'>,
  { principal }: Access,
): ViewEntity {
  return {
    ...before,
    ...(name === undefined ? {} : named(name)),
    ...(description === undefined ? {} : { description }),
    ...(visibility === undefined ? {} : { visibility }),
    ...(definition === undefined ? {} : { definition: definition.json }),
    ...checked,
    version: before.version + 1,
    updatedAt: new Date(),
    updatedBy: principal.userId,
  };
}

function changesNothing(view: ViewEntity, { definition, ...input }: ChangedView): boolean {
  const given = { ...input, ...(definition === undefined ? {} : { definition: definition.json }) };
  return Object.entries(given).every(
    ([member, value]) => JSON.stringify(value) === JSON.stringify(view[member as keyof typeof given]),
  );
}

const isOwner = ({ ownerId }: ViewEntity, { principal }: Access): boolean => ownerId === principal.userId;

const notOwner = () =>
  invalid([{ pointer: '/visibility', code: 'not_owner', detail: 'Only who owns a view can make it private.' }]);
