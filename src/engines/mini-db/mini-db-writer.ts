import { Injectable } from '@nestjs/common';
import { inSpan, must, noteInSpan, outsideOfSpans, type Attributes, type Id } from '../../common/index.js';
import { MiniDatabase, type PgSession } from '../../database/mini/index.js';
import {
  compileWrite,
  concernsLinks,
  lagsBehind,
  lockLinks,
  lockTables,
  sayCreates,
  setAside,
  toStatement,
  type TableSchema,
} from '../../query/index.js';
import { compiled } from './compiled.js';
import { completeAll, type Submitted } from './kept-writes.js';
import { linkedTables, LinkedWrite, lockLinksOf, type LinkedResult } from './linked-write.js';
import { meaningOf } from './meaning.js';
import { isContentError, isTransient } from './pg-errors.js';
import { TakenNumbers } from './taken-numbers.js';
import { Turns } from './turns.js';
import { readCreated, readResults } from './read-results.js';
import { reread } from './reread.js';
import { WriteQueue } from './write-queue.js';
import type { WriteResult } from './write-result.js';

/** Told of each transaction of gathered writes: how many there were, how long the first had waited, how long it took; milliseconds. */
export type BatchListener = (writes: number, waitedMs: number, ranMs: number) => void;

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
  private batchListener: BatchListener | undefined;
  private readonly queue = new WriteQueue((table, writes) => this.execute(table, writes), {
    maxWrites: 64,
    maxOps: MAX_OPS,
    isContentError,
    patienceMs: PATIENCE_MS,
    onBatch: (writes, waitedMs, ranMs) => this.batchListener?.(writes, waitedMs, ranMs),
  });
  /** Large writes of one table wait for each other at its counter; half of the connections are left to the other tables. */
  private readonly large: Turns;
  /** One works, the next has begun its transaction and waits for the lock. */
  private readonly exclusive = new Turns(2, PATIENCE_MS);

  /** Those that are for one row wait for each other at its lock, on a connection each. */
  private readonly prepared = new Turns(4, PATIENCE_MS);

  /** Of one base: a write that changes links holds the links of all tables that it leads to. */
  private readonly linking = new Turns(2, PATIENCE_MS);

  constructor(private readonly database: MiniDatabase) {
    this.large = new Turns(Math.max(1, Math.floor(database.poolSize / 2)), PATIENCE_MS);
  }

  onCommitted(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** Whom to tell of gathered writes; one only. */
  onBatch(listener: BatchListener): void {
    this.batchListener = listener;
  }

  /** Single-row writes that wait to go together. */
  get waiting(): number {
    return this.queue.size;
  }

  /** Tells the listeners what a transaction took that is committed by now. */
  committed({ all }: TakenNumbers): void {
    for (const { table, seq } of all) this.tell(table, seq);
  }

  /**
   * Makes the changes and answers after the commit. Preconditions that do not hold are results, not errors.
   *
   * The rows of the answer are what a read in the same transaction, behind all of its changes, would say, cells computed from linked
   * rows included: from new links, from values of this write that lead back to its rows, from those of others committed before.
   * Only writes that change what their own answers are computed from pay for that, by a second statement.
   * @throws LinksRefused rows that cannot be linked; nothing was written
   * @throws DoneBefore somebody did it under the same key; nothing was written
   * @throws SchemaMoved the structure has another version; nothing was written
   * @throws Problem `unique_violation`, `overloaded`; nothing was written
   */
  write(table: TableSchema, write: Submitted): Promise<WriteResult> {
    return inSpan('rows.write', { ...of(table), 'live_tables.ops': write.ops.length }, async () =>
      noted(await this.begun(table, write)),
    );
  }

  private begun(table: TableSchema, write: Submitted): Promise<WriteResult> {
    if (concernsLinks(table, write.ops))
      return this.linking.run(table.physical.schema, () => this.writeLinks(table, write));
    if (write.ops.length <= MAX_OPS) return this.queue.submit(table, write);
    return this.large.run(table.id, () => this.queue.submit(table, write));
  }

  /**
   * A write whose ops depend on what its rows hold: `prepare` looks and decides inside the transaction, and locks the rows that
   * it looks at. `exclusive`: one such write of a table at a time, in the whole cluster, for what depends on rows that are not there
   * (upsert). `links`: keeps others from changing links, too; needed where the write will concern some.
   */
  async writePrepared<W extends Submitted>(
    table: TableSchema,
    { exclusive = false, links = false }: { readonly exclusive?: boolean; readonly links?: boolean },
    prepare: (session: PgSession) => Promise<W>,
  ): Promise<{ write: W; result: WriteResult }> {
    const turns = exclusive ? this.exclusive : this.prepared;
    return inSpan('rows.write', of(table), async () => {
      const done = await turns.run(table.id, () =>
        this.inOneTransaction(table, async (session) => {
          if (exclusive)
            await session.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [table.id] });
          if (links) await lockLinksOf(session, table);
          return prepare(session);
        }),
      );
      noted(done.result);
      return done;
    });
  }

  /**
   * Several writes in one transaction, each with a number of its own: for more than one statement takes well. `work` decides inside, and
   * hands them in one after the other. `links` as with {@link writePrepared}; the tables at both ends are held against all other writers
   * then, since a portion takes numbers before the next locks linked rows, which is not the order of the others.
   */
  writeMany<T>(
    table: TableSchema,
    { links = false }: { readonly links?: boolean },
    work: (session: PgSession, write: (portion: Submitted) => Promise<WriteResult>) => Promise<T>,
  ): Promise<T> {
    const held = links ? linkedTables(table) : [];
    const begin = (): Promise<T> =>
      this.portions(table, held, (session, write) => work(session, (portion) => write(table, portion)));
    return inSpan('rows.write', of(table), () => this.large.run(table.id, begin));
  }

  /**
   * As {@link writeMany}, over several tables of one base, one at least. They, and those that their links lead to, are held against all other
   * writers from the start, the links first, then the tables, each by their ids, as everybody who needs several takes them.
   */
  writeAcross<T>(
    tables: readonly [TableSchema, ...TableSchema[]],
    work: (session: PgSession, write: (table: TableSchema, portion: Submitted) => Promise<WriteResult>) => Promise<T>,
  ): Promise<T> {
    const [first] = tables;
    const held = new Map(tables.flatMap(linkedTables).map((each) => [each.id, each]));
    const begin = (): Promise<T> => this.portions(first, [...held.values()], work);
    return inSpan('rows.write', { 'live_tables.tables': tables.length }, () =>
      this.linking.run(first.physical.schema, begin),
    );
  }

  /** Sets rows aside that the same transaction has locked; it writes each of them `aside` then, before anything else looks at it. */
  async setAside(session: PgSession, table: TableSchema, ids: readonly Id[]): Promise<void> {
    await session.query(toStatement(setAside(table, ids)));
  }

  private portions<T>(
    table: TableSchema,
    held: readonly TableSchema[],
    work: (session: PgSession, write: (table: TableSchema, portion: Submitted) => Promise<WriteResult>) => Promise<T>,
  ): Promise<T> {
    // Whose constraint it is that an error speaks of.
    let written = table;
    return this.retrying(
      () => written,
      async () => {
        const taken = new TakenNumbers();
        const result = await this.database.transaction(async (session) => {
          if (held.length > 0) {
            await session.query(toStatement(lockLinks(held)));
            await session.query(toStatement(lockTables(held)));
          }
          return work(session, async (to, portion) => {
            written = to;
            const done = await this.within(session, to, portion);
            taken.add(to, done);
            return done.result;
          });
        });
        this.committed(taken);
        return result;
      },
    );
  }

  private inOneTransaction<W extends Submitted>(
    table: TableSchema,
    prepare: (session: PgSession) => Promise<W>,
  ): Promise<{ write: W; result: WriteResult }> {
    return this.retrying(table, async () => {
      const done = await this.database.transaction(async (session) => {
        const write = await prepare(session);
        return { write, ...(await this.within(session, table, write)) };
      });
      this.committed(new TakenNumbers().add(table, done));
      return { write: done.write, result: done.result };
    });
  }

  private writeLinks(table: TableSchema, write: Submitted): Promise<WriteResult> {
    return this.retrying(table, async () => {
      const done = await this.database.transaction((session) => this.within(session, table, write));
      this.committed(new TakenNumbers().add(table, done));
      return done.result;
    });
  }

  /** One write of any kind inside of a transaction, whose owner says {@link committed}. @throws LinksRefused, DoneBefore, PostgreSQL's own errors */
  async within(session: PgSession, table: TableSchema, write: Submitted): Promise<LinkedResult> {
    if (!concernsLinks(table, write.ops)) {
      const [result] = await this.writeRows(session, table, [write]);
      return { result: must(result, 'a write has a result'), others: [] };
    }
    const done = await new LinkedWrite(session, table, write).run();
    const [result] = await completeAll(session, table, [write], [done.result]);
    return { ...done, result: must(result, 'a write has a result') };
  }

  private execute(table: TableSchema, writes: readonly Submitted[]): Promise<WriteResult[]> {
    return this.retrying(table, async () => {
      const results = takesMore(table, writes)
        ? await this.database.transaction((session) => this.writeRows(session, table, writes), { prepares: true })
        : await this.writeRows(this.database, table, writes);
      this.announce(table, results);
      return results;
    });
  }

  /** A statement alone is its own transaction; one that {@link takesMore} statements needs a session. */
  private async writeRows(
    session: PgSession,
    table: TableSchema,
    writes: readonly Submitted[],
  ): Promise<WriteResult[]> {
    const written = await this.written(session, table, writes);
    mustBeBack(writes, written);
    const results = lags(table, writes) ? await reread(session, table, written) : written;
    return completeAll(session, table, writes, results);
  }

  private async written(session: PgSession, table: TableSchema, writes: readonly Submitted[]): Promise<WriteResult[]> {
    const said = sayCreates(table, writes);
    if (said) return readCreated(writes, said.fields, await session.query(compiled(() => said.statement)));
    return readResults(writes, await session.query(compiled(() => compileWrite(table, writes))));
  }

  private announce(table: TableSchema, results: readonly WriteResult[]): void {
    if (!results.some(({ ops }) => ops.some(({ status }) => status === 'ok'))) return;
    const seq = Math.max(...results.map((result) => result.seq));
    this.tell(table, seq);
  }

  private tell(table: TableSchema, seq: number): void {
    outsideOfSpans(() => {
      for (const listener of this.listeners) listener(table, seq);
    });
  }

  private async retrying<T>(table: TableSchema | (() => TableSchema), work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt > RETRIES || !isTransient(error)) {
          throw await meaningOf(error, typeof table === 'function' ? table() : table, this.database);
        }
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
      }
    }
  }
}

/** A row that is set aside and stays there would be lost; better that nothing is done. */
function mustBeBack(writes: readonly Submitted[], results: readonly WriteResult[]): void {
  for (const [i, { ops }] of writes.entries())
    for (const [o, op] of ops.entries())
      if (op.kind === 'update' && op.aside && results[i]?.ops[o]?.status !== 'ok')
        throw new Error(`Row ${op.id} was set aside, and not written.`);
}

/** What spans say of a table, and of what became of a write. */
const of = ({ id }: TableSchema): Attributes => ({ 'live_tables.table_id': id });

function noted(result: WriteResult): WriteResult {
  noteInSpan(() => ({ 'live_tables.seq': result.seq, 'live_tables.ops': result.ops.length }));
  return result;
}

const lags = (table: TableSchema, writes: readonly Submitted[]): boolean => {
  const touched = new Set([table.id]);
  return writes.some(({ ops }) => lagsBehind(table, ops, touched));
};

/** Whether the answer is read behind the write, or something goes with it. */
const takesMore = (table: TableSchema, writes: readonly Submitted[]): boolean =>
  writes.some(({ keep, also }) => keep !== undefined || also !== undefined) || lags(table, writes);
