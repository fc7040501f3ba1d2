import pg from 'pg';
import { Problem } from '../../../common/index.js';
import { toStatement, type Sql, type Statement } from '../../../query/index.js';
import type { ConnectionTarget, ExternalLimits, Outbound } from '../external-engine.js';
import { BoundedSession } from '../sql/bounded-session.js';
import { cancelRequest, clientFor, toldProcess } from './driver.js';
import { mustBeOurs, type ToldSitting } from './pooler.js';
import { isUnknownThere, sessionSurvives } from './postgres-errors.js';
import { PreparedStatements } from './prepared-statements.js';
import { isRecordsSample, RECORDS_SAMPLE } from './records-sample.js';

export type PostgresRow = readonly (string | null)[];

/** Messages around the rows of an answer: what a server reports of itself, notices, the parts of the protocol. */
const OTHER_MESSAGES = 10_000;
/** The oldest that is spoken to. */
const LEAST_VERSION = 13;

/** A signed-in session, which is told to stop what nobody waits for any more. */
export class PostgresSession extends BoundedSession<PostgresRow> implements ToldSitting {
  private readonly client: pg.Client;
  private readonly statements = new PreparedStatements();
  private knowsRecords: boolean | undefined;
  serverVersion = '';

  private constructor(
    private readonly target: ConnectionTarget,
    limits: ExternalLimits,
    private readonly outbound: Outbound,
  ) {
    super(limits, outbound.socket(), OTHER_MESSAGES);
    this.client = clientFor(target, this.socket, this.watch);
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
    await session.begin(signal, async () => {
      await session.client.connect();
      await mustBeOurs(session, (work) => session.withSecond(work));
      await session.simple(settings(limits));
      const [[version] = []] = await session.rowsOf({ text: 'show server_version', values: [] }, 1);
      session.serverVersion = versionOf(version);
    });
    return session;
  }

  get toldProcess(): number | null {
    return toldProcess(this.client);
  }

  async process(): Promise<number | undefined> {
    try {
      const [[pid] = []] = await this.rowsOf({ text: 'select pg_backend_pid()', values: [] }, 1);
      const told = Number(pid);
      return Number.isInteger(told) ? told : undefined;
    } catch (error) {
      if (isUnknownThere(error)) return undefined;
      throw error;
    }
  }

  async transaction(): Promise<boolean> {
    try {
      await this.simple('begin read only');
      return true;
    } catch (error) {
      if (error instanceof pg.DatabaseError) return false;
      throw error;
    }
  }

  /** Another session for as long as `work` takes. */
  private async withSecond(work: (second: PostgresSession) => Promise<void>): Promise<void> {
    const second = new PostgresSession(this.target, this.limits, this.outbound);
    try {
      await second.begin(undefined, async () => {
        await second.client.connect();
        await work(second);
      });
    } finally {
      second.end();
    }
  }

  /** Whether the server makes records as PostgreSQL does: what only speaks its protocol need not. @throws as {@link run} */
  async sendsRecords(signal?: AbortSignal): Promise<boolean> {
    return (this.knowsRecords ??= await this.tryRecords(signal));
  }

  private async tryRecords(signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await this.readBytes(RECORDS_SAMPLE, isRecordsSample, signal, isUnknownThere)) === true;
    } catch (error) {
      if (isUnknownThere(error) || error instanceof NoBytes) return false;
      throw error;
    }
  }

  /**
   * What `read` makes of the bytes that are the one value of the answer, while their memory is there; undefined where it is null.
   * @throws as {@link run}, and what `read` throws
   */
  async readBytes<T>(
    statement: Sql,
    read: (bytes: Buffer) => T,
    signal?: AbortSignal,
    survives?: (error: unknown) => boolean,
  ): Promise<T | undefined> {
    // The session is as good as before where it is only that the bytes cannot be read.
    const result = await this.asking(1, signal, () => this.bytesOf(toStatement(statement), read), survives);
    return result();
  }

  protected ask(statement: Sql, maxRows: number): Promise<readonly PostgresRow[]> {
    return this.rowsOf(toStatement(statement), maxRows);
  }

  protected async simple(text: string): Promise<void> {
    await this.client.query(text);
  }

  protected survives(error: unknown): boolean {
    return sessionSurvives(error);
  }

  /** Over a connection of its own; nobody waits for it. */
  protected stop(): void {
    const message = cancelRequest(this.client);
    if (!message) return;
    const socket = this.outbound.socket();
    socket.on('error', () => undefined);
    socket.setTimeout(this.limits.connectMs, () => socket.destroy());
    socket.unref();
    socket.connect(this.target.port, this.target.host);
    socket.end(message);
  }

  protected leave(): void {
    this.client.end().catch(() => undefined);
  }

  private async rowsOf(statement: Statement, maxRows: number): Promise<readonly PostgresRow[]> {
    const rows: PostgresRow[] = [];
    await this.queried(statement, {}, maxRows, (row) => rows.push(row as PostgresRow));
    return rows;
  }

  private async bytesOf<T>(statement: Statement, read: (bytes: Buffer) => T): Promise<() => T | undefined> {
    let result: (() => T | undefined) | undefined;
    await this.queried(statement, BINARY, 1, (row) => {
      result = resultOf(row, read);
    });
    return result ?? notBytes;
  }

  /** Rows that are asked for are described, even where there are none, and followed by the word that they were all. */
  private queried(
    { text, values }: Statement,
    manner: typeof BINARY | Readonly<Record<string, never>>,
    maxRows: number,
    onRow: (row: readonly unknown[]) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const name = this.statements.nameOf(text);
      const config = { text, values, rowMode: 'array' as const, ...manner, ...(name === undefined ? {} : { name }) };
      const query = new pg.Query(config as pg.QueryConfig);
      let rows = 0;
      query.on('row', (row: unknown) => {
        if (++rows > maxRows) this.fail(new Error('more rows than were asked for'));
        else onRow(row as readonly unknown[]);
      });
      query.on('error', reject);
      query.on('end', (result: pg.QueryArrayResult | readonly pg.QueryArrayResult[]) => {
        const complete = 'command' in result && typeof result.command === 'string';
        if (complete && (maxRows === 0 || result.fields.length > 0)) resolve();
        else reject(new Error('not what was asked for'));
      });
      this.client.query(query);
    });
  }
}

/** A statement without values would go by the simple protocol, which knows no binary form. */
const BINARY = { binary: true, queryMode: 'extended' } as const;

/** The answer is none of bytes. */
class NoBytes extends Error {}

const notBytes = (): never => {
  throw new NoBytes('not the bytes that were asked for');
};

/** Read at once, and told later. */
function resultOf<T>(row: readonly unknown[], read: (bytes: Buffer) => T): () => T | undefined {
  const [value] = row;
  if (row.length !== 1 || (value !== null && !Buffer.isBuffer(value))) return notBytes;
  try {
    const result = value === null ? undefined : read(value);
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

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
