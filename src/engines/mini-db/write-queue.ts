import { asker, inSharedSpan, Problem, type Asker, type Id } from '../../common/index.js';
import type { TableSchema } from '../../query/index.js';
import type { Submitted } from './kept-writes.js';
import type { WriteResult } from './write-result.js';

/** Runs writes of one table as one transaction; results in the same order. */
export type ExecuteWrites = (table: TableSchema, writes: readonly Submitted[]) => Promise<WriteResult[]>;

interface Pending {
  readonly table: TableSchema;
  readonly write: Submitted;
  readonly since: number;
  readonly asker: Asker;
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteQueueOptions {
  /** Writes that go together at most. */
  readonly maxWrites: number;
  /** Ops that go together at most; a write with more ops than this does not wait in the queue at all. */
  readonly maxOps: number;
  /** Whether an error says something about one of the writes, so that the others deserve a try alone. */
  readonly isContentError: (error: unknown) => boolean;
  /** Milliseconds after which a write is not begun any more. */
  readonly patienceMs: number;
  /** Told of each transaction: the writes that went together, how long the first of them had waited, how long it took; milliseconds. */
  readonly onBatch?: (writes: number, waitedMs: number, ranMs: number) => void;
  /** For tests; milliseconds that only go forward. */
  readonly now?: () => number;
}

/**
 * Group commit. Commits of one table queue at its counter anyway, so writes that arrive while a transaction of their table
 * is under way wait and then go together in the next one, each with its own number and answer. A writer that finds the
 * table idle does not wait at all.
 *
 * - Two writes of one row, or under one key, never share a transaction; they keep their order.
 * - One writer's error never fails another's write: a batch that is refused for its content is repeated one by one.
 * - Nobody waits for ever: where each transaction ends in a timeout (a lock of a stranger, a database that hangs), those who
 *   wait are refused instead of being tried one after the other.
 */
export class WriteQueue {
  private readonly waiting = new Map<Id, Pending[]>();
  private readonly now: () => number;

  constructor(
    private readonly execute: ExecuteWrites,
    private readonly options: WriteQueueOptions,
  ) {
    this.now = options.now ?? (() => performance.now());
  }

  /** Writes that wait for the transaction before, of all tables. */
  get size(): number {
    let size = 0;
    for (const queue of this.waiting.values()) size += queue.length;
    return size;
  }

  /** @throws Problem `overloaded` the write waited too long and was not begun */
  submit(table: TableSchema, write: Submitted): Promise<WriteResult> {
    if (write.ops.length > this.options.maxOps) return this.alone(table, write);
    return new Promise((resolve, reject) => {
      const pending = { table, write, since: this.now(), asker: asker(), resolve, reject };
      const queue = this.waiting.get(table.id);
      if (queue) {
        queue.push(pending);
        return;
      }
      this.waiting.set(table.id, [pending]);
      void this.drain(table.id);
    });
  }

  private async alone(table: TableSchema, write: Submitted): Promise<WriteResult> {
    const [result] = await this.execute(table, [write]);
    if (!result) throw new Error('a write has no result');
    return result;
  }

  private async drain(tableId: Id): Promise<void> {
    const queue = this.waiting.get(tableId) ?? [];
    while (queue.length > 0) {
      const batch = takeBatch(queue, this.options).filter((pending) => !this.refusedAsTooLate(pending));
      if (batch.length > 0) await this.run(batch);
    }
    this.waiting.delete(tableId);
  }

  private async run(batch: readonly Pending[]): Promise<void> {
    const [first] = batch;
    if (!first) return;
    const begunAt = this.now();
    try {
      const results = await inSharedSpan(
        batch.map((pending) => pending.asker),
        'rows.commit',
        { 'live_tables.table_id': first.table.id, 'live_tables.writes': batch.length },
        () =>
          this.execute(
            first.table,
            batch.map(({ write }) => write),
          ),
      );
      this.options.onBatch?.(batch.length, begunAt - first.since, this.now() - begunAt);
      batch.forEach((pending, i) => {
        const result = results[i];
        if (result) pending.resolve(result);
        else pending.reject(new Error('a write has no result'));
      });
    } catch (error) {
      if (batch.length === 1 || !this.options.isContentError(error)) for (const pending of batch) pending.reject(error);
      else for (const pending of batch) if (!this.refusedAsTooLate(pending)) await this.run([pending]);
    }
  }

  private refusedAsTooLate({ since, reject }: Pending): boolean {
    if (this.now() - since < this.options.patienceMs) return false;
    reject(
      new Problem('overloaded', {
        detail: 'Earlier writes of this table take too long; this one was not begun.',
        headers: { 'retry-after': '1' },
      }),
    );
    return true;
  }
}

/**
 * Takes what may go together off the queue: no row and no key twice, nothing overtakes an earlier write of the same, and one copy
 * of the structure only, since values are held by its column objects (metadata that was read anew is another copy).
 */
function takeBatch(queue: Pending[], { maxWrites, maxOps }: WriteQueueOptions): Pending[] {
  const batch: Pending[] = [];
  const taken = new Set<string>();
  let ops = 0;
  for (let i = 0; i < queue.length && batch.length < maxWrites;) {
    const candidate = queue[i];
    const first = batch[0];
    if (!candidate) break;
    const { keep, ops: own } = candidate.write;
    const names = [...own.map(({ id }) => id), ...(keep ? [keep.key.name.toString('hex')] : [])];
    const fits =
      names.every((name) => !taken.has(name)) &&
      ops + own.length <= maxOps &&
      (!first || first.table === candidate.table);
    // Also a write that stays behind reserves its rows, so that later ones of the same row stay behind it.
    for (const name of names) taken.add(name);
    if (!fits) {
      i++;
      continue;
    }
    ops += own.length;
    batch.push(candidate);
    queue.splice(i, 1);
  }
  return batch;
}
