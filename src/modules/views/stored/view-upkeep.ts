import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { Rounds, type Id } from '../../../common/index.js';
import { AuditedTransaction, MainDatabase, systemActor } from '../../../database/main/index.js';
import { EventBus } from '../../events/index.js';
import { Retention } from '../../tables/index.js';
import { AccessService } from '../../workspaces/index.js';
import { viewAudit, viewChanged } from './describe-view.js';
import { ViewEntity } from './view.entity.js';

const EVERY_MS = 60 * 60 * 1000;
/** Also for nodes that never live for an hour. */
const FIRST_MS = 70 * 1000;
const LOCK = 7_203_005;

/** What a sweep did. */
export interface SweptViews {
  readonly purged: number;
  /** Private views whose owner has left, put into the trash. */
  readonly orphaned: number;
}

/**
 * Puts private views into the trash when their owner leaves the workspace, at once where the event arrives, and removes views for good that
 * have been in the trash for longer than `TRASH_RETENTION`; every hour both, on one node at a time.
 */
@Injectable()
export class ViewUpkeep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ViewUpkeep.name);
  private readonly rounds = new Rounds(
    () => this.sweep(),
    (err) => this.logger.warn({ msg: 'Views could not be looked at', err }),
  );

  constructor(
    private readonly dataSource: DataSource,
    private readonly database: MainDatabase,
    private readonly transaction: AuditedTransaction,
    private readonly retention: Retention,
    private readonly access: AccessService,
    bus: EventBus,
  ) {
    bus.on('member.changed', async ({ workspaceId, userId }) => {
      await this.orphan({ workspaceId, ownerId: userId });
    });
  }

  onApplicationBootstrap(): void {
    this.rounds.begin({ everyMs: EVERY_MS, firstMs: FIRST_MS });
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.end();
  }

  /** Undefined when another node is at it. */
  sweep(): Promise<SweptViews | undefined> {
    return this.database.alone(LOCK, async () => {
      const orphaned = await this.orphan({});
      return { orphaned, purged: await this.purge() };
    });
  }

  /** Those of the private views whose owner is no member any more go to the trash. */
  private async orphan(of: { readonly workspaceId?: Id; readonly ownerId?: Id }): Promise<number> {
    const where = { ...of, visibility: 'private', deletedAt: IsNull() } as const;
    const found = await this.dataSource.manager.find(ViewEntity, {
      select: { id: true, workspaceId: true, ownerId: true },
      where,
    });
    const left = await this.access.thoseWhoLeft(
      found.map(({ workspaceId, ownerId: userId }) => ({ workspaceId, userId })),
    );
    const gone = new Set(left.map(({ workspaceId, userId }) => `${workspaceId}/${userId}`));
    const orphans = found.filter(({ workspaceId, ownerId }) => gone.has(`${workspaceId}/${ownerId}`));
    return this.each(orphans, 'view.deleted', where, (view) => ({ ...view, deletedAt: new Date() }));
  }

  private async purge(): Promise<number> {
    const where = { deletedAt: this.retention.due() };
    const due = await this.dataSource.manager.find(ViewEntity, { select: { id: true }, where });
    return this.each(due, 'view.purged', where, () => undefined);
  }

  /** One by one, so that little is locked and what is done stays done. Of several nodes one does it. */
  private async each(
    views: readonly Pick<ViewEntity, 'id'>[],
    action: string,
    where: object,
    become: (view: ViewEntity) => ViewEntity | undefined,
  ): Promise<number> {
    let done = 0;
    for (const { id } of views) {
      if (this.rounds.isEnding) break;
      if (await this.one({ ...where, id }, action, become)) done++;
    }
    return done;
  }

  private async one(
    where: object,
    action: string,
    become: (view: ViewEntity) => ViewEntity | undefined,
  ): Promise<boolean> {
    try {
      await this.transaction.run(systemActor('upkeep of views'), async (manager) => {
        const before = await manager.findOne(ViewEntity, {
          where,
          lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
        });
        if (!before) throw new NotDue();
        const after = become(before);
        if (after) await manager.update(ViewEntity, { id: before.id }, after);
        else await manager.delete(ViewEntity, { id: before.id });
        return { result: undefined, audit: [viewAudit(before, action, { before })], events: [viewChanged(before)] };
      });
      return true;
    } catch (error) {
      if (error instanceof NotDue) return false;
      throw error;
    }
  }
}

/** Somebody else was first, or it was restored. */
class NotDue extends Error {}
