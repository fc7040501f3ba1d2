import { Injectable } from '@nestjs/common';
import { Problem, type Access, type Id } from '../../common/index.js';
import { changedByHand, SchemaMoved } from '../../engines/index.js';
import { TableCatalog, type TableMeta } from './table-catalog.js';

/** Between the mini-DB's commit of a structure change and the main database's there is a moment in which the metadata lags. */
const WAITS_MS = [0, 25, 100, 400, 1_000];

/**
 * Runs work against tables as this node knows them; when the mini-DB says that the structure is another, reads it anew and does the work again.
 * So it does when the work is refused (400, 422) by a structure that another node has changed: what was asked for may be right by now.
 */
@Injectable()
export class Fence {
  constructor(private readonly catalog: TableCatalog) {}

  /**
   * The table is what the caller sees of it.
   * @throws Problem `not_found`; `schema_busy` when the structure does not come to rest; whatever `work` throws
   */
  run<T>(access: Access, tableId: Id, work: (table: TableMeta) => Promise<T>): Promise<T> {
    return this.runWhole(tableId, (table) => work({ ...table, tableSchema: table.seen.of(tableId, access) }));
  }

  /** The same with the whole table, for work that is nobody's or that of somebody whom rules do not concern. */
  async runWhole<T>(tableId: Id, work: (table: TableMeta) => Promise<T>): Promise<T> {
    let table = await this.catalog.find(tableId);
    return this.again(
      [tableId],
      () => work(table),
      async () => {
        table = await this.catalog.reload(tableId);
      },
    );
  }

  /** The same for work that finds its tables itself, each time that it is done. `tableIds` are those that it works with. */
  runOver<T>(tableIds: readonly Id[], work: () => Promise<T>): Promise<T> {
    return this.again(tableIds, work, async () => {
      // One that is gone is found missing by the work.
      for (const id of tableIds) await this.catalog.reload(id).catch(ignoreProblem);
    });
  }

  private async again<T>(tableIds: readonly Id[], work: () => Promise<T>, reload: () => Promise<void>): Promise<T> {
    let refused: unknown;
    let atRest: string | undefined;
    for (const [i, wait] of WAITS_MS.entries()) {
      try {
        return await work();
      } catch (error) {
        // What is refused by one structure after the other is refused in the end.
        const isLast = i === WAITS_MS.length - 1;
        if (!(error instanceof SchemaMoved) && (isLast || !(await this.isOfOldStructure(error, tableIds)))) throw error;
        refused = (error as SchemaMoved).cause;
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        if (i === WAITS_MS.length - 2) atRest = await this.catalog.structureAtRest(tableIds);
        await reload();
      }
    }
    // PostgreSQL finds a table or a column missing that no change of ours has taken away, before, meanwhile or now.
    if (refused !== undefined && atRest !== undefined && atRest === (await this.catalog.structureAtRest(tableIds)))
      throw changedByHand(refused);
    throw new Problem('schema_busy', {
      detail: 'The structure of the table is being changed. Try again in a moment.',
      headers: { 'retry-after': '2' },
    });
  }

  private async isOfOldStructure(error: unknown, tableIds: readonly Id[]): Promise<boolean> {
    if (!(error instanceof Problem) || (error.status !== 400 && error.status !== 422)) return false;
    const outdated = await Promise.all(tableIds.map((id) => this.catalog.isOutdated(id)));
    return outdated.includes(true);
  }
}

function ignoreProblem(error: unknown): void {
  if (!(error instanceof Problem)) throw error;
}
