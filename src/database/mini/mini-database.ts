import { createHash } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { inSpan, noteInSpan, SpanKind, type Attributes } from '../../common/index.js';
import { APP_CONFIG, type AppConfig, type PostgresSettings } from '../../config/index.js';
import { poolLoad, type PoolLoad } from '../pool-load.js';
import { PROBE } from '../probe.js';
import { verifyWritable } from '../writable.js';
import { ArrayQuery } from './array-query.js';
import { isOnThisMachine, PageTurns } from './page-turns.js';
import { RecordClient } from './record-client.js';
import type { PgRow, PgStatement } from './statement.js';

/** One connection inside a transaction. */
export interface PgSession {
  query(statement: PgStatement): Promise<PgRow[]>;
}

/** How the statements of a transaction are run. */
export interface TransactionManner {
  readonly prepares?: boolean;
  readonly timeoutMs?: number;
}

/** Told of each statement alone, and of each transaction: how long it waited for a connection, how long it then took, in milliseconds. */
export type WorkListener = (work: 'statement' | 'transaction', waitedMs: number, ranMs: number) => void;

/** So many statement shapes are kept prepared; every shape costs memory in each server process. */
const MAX_PREPARED = 1_000;

/** The pool of the mini-DB. Knows connections and statements; what they mean is the engine's business. */
@Injectable()
export class MiniDatabase implements OnApplicationShutdown {
  private readonly pool: pg.Pool;
  private readonly names = new Map<string, string>();
  private readonly seenOnce = new Set<string>();
  /** Where the database works on the cores of this machine. */
  private readonly turns: PageTurns | undefined;
  private listener: WorkListener | undefined;
  /** Of a statement that is done, until this turn of the event loop ends. */
  private spare: pg.PoolClient | undefined;

  /** How many connections there are for everybody. */
  readonly poolSize: number;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    this.poolSize = config.miniDb.poolSize;
    if (isOnThisMachine(config.miniDb.host)) this.turns = new PageTurns();
    this.pool = new pg.Pool({ ...poolConfig(config.miniDb), Client: RecordClient });
    // A connection that dies is replaced by the pool. It says so by an event, too, which ends the process when nobody
    // hears it; the pool listens only while the connection is idle.
    this.pool.on('error', ignore);
    this.pool.on('connect', (client) => client.on('error', ignore));
  }

  load(): PoolLoad {
    return poolLoad(this.pool, this.poolSize);
  }

  /** Whom to tell of work that succeeded; one only. */
  onWork(listener: WorkListener): void {
    this.listener = listener;
  }

  /** Runs one statement on any connection. Prepared when its shape has been seen before. */
  query(statement: PgStatement): Promise<PgRow[]> {
    const { turns } = this;
    const run = turns && statement.bytes ? () => this.queryInTurn(turns, statement) : () => this.queryNow(statement);
    return inSpan('plan.execute', STATEMENT, run, SpanKind.CLIENT);
  }

  private async queryInTurn(turns: PageTurns, statement: PgStatement): Promise<PgRow[]> {
    const askedAt = performance.now();
    const turn = await turns.begin();
    try {
      return await this.queryNow(statement, askedAt);
    } finally {
      turns.end(turn);
    }
  }

  private async queryNow(statement: PgStatement, askedAt = performance.now()): Promise<PgRow[]> {
    const client = await this.take();
    const begunAt = performance.now();
    const query = this.prepared(statement);
    try {
      noteInSpan(() => waited(begunAt - askedAt));
      const rows = await query.run(client);
      this.giveBack(client);
      this.listener?.('statement', begunAt - askedAt, performance.now() - begunAt);
      return rows;
    } catch (error) {
      // Not `pool.query`: that throws the connection away with every refused statement, and its prepared ones with it.
      client.release(query.isOver || isRefusal(error) ? undefined : asError(error));
      throw error;
    }
  }

  /**
   * The pool hands a connection out by `process.nextTick`, which comes behind all promises: the next group of writes would be sent only when the
   * last answer of the group before is written, and the database would have nothing to do meanwhile.
   */
  private take(): pg.PoolClient | Promise<pg.PoolClient> {
    const { spare } = this;
    this.spare = undefined;
    return spare ?? this.pool.connect();
  }

  private giveBack(client: pg.PoolClient): void {
    if (this.spare || this.pool.waitingCount > 0) {
      client.release();
      return;
    }
    this.spare = client;
    setImmediate(() => {
      if (this.spare !== client) return;
      this.spare = undefined;
      client.release();
    });
  }

  /**
   * Runs `work` between BEGIN and COMMIT on one connection; an error rolls back and passes through. With `prepares` its statements are
   * prepared like those of {@link query}: for the few shapes that come again and again. With `timeoutMs` PostgreSQL stops each of them
   * after that time (57014).
   */
  transaction<T>(work: (session: PgSession) => Promise<T>, manner: TransactionManner = {}): Promise<T> {
    return inSpan('plan.execute', TRANSACTION, () => this.transactionNow(work, manner), SpanKind.CLIENT);
  }

  private async transactionNow<T>(
    work: (session: PgSession) => Promise<T>,
    { prepares = false, timeoutMs }: TransactionManner,
  ): Promise<T> {
    const askedAt = performance.now();
    const client = await this.take();
    const begunAt = performance.now();
    try {
      noteInSpan(() => waited(begunAt - askedAt));
      // In one message, which costs no round trip more.
      await client.query(timeoutMs === undefined ? 'begin' : `begin; set local statement_timeout = ${timeoutMs}`);
      const result = await work({
        query: async (statement) => {
          if (prepares) return this.prepared(statement).run(client);
          // Structure is changed by statements without values, several of them at once.
          return statement.values.length > 0 || statement.bytes
            ? new ArrayQuery(statement).run(client)
            : (await client.query<(string | null)[]>(asText(statement))).rows;
        },
      });
      await client.query('commit');
      client.release();
      this.listener?.('transaction', begunAt - askedAt, performance.now() - begunAt);
      return result;
    } catch (error) {
      await client.query(ROLLBACK).then(
        () => client.release(),
        // A connection that cannot roll back is broken; the pool must not hand it out again.
        (broken: unknown) => client.release(broken instanceof Error ? broken : true),
      );
      throw error;
    }
  }

  /** One trivial round trip; rejects when the database does not answer soon. */
  async ping(): Promise<void> {
    await this.pool.query(PROBE);
  }

  /** Not earlier: until the HTTP server has closed, requests under way still need it. */
  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  /** One-off shapes (a long filter written once) are not worth a prepared statement; the second use makes it one. */
  private prepared(statement: PgStatement): ArrayQuery {
    let name = this.names.get(statement.text);
    if (name === undefined && this.names.size < MAX_PREPARED) {
      const digest = createHash('sha1').update(statement.text).digest('base64');
      if (this.seenOnce.delete(digest)) this.names.set(statement.text, (name = digest));
      else {
        if (this.seenOnce.size > MAX_PREPARED) this.seenOnce.clear();
        this.seenOnce.add(digest);
      }
    }
    return new ArrayQuery(statement, name);
  }
}

