import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must, newId, type Id } from '../../common/index.js';
import { type RowOp, type RowWrite, type TableSchema } from '../../query/index.js';
import { column, fuzz, table, writeContext } from '../../../test/query/index.js';
import { WriteQueue } from './write-queue.js';
import type { WriteResult } from './write-result.js';

const QTY = column('qty', 'integer');
const TABLE = table([QTY]);
const OPTIONS = {
  maxWrites: 8,
  maxOps: 10,
  isContentError: (error: unknown) => error instanceof Refused,
  patienceMs: 40_000,
};

class Refused extends Error {}

const write = (...ids: readonly Id[]): RowWrite => ({
  context: writeContext(),
  atomic: true,
  ops: ids.map((id): RowOp => ({ kind: 'update', id, values: new Map([[QTY, 1]]) })),
});

/** A database that remembers the transactions it was given, and lets the test decide when each ends and how. */
class FakeDatabase {
  readonly transactions: (readonly RowWrite[])[] = [];
  readonly committed: RowWrite[] = [];
  private seq = 0;
  private readonly waiting: (() => void)[] = [];
  refuse: (write: RowWrite) => Error | undefined = () => undefined;

  readonly execute = async (_table: TableSchema, writes: readonly RowWrite[]): Promise<WriteResult[]> => {
    this.transactions.push(writes);
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    for (const each of writes) {
      const error = this.refuse(each);
      if (error) throw error;
    }
    this.committed.push(...writes);
    return writes.map(({ ops }) => ({
      epoch: 'e',
      seq: ++this.seq,
      ops: ops.map(({ id }) => ({ status: 'ok' as const, id })),
    }));
  };

  /** Ends the oldest transaction that is under way. */
  async finish(): Promise<void> {
    this.waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async finishAll(): Promise<void> {
    while (this.waiting.length > 0) await this.finish();
  }
}

describe('WriteQueue', () => {
  it('lets the first writer go at once, and those that come meanwhile together', async () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    const answers = Promise.all([1, 2, 3].map(() => queue.submit(TABLE, write(newId()))));
    expect(db.transactions.map(({ length }) => length)).toEqual([1]);
    await db.finish();
    expect(db.transactions.map(({ length }) => length)).toEqual([1, 2]);
    await db.finish();
    expect((await answers).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('does not make writes of one table wait for those of another', () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    void queue.submit(TABLE, write(newId()));
    void queue.submit(table([QTY]), write(newId()));
    expect(db.transactions).toHaveLength(2);
  });

  it('never puts two writes of one row into one transaction, and keeps their order', async () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    const [first, row, other] = [newId(), newId(), newId()];
    const writes = [write(first), write(row), write(row, other), write(other), write(newId())];
    for (const each of writes) void queue.submit(TABLE, each);
    await db.finishAll();
    const [a, b, c, d, e] = writes;
    expect(db.transactions).toEqual([[a], [b, e], [c], [d]]);
  });

  it('puts writes together only if they were made from the very same copy of the metadata', async () => {
    // Regression: metadata that was read anew has equal but other column objects, and values are held by these. A batch of
    // both copies would have written nulls in the place of the values of one of them.
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    const again: TableSchema = { ...TABLE, columns: TABLE.columns.map((each) => ({ ...each })) };
    const writes = [write(newId()), write(newId()), write(newId())];
    for (const [i, each] of writes.entries()) void queue.submit(i === 2 ? again : TABLE, each);
    await db.finishAll();
    expect(db.transactions).toEqual(writes.map((each) => [each]));
  });

  it('answers every good write of a batch in which one is bad', async () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    const bad = newId();
    db.refuse = ({ ops }) => (ops[0]?.id === bad ? new Refused('unique') : undefined);
    const ids = [newId(), newId(), bad, newId()];
    const answers = Promise.allSettled(ids.map((id) => queue.submit(TABLE, write(id))));
    await db.finishAll();
    expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('tells all of a batch when the database is gone, instead of trying each alone', async () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    const answers = Promise.allSettled([1, 2, 3].map(() => queue.submit(TABLE, write(newId()))));
    await db.finish();
    db.refuse = () => new Error('connection lost');
    await db.finishAll();
    expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(db.transactions).toHaveLength(2);
  });

  it('goes on after an error', async () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    db.refuse = () => new Error('connection lost');
    const failed = queue.submit(TABLE, write(newId()));
    await Promise.allSettled([db.finish(), failed]);
    db.refuse = () => undefined;
    const fine = queue.submit(TABLE, write(newId()));
    await db.finishAll();
    await expect(fine).resolves.toMatchObject({ seq: 1 });
  });

  it.each([
    // Regression: each write of a refused batch, and each of those behind it, waited for a timeout of its own: half an hour for 64.
    ['a lock that never comes free', () => new Refused('statement timeout')],
    ['a database that hangs', () => new Error('connection lost')],
  ])('tries no write that has waited too long behind %s', async (_why, timeout) => {
    const db = new FakeDatabase();
    let now = 0;
    const queue = new WriteQueue(db.execute, { ...OPTIONS, now: () => now });
    const first = queue.submit(TABLE, write(newId()));
    const answers = Promise.allSettled(Array.from({ length: 20 }, () => queue.submit(TABLE, write(newId()))));
    await Promise.all([db.finish(), first]);
    db.refuse = timeout;
    for (let transactions = 0; transactions < 3; transactions++) {
      now += 30_000;
      await db.finish();
    }
    expect((await answers).map(({ status }) => status)).toEqual(Array<string>(20).fill('rejected'));
    expect(db.transactions.length).toBeLessThanOrEqual(3);
    db.refuse = () => undefined;
    const later = queue.submit(TABLE, write(newId()));
    await db.finishAll();
    await expect(later).resolves.toMatchObject({ seq: 2 });
  });

  it('never holds a big write back, and never lets one wait', async () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    void queue.submit(TABLE, write(newId()));
    void queue.submit(TABLE, write(...Array.from({ length: OPTIONS.maxOps + 1 }, newId)));
    expect(db.transactions).toHaveLength(2);
    await db.finishAll();
  });

