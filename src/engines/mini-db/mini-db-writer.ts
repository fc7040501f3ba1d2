import { Injectable } from '@nestjs/common';
import { MiniDatabase, type PgSession } from '../../database/mini/index.js';
import { compileWrite, lagsBehind, toStatement, type RowWrite, type TableSchema } from '../../query/index.js';
import { concernsLinks } from './link-changes.js';
import { LinkedWrite, type LinkedResult } from './linked-write.js';
import { isContentError, isTransient, translate } from './pg-errors.js';
import { Turns } from './turns.js';
import { readResults } from './read-results.js';
import { reread } from './reread.js';
import { WriteQueue, type WriteResult } from './write-queue.js';

/** Told after each commit that took a number, once for each transaction. */
export type CommitListener = (table: TableSchema, seq: number) => void;

const RETRIES = 4;

/** A write with more ops goes alone. */
const MAX_OPS = 64;

/** Longer than one statement may take, so that one slow transaction alone refuses nobody. */
const PATIENCE_MS = 40_000;

/** The only writer of rows: change, change log and number in one transaction. */
@Injectable()
export class MiniDbWriter {
  private readonly listeners: CommitListener[] = [];
  private readonly queue = new WriteQueue((table, writes) => this.execute(table, writes), {
    maxWrites: 64,
    maxOps: MAX_OPS,
    isContentError,
    patienceMs: PATIENCE_MS,
  });
  /** Large writes of one table wait for each other at its counter; half of the connections are left to the other tables. */
  private readonly large: Turns;
  /** One works, the next has begun its transaction and waits for the lock. */
  private readonly exclusive = new Turns(2, PATIENCE_MS);

  /** Of one base: a write that changes links holds the links of all tables that it leads to. */
  private readonly linking = new Turns(2, PATIENCE_MS);

  constructor(private readonly database: MiniDatabase) {
    this.large = new Turns(Math.max(1, Math.floor(database.poolSize / 2)), PATIENCE_MS);
  }

  onCommitted(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /**
   * Makes the changes and answers after the commit. Preconditions that do not hold are results, not errors.
   *
   * The rows of the answer are what a read in the same transaction, behind all of its changes, would say, cells computed from linked
   * rows included: from new links, from values of this write that lead back to its rows, from those of others committed before.
   * Only writes that change what their own answers are computed from pay for that, by a second statement.
   * @throws LinksRefused rows that cannot be linked; nothing was written
   * @throws SchemaMoved the structure has another version; nothing was written
   * @throws Problem `unique_violation`, `overloaded`; nothing was written
   */
  write(table: TableSchema, write: RowWrite): Promise<WriteResult> {
    if (concernsLinks(table, write.ops))
      return this.linking.run(table.physical.schema, () => this.writeLinks(table, write));
    if (write.ops.length <= MAX_OPS) return this.queue.submit(table, write);
    return this.large.run(table.id, () => this.queue.submit(table, write));
  }

  /**
   * A write whose ops depend on what is there (upsert): `prepare` looks and decides inside the transaction, one such
   * write of a table at a time, in the whole cluster.
   */
  async writeExclusively<W extends RowWrite>(
    table: TableSchema,
    prepare: (session: PgSession) => Promise<W>,
  ): Promise<{ write: W; result: WriteResult }> {
    return this.exclusive.run(table.id, () => this.inOneTransaction(table, prepare));
  }

  private inOneTransaction<W extends RowWrite>(
    table: TableSchema,
    prepare: (session: PgSession) => Promise<W>,
  ): Promise<{ write: W; result: WriteResult }> {
    return this.retrying(table, async () => {
      const done = await this.database.transaction(async (session) => {
        await session.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [table.id] });
        const write = await prepare(session);
        if (concernsLinks(table, write.ops)) return { write, ...(await new LinkedWrite(session, table, write).run()) };
        const [result] = await this.writeRows(session, table, [write]);
        if (!result) throw new Error('a write has no result');
        return { write, result, others: [] };
      });
      this.announceAll(table, done);
      return { write: done.write, result: done.result };
    });
  }

  private writeLinks(table: TableSchema, write: RowWrite): Promise<WriteResult> {
    return this.retrying(table, async () => {
      const done = await this.database.transaction((session) => new LinkedWrite(session, table, write).run());
      this.announceAll(table, done);
      return done.result;
    });
  }

  private announceAll(table: TableSchema, { result, others }: LinkedResult): void {
    this.announce(table, [result]);
    for (const other of others) for (const listener of this.listeners) listener(other.table, other.seq);
  }

  private execute(table: TableSchema, writes: readonly RowWrite[]): Promise<WriteResult[]> {
    return this.retrying(table, async () => {
      const results = lags(table, writes)
        ? await this.database.transaction((session) => this.writeRows(session, table, writes), { prepares: true })
        : await this.writeRows(this.database, table, writes);
      this.announce(table, results);
      return results;
    });
  }

  /** A statement alone is its own transaction; one whose answer would lag behind takes another, so it needs a session. */
  private async writeRows(session: PgSession, table: TableSchema, writes: readonly RowWrite[]): Promise<WriteResult[]> {
    const results = readResults(writes, await session.query(toStatement(compileWrite(table, writes))));
    return lags(table, writes) ? reread(session, table, results) : results;
  }

  private announce(table: TableSchema, results: readonly WriteResult[]): void {
    if (!results.some(({ ops }) => ops.some(({ status }) => status === 'ok'))) return;
    const seq = Math.max(...results.map((result) => result.seq));
    for (const listener of this.listeners) listener(table, seq);
  }

  private async retrying<T>(table: TableSchema, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt > RETRIES || !isTransient(error)) throw translate(error, table);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
      }
    }
  }
}

const lags = (table: TableSchema, writes: readonly RowWrite[]): boolean => {
  const touched = new Set([table.id]);
  return writes.some(({ ops }) => lagsBehind(table, ops, touched));
};
