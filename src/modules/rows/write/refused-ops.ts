import { invalid, Problem, type ProblemItem } from '../../../common/index.js';
import { LinksRefused, type MiniDbWriter } from '../../../engines/index.js';
import { concernsLinks, type RowOp, type TableSchema, type WriteContext } from '../../../query/index.js';
import type { Indexed } from './upsert.js';

/** Code of the item that says that something an operator put upon the table refuses a write. */
const CODE = 'refused_by_database';

const itemOf = (error: unknown): ProblemItem | undefined =>
  error instanceof Problem ? error.errors?.find(({ code }) => code === CODE) : undefined;

export const isRefusedByDatabase = (error: unknown): error is Problem => itemOf(error) !== undefined;

/** Takes a write back that was tried. */
class TakenBack extends Error {}

/** Finds out by halves which ops conditions and triggers of an operator refuse: they are nothing that we could judge, so each half is tried and taken back. */
export class RefusedOps {
  constructor(
    private readonly writer: MiniDbWriter,
    private readonly table: TableSchema,
    private readonly context: WriteContext,
  ) {}

  /** Their problems by index. None of ops that are refused for something else by themselves, as for a row that another op would have made. */
  async among(ops: readonly Indexed<RowOp>[]): Promise<Map<number, Problem>> {
    const item = await this.refusal(ops);
    const [first, ...more] = ops;
    if (!item || !first) return new Map();
    if (more.length === 0)
      return new Map([[first.index, invalid([{ ...item, pointer: `/ops/${first.index}${item.pointer}` }])]]);
    const middle = Math.ceil(ops.length / 2);
    return new Map([...(await this.among(ops.slice(0, middle))), ...(await this.among(ops.slice(middle)))]);
  }

  private async refusal(indexed: readonly Indexed<RowOp>[]): Promise<ProblemItem | undefined> {
    const ops = indexed.map(({ op }) => op);
    const also = (): Promise<void> => Promise.reject(new TakenBack());
    const write = { context: this.context, atomic: false, quiet: true, ops, also } as const;
    try {
      // In a transaction of its own: what is taken back must not take others along.
      await this.writer.writePrepared(this.table, { links: concernsLinks(this.table, ops) }, () =>
        Promise.resolve(write),
      );
    } catch (error) {
      if (isRefusedByDatabase(error)) return itemOf(error);
      if (!(error instanceof TakenBack || error instanceof LinksRefused || error instanceof Problem)) throw error;
    }
    return undefined;
  }
}
