import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { Problem, type Id } from '../../../common/index.js';
import { AuditedTransaction, MainDatabase, systemActor } from '../../../database/main/index.js';
import { MiniDbIndexes } from '../../../engines/index.js';
import { canBeBuilt, type IndexPlan, type TableSchema } from '../../../query/index.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { readStructure, type Structure } from '../schema/structure.js';
import { indexAudit } from './index-audit.js';
import { IndexQueue } from './index-queue.js';
import { definitionOf, planOf } from './planned-index.js';
import { FOLLOWING_STATES, TableIndexEntity } from './table-index.entity.js';

const TABLES_A_ROUND = 20;

/**
 * Lets indexes follow their columns: those of a deleted column rest with it in the trash, and go when it is purged; those that sort by choices are built anew when the choices
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
      state: In(FOLLOWING_STATES),
    });
    for (const index of indexes) {
      const plan = planOf(index, schema);
      if (plan) await this.follow(index, plan, schema, table.schemaVersion);
      else if (await this.mayComeBack(index)) await this.queue.checked(index, table.schemaVersion, 'resting');
      else await this.dropWithColumn(index.id, table.workspaceId);
    }
  }

  private async follow(index: TableIndexEntity, plan: IndexPlan, table: TableSchema, version: number): Promise<void> {
    const { state } = index;
    const fits = canBeBuilt(plan);
    // Its column may be converted back, or to something else that it can have.
    const mayTry = state === 'failed' && index.error === 'not_indexable' && fits;
    if (state === 'pending' || (state === 'failed' && !mayTry)) return this.queue.checked(index, version, state);
    // The worker takes away what is there, and says why.
    if (mayTry || !fits) return this.queue.checked(index, version, 'pending');
    const definition = definitionOf(plan);
    const isThere = await this.indexes.isAsPlanned(table, index.id, plan);
    // A restore makes unique ones at once, in the same transaction.
    if (state === 'resting' && isThere && (index.unique || index.definition === definition))
      return this.queue.awoken(index, version, definition);
    return this.queue.checked(index, version, isThere && index.definition === definition ? 'ready' : 'pending');
  }

  /** Whether all of its columns are there, or in the trash. */
  private async mayComeBack({ columns }: TableIndexEntity): Promise<boolean> {
    const ids = [...new Set(columns.map(({ columnId }) => columnId))];
    return (await this.dataSource.manager.countBy(ColumnEntity, { id: In(ids) })) === ids.length;
  }

  private async dropWithColumn(id: Id, workspaceId: Id): Promise<void> {
    try {
      await this.transaction.run(systemActor('index-upkeep'), async (manager) => {
        const { affected } = await manager.update(
          TableIndexEntity,
          { id, state: In(FOLLOWING_STATES) },
          { state: 'dropping', nextAt: new Date() },
        );
        if (affected !== 1) throw new SomebodyElseDid();
        return {
          result: undefined,
          audit: [indexAudit(workspaceId, id, 'index.deleted', 'column purged')],
          events: [],
        };
      });
    } catch (error) {
      if (!(error instanceof SomebodyElseDid)) throw error;
    }
  }
}

class SomebodyElseDid extends Error {}
