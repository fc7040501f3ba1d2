import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { faultPoint } from '../../../config/index.js';
import { AuditedTransaction, systemActor, type AuditedManager } from '../../../database/main/index.js';
import { MiniDbSchema } from '../../../engines/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { baseAudit as audit, baseChanged as changed, baseView as view } from '../bases/new-base.js';
import { Retention } from '../retention.js';
import { SchemaOpEntity } from '../schema/schema-op.entity.js';
import { NotDue } from './not-due.js';

/** Removes what a module keeps of a base, such as its files, within the purge's transaction; what is elsewhere it has to bear to remove twice. */
export type BasePurgeStep = (manager: AuditedManager, base: BaseEntity) => Promise<void>;

/** Removes deleted bases for good, with all that is in them. */
@Injectable()
export class BasePurge {
  private readonly steps: BasePurgeStep[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
    private readonly mini: MiniDbSchema,
    private readonly retention: Retention,
  ) {}

  /** Adds what another module has to remove first. */
  before(step: BasePurgeStep): void {
    this.steps.push(step);
  }

  async due(): Promise<readonly Id[]> {
    const bases = await this.dataSource.manager.find(BaseEntity, {
      where: { deletedAt: this.retention.due() },
      select: { id: true },
      order: { deletedAt: 'ASC' },
    });
    return bases.map(({ id }) => id);
  }

  /** @throws NotDue */
  async purge(id: Id): Promise<void> {
    await this.transaction.run(systemActor('purge'), async (manager) => {
      const base = await manager.findOne(BaseEntity, {
        where: { id, deletedAt: this.retention.due() },
        lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
      });
      if (!base) throw new NotDue();
      // The other databases first: when this dies half-way the base is still in the trash, and the next sweep goes on.
      for (const step of this.steps) await step(manager, base);
      await faultPoint('purge.emptied');
      await this.mini.drop(base.schemaName);
      await faultPoint('purge.dropped');
      // They hold whole table definitions, and have no foreign key.
      await manager.delete(SchemaOpEntity, { baseId: id });
      await manager.delete(BaseEntity, { id });
      await faultPoint('purge.deleted');
      return { result: undefined, audit: [audit(base, 'base.purged', view(base))], events: [changed(base)] };
    });
    await faultPoint('purge.done');
  }
}
