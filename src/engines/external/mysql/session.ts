import type { Connection } from 'mysql2';
import { isError, Problem } from '../../../common/index.js';
import { toPositional, type Sql, type Statement } from '../../../query/index.js';
import type { ConnectionTarget, ExternalLimits, Outbound } from '../external-engine.js';
import { SessionLost } from '../sql/session.js';
import type { Row, SqlSession, TransactionStatement } from '../sql/sql-engine.js';
import { connect } from './driver.js';
import { flavourOf, sessionSettings, type Flavour } from './flavour.js';
import { sessionSurvives } from './mysql-errors.js';

/** The server is given this much to keep to its own limit of time; then the connection is cut. */
const GRACE_MS = 500;
/** Packets around the rows of an answer: definitions of columns and parameters, of which a server takes so many at most. */
const OTHER_PACKETS = 140_000;

/**
 * A signed-in session with a server that may be anybody. What it answers is bounded in bytes, rows and time. A statement that nobody waits for
 * any more runs until the server's own limit of time: KILL knows sessions by a number only, and behind a proxy that may be somebody else's.
 */
export class MysqlSession implements SqlSession {
  /** Ends what is being waited for. */
  private reject: ((error: Error) => void) | undefined;
  private bytes = 0;
  private packets = 0;
  private packetsAllowed = OTHER_PACKETS;
  private lost = false;
  /** The number that the database gave to the last row that was inserted; `0` where it gave none. */
  insertId = '0';
  private serverFlavour: Flavour | undefined;
  private readonly socket;
  private readonly connection: Connection;

  private constructor(
    target: ConnectionTarget,
    private readonly limits: ExternalLimits,
    outbound: Outbound,
  ) {
    this.socket = outbound.socket();
    this.socket.setNoDelay(true);
    this.socket.once('close', () => this.fail(new SessionLost()));
    this.connection = connect(target, this.socket, {
      received: (bytes) => this.received(bytes),
      packet: () => this.counted(),
      failed: (error) => this.fail(error),
    });
    this.socket.connect(target.port, target.host);
  }

  /** Connects, signs in and sets the session up. Errors are the driver's, the system's or Problems. */
  static async open(
    target: ConnectionTarget,
    limits: ExternalLimits,
    outbound: Outbound,
    signal?: AbortSignal,
  ): Promise<MysqlSession> {
    signal?.throwIfAborted();
    const session = new MysqlSession(target, limits, outbound);
    try {
      await session.until(limits.connectMs, unreachable, signal, async () => {
        session.serverFlavour = flavourOf(await session.greeting());
        for (const text of sessionSettings(session.flavour, limits)) await session.simple(text);
      });
      return session;
    } catch (error) {
      session.fail(error);
      throw error;
    }
  }

  get flavour(): Flavour {
    if (!this.serverFlavour) throw new Error('the session is not open');
    return this.serverFlavour;
  }

  get serverVersion(): string {
    return this.flavour.version;
  }

  get usable(): boolean {
    return !this.lost;
  }

  /** @throws what the server answered, a Problem, the reason of `signal`, or {@link SessionLost}; the session is {@link usable} only after the first */
  async run(statement: Sql, maxRows: number, signal?: AbortSignal): Promise<readonly Row[]> {
    signal?.throwIfAborted();
    this.bytes = 0;
    this.packets = 0;
    this.packetsAllowed = OTHER_PACKETS + maxRows;
    try {
      const patience = this.limits.statementMs + GRACE_MS;
      return await this.until(patience, tookTooLong, signal, () => this.ask(toPositional(statement), maxRows));
    } catch (error) {
      if (sessionSurvives(error)) throw error;
      this.fail(error);
      signal?.throwIfAborted();
      throw error instanceof Problem ? error : new SessionLost(error);
    }
  }

  async command(text: TransactionStatement): Promise<void> {
    await this.until(this.limits.statementMs + GRACE_MS, tookTooLong, undefined, () => this.simple(text));
  }

  end(): void {
    if (this.lost) return;
    this.lost = true;
    this.connection.end();
    this.socket.unref();
    setTimeout(() => this.socket.destroy(), 1_000).unref();
  }

  fail(error: unknown): void {
    this.lost = true;
    this.socket.destroy();
    const reject = this.reject;
    this.reject = undefined;
    reject?.(isError(error) ? error : new SessionLost(error));
  }

  private greeting(): Promise<string> {
    return new Promise((resolve) => {
      this.connection.once('connect', ({ serverVersion }: { serverVersion: unknown }) =>
        resolve(String(serverVersion)),
      );
    });
  }

  /** What needs no preparing, and has no answer. */
  private simple(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.connection.query(text).on('error', reject).on('end', resolve);
    });
  }

  /** Where rows are asked for there has to be an answer with rows, if none: what a change is answered with is no empty page. */
  private ask({ text, values }: Statement, maxRows: number): Promise<readonly Row[]> {
    const bound = values.map((each) => (each === null ? null : String(each as string | number | boolean)));
    return new Promise((resolve, reject) => {
      const rows: Row[] = [];
      this.connection
        .execute(text, bound)
        .on('result', (row: Row | { readonly insertId?: unknown }) => {
          if (!isRow(row)) this.insertId = String(row.insertId);
          if (isRow(row) ? rows.push(row) > maxRows : maxRows > 0) this.fail(new Error('not what was asked for'));
        })
        .on('error', reject)
        .on('end', () => resolve(rows));
    });
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

  /** Even the smallest packet becomes an object. */
  private counted(): void {
    if (++this.packets > this.packetsAllowed) throw new Error('more packets than were asked for');
  }

  /** `work`, unless time is up, the caller goes away or the connection ends before: then the session is lost. */
  private async until<T>(
    ms: number,
    late: () => Problem,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.lost) throw new SessionLost();
    const outer = this.reject;
    let timer: NodeJS.Timeout | undefined;
    let gone: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.reject = (error) => {
          reject(error);
          outer?.(error);
        };
        timer = setTimeout(() => this.fail(late()), ms);
        gone = () => this.fail(signal?.reason);
        signal?.addEventListener('abort', gone);
        work().then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      if (gone) signal?.removeEventListener('abort', gone);
      this.reject = this.usable ? outer : undefined;
    }
  }
}

const isRow = (result: Row | object): result is Row => Array.isArray(result);

const unreachable = () =>
  new Problem('source_unreachable', { detail: 'The server did not let us in within the time that is given.' });
const tookTooLong = () => new Problem('source_timeout');