/** What spans say of the work; statements and values stay here. */
const STATEMENT = { 'db.system.name': 'postgresql', 'live_tables.work': 'statement' };
const TRANSACTION = { 'db.system.name': 'postgresql', 'live_tables.work': 'transaction' };

const waited = (ms: number): Attributes => ({ 'live_tables.wait_ms': Math.round(ms * 10) / 10 });

/** The server refused the statement and is fine; anything else (lost, timed out, FATAL) leaves the connection in doubt. */
const isRefusal = (error: unknown): boolean => error instanceof pg.DatabaseError && error.severity === 'ERROR';

const asError = (error: unknown): Error | true => (error instanceof Error ? error : true);

const ignore = (): void => undefined;

/** Not for as long as a statement may take: on a connection that leads nowhere the caller has waited long enough. */
const ROLLBACK: pg.QueryConfig & { readonly query_timeout: number } = { text: 'rollback', query_timeout: 2_000 };

const asText = ({ text, timeoutMs }: PgStatement): pg.QueryArrayConfig & { query_timeout?: number } => ({
  text,
  rowMode: 'array',
  ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
});

/** Values stay PostgreSQL's text: bigint and numeric exact, dates untouched by time zones. */
const textOnly: pg.CustomTypesConfig = { getTypeParser: () => (text: string | Buffer) => text };

/** What every statement of ours relies on: UTC, ISO dates, standard strings; and limits that keep one statement from hurting the others. */
const SESSION = [
  'timezone=UTC',
  'datestyle=ISO',
  'standard_conforming_strings=on',
  'statement_timeout=30s',
  'idle_in_transaction_session_timeout=60s',
  'jit=off',
];

export const poolConfig = (settings: PostgresSettings): pg.PoolConfig => ({
  host: settings.host,
  port: settings.port,
  user: settings.username,
  password: settings.password,
  database: settings.database,
  ssl: settings.tls,
  max: settings.poolSize,
  connectionTimeoutMillis: 5_000,
  // Longer than the server's own statement_timeout: only a connection that leads nowhere runs into it.
  query_timeout: 35_000,
  idleTimeoutMillis: 60_000,
  // Prepared statements live as long as their connection; an end keeps their number bounded.
  maxLifetimeSeconds: 1_800,
  keepAlive: true,
  application_name: 'live-tables',
  options: SESSION.map((setting) => `-c ${setting}`).join(' '),
  types: textOnly,
  verify: verifyWritable,
});
