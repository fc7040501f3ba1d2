import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/index.js';
import { LongSessions, type LongSession, type PgSession } from '../../database/mini/index.js';
import { lockTables, sql, toStatement, value, type RowWrite, type TableSchema } from '../../query/index.js';
import { linkedTables, lockLinksOf } from './linked-write.js';
import { MiniDbWriter } from './mini-db-writer.js';
import { meaningOf } from './meaning.js';
import { isTransient, pgError, translate } from './pg-errors.js';
import { TakenNumbers } from './taken-numbers.js';
import type { WriteResult } from './write-result.js';

/** A try to get the locks; whoever writes meanwhile waits behind it, so it is short. */
const LOCK_MS = 1_000;
const LOCK_TRIES = 20;

/** Writes of any number of portions, each under a number of its own, that become visible together or not at all. */
export interface PortionedWrite {
  /** Makes the changes of one portion. `prepare` sees what the portions before it wrote. An error undoes this portion only. @throws as {@link MiniDbWriter.write} */
  write<W extends RowWrite>(
    prepare: (session: PgSession) => Promise<W>,
  ): Promise<{ readonly write: W; readonly result: WriteResult }>;
  readonly session: PgSession;
  commit(): Promise<void>;
  /** Undoes everything, if it was not committed. Never rejects. */
  abandon(): Promise<void>;
}

/**
 * The write path for more than one statement can hold: the statements of {@link MiniDbWriter}, many of them in one transaction. It holds
 * the table against all other writers from its beginning, so that it cannot be in a circle of waiting writers, however long it takes.
 */
@Injectable()
export class MiniDbImport {
  constructor(
    private readonly sessions: LongSessions,
    private readonly writer: MiniDbWriter,
  ) {}

  /** @throws Problem `overloaded` others write to the table and do not come to an end; SchemaMoved */
  async begin(table: TableSchema, { links }: { readonly links: boolean }): Promise<PortionedWrite> {
    const session = await this.sessions.transaction();
    try {
      await lock(session, table, links);
      return new Portions(session, table, this.writer);
    } catch (error) {
      await session.abandon();
      throw translate(error, table);
    }
  }
}

/**
 * In the order of the other writers: those who look before they write, links, rows. A table that is held against all writers stands for its
 * rows.
 */
async function lock(session: PgSession, table: TableSchema, links: boolean): Promise<void> {
  const held = links ? linkedTables(table) : [table];
  await session.query(toStatement(sql`savepoint before_locks`));
  for (let attempt = 1; ; attempt++) {
    try {
      await session.query(toStatement(sql`select set_config('lock_timeout', ${value(`${LOCK_MS}ms`, 'text')}, true)`));
      await session.query({ text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [table.id] });
      if (links) await lockLinksOf(session, table);
      await session.query(toStatement(lockTables(held)));
      await session.query(toStatement(sql`select set_config('lock_timeout', '0', true)`));
      return;
    } catch (error) {
      if (pgError(error)?.code !== '55P03' && !isTransient(error)) throw error;
      if (attempt === LOCK_TRIES)
        throw new Problem('overloaded', {
          detail: 'Others are writing to this table and do not come to an end.',
          headers: { 'retry-after': '5' },
          cause: error,
        });
      await session.query(toStatement(sql`rollback to savepoint before_locks`));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * attempt));
    }
  }
}

class Portions implements PortionedWrite {
  private readonly taken = new TakenNumbers();

  constructor(
    readonly session: LongSession,
    private readonly table: TableSchema,
    private readonly writer: MiniDbWriter,
  ) {}

  async write<W extends RowWrite>(
    prepare: (session: PgSession) => Promise<W>,
  ): Promise<{ readonly write: W; readonly result: WriteResult }> {
    await this.session.query(toStatement(sql`savepoint portion`));
    try {
      const write = await prepare(this.session);
      const done = await this.writer.within(this.session, this.table, write);
      await this.session.query(toStatement(sql`release savepoint portion`));
      this.taken.add(this.table, done);
      return { write, result: done.result };
    } catch (error) {
      await this.session.query(toStatement(sql`rollback to savepoint portion`));
      throw await meaningOf(error, this.table, this.session);
    }
  }

  async commit(): Promise<void> {
    await this.session.commit();
    this.writer.committed(this.taken);
  }

  abandon(): Promise<void> {
    return this.session.abandon();
  }
}
