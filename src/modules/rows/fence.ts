import { Injectable } from '@nestjs/common';
import { Problem, type Id } from '../../common/index.js';
import { SchemaMoved } from '../../engines/index.js';
import { TableCatalog, type TableMeta } from '../tables/index.js';

/** Between the mini-DB's commit of a structure change and the main database's there is a moment in which the metadata lags. */
const WAITS_MS = [0, 25, 100, 400, 1_000];

/** Runs work against a table as this node knows it; when the mini-DB says that the structure is another, reads it anew and does the work again. */
@Injectable()
export class Fence {
  constructor(private readonly catalog: TableCatalog) {}

  /** @throws Problem `not_found`; `schema_busy` when the structure does not come to rest; whatever `work` throws */
  async run<T>(tableId: Id, work: (table: TableMeta) => Promise<T>): Promise<T> {
    let table = await this.catalog.find(tableId);
    for (const wait of WAITS_MS) {
      try {
        return await work(table);
      } catch (error) {
        if (!(error instanceof SchemaMoved)) throw error;
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        table = await this.catalog.reload(tableId);
      }
    }
    throw new Problem('schema_busy', {
      detail: 'The structure of the table is being changed. Try again in a moment.',
      headers: { 'retry-after': '2' },
    });
  }
}
