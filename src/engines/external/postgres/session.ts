import pg from 'pg';
import { Problem } from '../../../common/index.js';
import { toStatement, type Sql, type Statement } from '../../../query/index.js';
import type { ConnectionTarget, ExternalLimits, Outbound } from '../external-engine.js';
import { SessionLost } from '../sql/session.js';
import type { SqlSession, TransactionStatement } from '../sql/sql-engine.js';
import { cancelRequest, clientFor } from './driver.js';
import { sessionSurvives } from './postgres-errors.js';
import { PreparedStatements } from './prepared-statements.js';

export type PostgresRow = readonly (string | null)[];

/** The server is given this much to keep to its own limit of time; then the connection is cut. */
const GRACE_MS = 500;

/** A signed-in session with a server that may be anybody. What it answers is bounded in bytes, rows and time. */
export class PostgresSession implements SqlSession {
  private readonly client: pg.Client;
  private readonly socket;
  /** Ends what is being waited for. */
  private reject: ((error: unknown) => void) | undefined;
  private bytes = 0;
  private lost = false;
  private readonly statements = new PreparedStatements();
  serverVersion = '';

  private constructor(
    private readonly target: ConnectionTarget,
    private readonly limits: ExternalLimits,
    private readonly outbound: Outbound,
  ) {
    this.socket = outbound.socket();
    this.socket.once('close', () => this.fail(new SessionLost()));
    this.client = clientFor(target, this.socket, {
      received: (bytes) => this.received(bytes),
      failed: (error) => this.fail(error),
    });
  }

  /** Connects, signs in and sets the session up. Errors are the driver's, the system's or Problems. */
  static async open(
    target: ConnectionTarget,
    limits: ExternalLimits,
    outbound: Outbound,
    signal?: AbortSignal,
  ): Promise<PostgresSession> {
    signal?.throwIfAborted();
    const session = new PostgresSession(target, limits, outbound);
    try {
      await session.until(limits.connectMs, unreachable, signal, async () => {
        await session.client.connect();
        await session.client.query(settings(limits));
        const { rows } = await session.client.query<{ version: string }>('show server_version');
        session.serverVersion = Object.values(rows[0] ?? {}).join();
      });
      return session;
    } catch (error) {
      session.fail(error);
      throw error;
    }
  }

  get usable(): boolean {
    return !this.lost;
  }

  /** @throws what the server answered, a Problem, the reason of `signal`, or {@link SessionLost}; the session is {@link usable} only after the first */
  async run(statement: Sql, maxRows: number, signal?: AbortSignal): Promise<readonly PostgresRow[]> {
    signal?.throwIfAborted();
    this.bytes = 0;
    try {
      return await this.until(this.limits.statementMs + GRACE_MS, tookTooLong, signal, () =>
        this.ask(toStatement(statement), maxRows),
      );
    } catch (error) {
      if (sessionSurvives(error)) throw error;
      this.stop();
      this.fail(error);
      throw error instanceof Problem || signal?.aborted ? error : new SessionLost(error);
    }
  }

  async command(text: TransactionStatement): Promise<void> {
    await this.until(this.limits.statementMs + GRACE_MS, tookTooLong, undefined, () => this.client.query(text));
  }

  end(): void {
    if (this.lost) return;
    this.lost = true;
    this.client.end().catch(() => undefined);
    this.socket.unref();
    setTimeout(() => this.socket.destroy(), 1_000).unref();
  }

  fail(error: unknown): void {
    this.lost = true;
    this.socket.destroy();
    const { reject } = this;
    this.reject = undefined;
    reject?.(error);
  }

  private ask({ text, values }: Statement, maxRows: number): Promise<readonly PostgresRow[]> {
    return new Promise((resolve, reject) => {
      const rows: PostgresRow[] = [];
      const name = this.statements.nameOf(text);
      const config = { text, values, rowMode: 'array' as const, ...(name === undefined ? {} : { name }) };
      const query = new pg.Query(config as pg.QueryConfig);
      query.on('row', (row: unknown) => {
        if (rows.push(row as PostgresRow) > maxRows) this.fail(new Error('more rows than were asked for'));
      });
      query.on('error', reject);
      query.on('end', () => resolve(rows));
      this.client.query(query);
    });
  }

  /** Lets the server stop, too; nobody waits for it. */
  private stop(): void {
    const message = cancelRequest(this.client);
    if (!message) return;
    const socket = this.outbound.socket();
    socket.on('error', () => undefined);
    socket.setTimeout(this.limits.connectMs, () => socket.destroy());
    socket.unref();
    socket.connect(this.target.port, this.target.host);
    socket.end(message);
  }

  private received(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.limits.maxBytes)
      this.fail(
        new Problem('answer_too_large', {
          detail: `The answer of the database has more than ${this.limits.maxBytes} bytes.`,
        }),
      );
  }

  /** `work`, unless time is up, the caller goes away or the connection ends before: then the session is lost. */
  private async until<T>(
    ms: number,
    late: () => Problem,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.lost) throw new SessionLost();
    let timer: NodeJS.Timeout | undefined;
    let gone: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.reject = reject;
        timer = setTimeout(() => this.fail(late()), ms);
        gone = () => this.fail(signal?.reason);
        signal?.addEventListener('abort', gone);
        work().then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      if (gone) signal?.removeEventListener('abort', gone);
      this.reject = undefined;
    }
  }
}

const unreachable = (): Problem => new Problem('source_unreachable', { detail: 'The server did not answer in time.' });
const tookTooLong = (): Problem => new Problem('source_timeout');

/** What every statement relies on: reading only, UTC, ISO dates, exact floats; and a limit of time. */
const settings = ({ statementMs }: ExternalLimits): string =>
  [
    'default_transaction_read_only = on',
    "timezone = 'UTC'",
    "datestyle = 'ISO, YMD'",
    "intervalstyle = 'postgres'",
    "bytea_output = 'hex'",
    'extra_float_digits = 1',
    'standard_conforming_strings = on',
    `statement_timeout = ${statementMs}`,
    `lock_timeout = ${statementMs}`,
    `idle_in_transaction_session_timeout = ${statementMs + 10_000}`,
  ]
    .map((setting) => `set ${setting}`)
    .join('; ');
