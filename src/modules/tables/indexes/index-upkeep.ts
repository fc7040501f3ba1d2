import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { Problem, type Id } from '../../../common/index.js';
import { AuditedTransaction, MainDatabase, systemActor } from '../../../database/main/index.js';
import { MiniDbIndexes } from '../../../engines/index.js';
import { readStructure, type Structure } from '../schema/structure.js';
import { indexAudit } from './index-audit.js';
import { IndexQueue } from './index-queue.js';
import { definitionOf, planOf } from './planned-index.js';
import { TableIndexEntity } from './table-index.entity.js';

const TABLES_A_ROUND = 20;

/**
 * Lets indexes follow their columns: those of a deleted column go with it, those that sort by choices are built anew when the choices
 * change, and so is one whose column is another by now. Asks for no event: the version of the structure says that there is
 * something to look at, whoever changed it and whatever died after that.
 */
@Injectable()
export class IndexUpkeep {
  constructor(
    private readonly dataSource: DataSource,
    private readonly database: MainDatabase,
    private readonly transaction: AuditedTransaction,
    private readonly queue: IndexQueue,
    private readonly indexes: MiniDbIndexes,
  ) {}

  /** Looks at the indexes of every table that was changed since. Safe on several nodes at once. */
  async run(): Promise<void> {
    for (const tableId of await this.queue.outdated(TABLES_A_ROUND)) {
      try {
        const structure = await this.database.snapshot((manager) => readStructure(manager, tableId));
        await this.look(structure);
      } catch (error) {
        // Into the trash at this moment: it keeps its indexes there.
        if (!(error instanceof Problem && error.code === 'not_found')) throw error;
      }
    }
  }

  private async look({ table, schema }: Structure): Promise<void> {
    const indexes = await this.dataSource.manager.findBy(TableIndexEntity, {
      tableId: table.id,
      state: In(['ready', 'pending', 'failed']),
    });
    for (const index of indexes) {
      const plan = planOf(index, schema);
      if (!plan) await this.dropWithColumn(index.id, table.workspaceId);
      else {
        const good =
          index.state !== 'ready' ||
          (index.definition === definitionOf(plan) && (await this.indexes.isAsPlanned(schema, index.id, plan)));
        await this.queue.checked(index, table.schemaVersion, good);
      }
    }
  }

  private async dropWithColumn(id: Id, workspaceId: Id): Promise<void> {
    try {
      await this.transaction.run(systemActor('index-upkeep'), async (manager) => {
        const { affected } = await manager.update(
          TableIndexEntity,
          { id, state: In(['ready', 'pending', 'failed']) },
          { state: 'dropping', nextAt: new Date() },
        );
        if (affected !== 1) throw new SomebodyElseDid();
        return {
          result: undefined,
          audit: [indexAudit(workspaceId, id, 'index.deleted', 'column deleted')],
          events: [],
        };
      });
    } catch (error) {
      if (!(error instanceof SomebodyElseDid)) throw error;
    }
  }
}

class SomebodyElseDid extends Error {}
