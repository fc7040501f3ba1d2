import type { Id } from '../../common/index.js';
import type { TableSchema } from '../../query/index.js';
import type { LinkedResult } from './linked-write.js';

/** The last number that a transaction took of each table that it changed, to be told of when it is committed. */
export class TakenNumbers {
  private readonly last = new Map<Id, { readonly table: TableSchema; readonly seq: number }>();

  add(table: TableSchema, { result, others }: LinkedResult): this {
    if (result.ops.some(({ status }) => status === 'ok')) this.last.set(table.id, { table, seq: result.seq });
    for (const other of others) this.last.set(other.table.id, other);
    return this;
  }

  get all(): readonly { readonly table: TableSchema; readonly seq: number }[] {
    return [...this.last.values()];
  }
}
