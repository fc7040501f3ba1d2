import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { Rounds, type Id } from '../../common/index.js';
import { APP_CONFIG, faultPoint, type AppConfig } from '../../config/index.js';
import { AuditedTransaction, systemActor, type AuditedManager } from '../../database/main/index.js';
import { WorkspaceEntity } from './workspace.entity.js';

const SWEEP_EVERY_MS = 60_000;
const BATCH = 20;

/** Removes what a module keeps of a workspace, within the purge's transaction; what is elsewhere it has to bear to remove twice. */
export type PurgeStep = (manager: AuditedManager, workspaceId: Id) => Promise<void>;

/** Somebody else was first, or the workspace has been restored. */
class NotDue extends Error {}

/** Removes for good, after their time in the trash, workspaces with all that is in them. The audit log keeps that they were there. */
@Injectable()
export class WorkspacePurge implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(WorkspacePurge.name);
  private readonly steps: PurgeStep[] = [];
  private readonly rounds = new Rounds(
    () => this.sweepAll(),
    (err) => this.logger.warn({ msg: 'Deleted workspaces could not be purged', err }),
  );

  constructor(
    @InjectRepository(WorkspaceEntity) private readonly workspaces: Repository<WorkspaceEntity>,
    private readonly transaction: AuditedTransaction,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    this.rounds.begin({ everyMs: SWEEP_EVERY_MS });
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.end();
  }

  /** Adds what another module has to remove first. */
  before(step: PurgeStep): void {
    this.steps.push(step);
  }

  /** Purges what has been in the trash for long enough; returns how many. Nodes that sweep at once share the work. */
  async sweep(): Promise<number> {
    const due = await this.workspaces.find({
      where: { deletedAt: LessThan(this.limit()) },
      order: { deletedAt: 'ASC' },
      select: { id: true },
      take: BATCH,
    });
    let purged = 0;
    for (const { id } of due) if (await this.purge(id)) purged++;
    return purged;
  }

  private async purge(id: Id): Promise<boolean> {
    try {
      await this.remove(id);
      return true;
    } catch (error) {
      if (error instanceof NotDue) return false;
      throw error;
    }
  }

  private async remove(id: Id): Promise<void> {
    await this.transaction.run(systemActor('purge'), async (manager) => {
      const workspace = await manager.findOne(WorkspaceEntity, {
        where: { id, deletedAt: LessThan(this.limit()) },
        lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
      });
      if (!workspace) throw new NotDue();
      await faultPoint('workspace.claimed');
      // The other databases first: when this dies half-way the workspace is still in the trash, and the next sweep goes on.
      for (const [i, step] of this.steps.entries()) {
        await step(manager, id);
        await faultPoint(`workspace.emptied_${i}`);
      }
      await manager.delete(WorkspaceEntity, { id });
      await faultPoint('workspace.deleted');
      const { name, slug } = workspace;
      return {
        result: undefined,
        audit: [
          {
            workspaceId: id,
            action: 'workspace.purged',
            resource: { type: 'workspace', id, name },
            before: { name, slug },
          },
        ],
        events: [{ topic: 'workspace.changed', payload: { workspaceId: id } }],
      };
    });
    await faultPoint('workspace.done');
  }

  private limit(): Date {
    return new Date(Date.now() - this.config.trashSeconds * 1000);
  }

  private async sweepAll(): Promise<void> {
    while ((await this.sweep()) === BATCH);
  }
}
