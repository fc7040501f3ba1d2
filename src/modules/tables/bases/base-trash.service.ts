import { Injectable } from '@nestjs/common';
import { notFound, type Access, type Id } from '../../../common/index.js';
import { actorOf, AuditedTransaction, isUniqueViolation } from '../../../database/main/index.js';
import { nameTaken } from '../columns/make-columns.js';
import { Retention } from '../retention.js';
import { readStructures } from '../schema/structure.js';
import { tableChanged } from '../tables/table-changed.js';
import { toBaseDto } from '../tables/to-dto.js';
import type { BaseDto } from './base.dto.js';
import { BaseEntity } from './base.entity.js';
import { baseAudit as audit, baseChanged as changed, baseView as view } from './new-base.js';

/** Deleted bases, until they are purged. */
@Injectable()
export class BaseTrash {
  constructor(
    private readonly transaction: AuditedTransaction,
    private readonly retention: Retention,
  ) {}

  /**
   * Out of the trash, with the tables that were in it. Nothing of them has changed since, so this is no structure change: the
   * mini-DB is not asked, and their schema versions stay where the deletion left them.
   * @throws Problem `not_found`; `name_taken` another base has its name now
   */
  async restore(access: Access, baseId: Id): Promise<BaseDto> {
    let name = '';
    try {
      return await this.transaction.run(actorOf(access), async (manager) => {
        // Locked, so that the purge either comes after this or has taken place.
        const trashed = await manager.findOne(BaseEntity, {
          where: { id: baseId, deletedAt: this.retention.restorable() },
          lock: { mode: 'for_no_key_update' },
        });
        if (!trashed) throw notFound('base');
        ({ name } = trashed);
        const base = { ...trashed, deletedAt: null, updatedAt: new Date() };
        await manager.update(BaseEntity, baseId, base);
        const structures = await readStructures(manager, base);
        return {
          result: toBaseDto(base),
          audit: [audit(base, 'base.restored', undefined, view(base))],
          events: [changed(base), ...structures.map(({ table }) => tableChanged(table))],
        };
      });
    } catch (error) {
      throw isUniqueViolation(error, 'bases_name') ? nameTaken('/name', name) : error;
    }
  }
}
