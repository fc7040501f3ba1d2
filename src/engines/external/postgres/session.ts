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

/** Messages around the rows of an answer: what a server reports of itself, notices, the parts of the protocol. */
const OTHER_MESSAGES = 10_000;
/** The oldest that is spoken to. */
const LEAST_VERSION = 13;
/** The server is given this much to keep to its own limit of time; then the connection is cut. */
const GRACE_MS = 500;

/** A signed-in session with a server that may be anybody. What it answers is bounded in bytes, rows and time. */
export class PostgresSession implements SqlSession {
  private readonly client: pg.Client;
  private readonly socket;
  /** Ends what is being waited for. */
  private reject: ((error: unknown) => void) | undefined;
  private bytes = 0;
  private messages = 0;
  private messagesAllowed = OTHER_MESSAGES;
  private lost = false;
  private readonly statements = new PreparedStatements();
  serverVersion = '';

  private constructor(
    private readonly target: ConnectionTarget,
    private readonly limits: ExternalLimits,
    private readonly outbound: Outbound,
  ) {
    this.socket = outbound.socket();
    // The driver tells of an error only later than the socket closes.
    this.socket.once('close', () => this.fail(new SessionLost(this.socket.errored ?? undefined)));
    this.client = clientFor(target, this.socket, {
      received: (bytes) => this.received(bytes),
      message: () => this.counted(),
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
        const [[version] = []] = await session.ask({ text: 'show server_version', values: [] }, 1);
        session.serverVersion = versionOf(version);
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
    this.messages = 0;
    this.messagesAllowed = OTHER_MESSAGES + maxRows;
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

  /** Rows that are asked for are described, even where there are none, and followed by the word that they were all. */
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
      query.on('end', (result: pg.QueryArrayResult | readonly pg.QueryArrayResult[]) => {
        const complete = 'command' in result && typeof result.command === 'string';
        if (complete && (maxRows === 0 || result.fields.length > 0)) resolve(rows);
        else reject(new Error('not what was asked for'));
      });
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

  private counted(): void {
    if (++this.messages > this.messagesAllowed) throw new Error('more messages than were asked for');
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

/**
 * As we say it: never text of the server.
 * @throws Problem `not_supported_by_source` where it is older than what we speak
 */
function versionOf(told: unknown): string {
  const match = /^(\d{1,3})(\.\d{1,4})?/.exec(String(told));
  if (!match)
    throw new Problem('source_failed', { detail: 'The server does not tell its version as a PostgreSQL does.' });
  const [version, major] = match;
  if (Number(major) < LEAST_VERSION)
    throw new Problem('not_supported_by_source', {
      detail: `The server is PostgreSQL ${version}; ${LEAST_VERSION} or newer is needed.`,
    });
  return version;
}

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
    'client_min_messages = error',
    `statement_timeout = ${statementMs}`,
    `lock_timeout = ${statementMs}`,
    `idle_in_transaction_session_timeout = ${statementMs + 10_000}`,
  ]
    .map((setting) => `set ${setting}`)
    .join('; ');
