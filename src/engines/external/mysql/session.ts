import type { Connection } from 'mysql2';
import { toPositional, type Sql } from '../../../query/index.js';
import type { ConnectionTarget, ExternalLimits, Outbound } from '../external-engine.js';
import { BoundedSession } from '../sql/bounded-session.js';
import type { Row } from '../sql/sql-engine.js';
import { connect } from './driver.js';
import { flavourOf, sessionSettings, type Flavour } from './flavour.js';
import { sessionSurvives } from './mysql-errors.js';

/** Packets around the rows of an answer: definitions of columns and parameters, of which a server takes so many at most. */
const OTHER_PACKETS = 140_000;

/**
 * A signed-in session. A statement that nobody waits for any more runs until the server's own limit of time: KILL knows sessions by a
 * number only, and behind a proxy that may be somebody else's.
 */
export class MysqlSession extends BoundedSession {
  /** The number that the database gave to the last row that was inserted; `0` where it gave none. */
  insertId = '0';
  private serverFlavour: Flavour | undefined;
  private readonly connection: Connection;

  private constructor(target: ConnectionTarget, limits: ExternalLimits, outbound: Outbound) {
    super(limits, outbound.socket(), OTHER_PACKETS);
    this.socket.setNoDelay(true);
    this.connection = connect(target, this.socket, this.watch);
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
    await session.begin(signal, async () => {
      session.serverFlavour = flavourOf(await session.greeting());
      for (const text of sessionSettings(session.flavour, limits)) await session.simple(text);
    });
    return session;
  }

  get flavour(): Flavour {
    if (!this.serverFlavour) throw new Error('the session is not open');
    return this.serverFlavour;
  }

  get serverVersion(): string {
    return this.flavour.version;
  }

  private greeting(): Promise<string> {
    return new Promise((resolve) => {
      this.connection.once('connect', ({ serverVersion }: { serverVersion: unknown }) =>
        resolve(String(serverVersion)),
      );
    });
  }

  protected simple(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.connection.query(text).on('error', reject).on('end', resolve);
    });
  }

  /** What a change is answered with is no empty page. */
  protected ask(statement: Sql, maxRows: number): Promise<readonly Row[]> {
    const { text, values } = toPositional(statement);
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

  protected survives(error: unknown): boolean {
    return sessionSurvives(error);
  }

  protected stop(): void {
    // The server's own limit of time does it.
  }

  protected leave(): void {
    this.connection.end();
  }
}

const isRow = (result: Row | object): result is Row => Array.isArray(result);
