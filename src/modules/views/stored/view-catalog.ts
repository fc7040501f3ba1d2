import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { FreshCache, Metrics, isId, notFound, type Access, type Id } from '../../../common/index.js';
import { EventBus } from '../../events/index.js';
import { ViewEntity } from './view.entity.js';

/** Nobody reads for longer by a definition that was changed, or what was made private, also when the other nodes cannot be told. */
const MAX_AGE_MS = 3_000;

/** Views that are there, from memory. */
@Injectable()
export class ViewCatalog {
  private readonly cache = new FreshCache<ViewEntity>({
    maxEntries: 5_000,
    maxAgeMs: MAX_AGE_MS,
    load: async (id) => (await this.views.findOneBy({ id, deletedAt: IsNull() })) ?? undefined,
  });

  constructor(
    @InjectRepository(ViewEntity) private readonly views: Repository<ViewEntity>,
    bus: EventBus,
    metrics: Metrics,
  ) {
    metrics.cache('views', this.cache);
    bus.on('view.changed', ({ viewId }) => this.cache.drop(viewId));
  }

  /** What is in memory of the view is known to be out of date. */
  forget(viewId: Id): void {
    this.cache.drop(viewId);
  }

  /** The workspace that an id of a view leads this person to. */
  async workspaceOf(viewId: Id, userId: Id): Promise<Id | undefined> {
    const view = isId(viewId) ? await this.cache.get(viewId) : undefined;
    return view && isSeenBy(view, userId) ? view.workspaceId : undefined;
  }

  /** The same for what is in the trash; not from memory. */
  async workspaceOfTrashed(viewId: Id, userId: Id): Promise<Id | undefined> {
    const view = isId(viewId) ? await this.views.findOneBy({ id: viewId }) : null;
    return view && isSeenBy(view, userId) ? view.workspaceId : undefined;
  }

  /** @throws Problem `not_found`, also for one of another workspace, and for somebody else's private one */
  async find({ workspaceId, principal }: Access, viewId: Id): Promise<ViewEntity> {
    const view = await this.cache.get(viewId);
    if (view?.workspaceId !== workspaceId || !isSeenBy(view, principal.userId)) throw notFound('view');
    return view;
  }
}

/** A private view is its owner's alone, whatever roles others have. */
export const isSeenBy = ({ visibility, ownerId }: Pick<ViewEntity, 'visibility' | 'ownerId'>, userId: Id): boolean =>
  visibility === 'workspace' || ownerId === userId;