  it('respects the size of a transaction', async () => {
    const db = new FakeDatabase();
    const queue = new WriteQueue(db.execute, OPTIONS);
    for (let i = 0; i < 40; i++) void queue.submit(TABLE, write(...Array.from({ length: 1 + (i % 4) }, newId)));
    await db.finishAll();
    for (const transaction of db.transactions) {
      expect(transaction.length).toBeLessThanOrEqual(OPTIONS.maxWrites);
      expect(transaction.flatMap(({ ops }) => ops).length).toBeLessThanOrEqual(OPTIONS.maxOps);
    }
  });

  it('loses nothing, doubles nothing and keeps the order of each row, however things interleave', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        rows: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
        bad: fc.boolean(),
      }),
      fc.constant({ kind: 'finish' as const }),
    );
    const ids = Array.from({ length: 6 }, newId);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const db = new FakeDatabase();
        const queue = new WriteQueue(db.execute, OPTIONS);
        const bad = new Set<RowWrite>();
        db.refuse = (each) => (bad.has(each) ? new Refused('no') : undefined);
        const submitted: { write: RowWrite; answer: Promise<unknown> }[] = [];
        for (const each of steps) {
          if (each.kind === 'finish') await db.finish();
          else {
            const made = write(...each.rows.map((i) => must(ids[i], 'there are six rows')));
            if (each.bad) bad.add(made);
            submitted.push({
              write: made,
              answer: queue.submit(TABLE, made).then(
                ({ ops }) => ops.map(({ id }) => id),
                () => 'refused',
              ),
            });
          }
        }
        await db.finishAll();
        for (const { write: each, answer } of submitted)
          expect(await answer).toEqual(bad.has(each) ? 'refused' : each.ops.map(({ id }) => id));
        const good = submitted.map((each) => each.write).filter((each) => !bad.has(each));
        expect(new Set(db.committed)).toEqual(new Set(good));
        expect(db.committed).toHaveLength(good.length);
        for (const id of ids) {
          const ofRow = (writes: readonly RowWrite[]) => writes.filter(({ ops }) => ops.some((op) => op.id === id));
          expect(ofRow(db.committed)).toEqual(ofRow(good));
        }
      }),
      fuzz(150),
    );
  });
});
