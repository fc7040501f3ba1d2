import { prepareValue } from 'pg/lib/utils.js';
import type pg from 'pg';
import { serialize } from 'pg-protocol';
import type { PgRow, PgStatement } from './statement.js';

/*
 * A statement with values by the extended protocol of PostgreSQL (manual, 54.2.3), as the driver's own `Query` runs it, with less: everything is
 * sent in one write, and nobody asks what the columns are called and of which type they are, which whoever made the statement knows. What the
 * driver calls here is not documented, so its version is pinned.
 */

/** What a query has of a connection of the driver. */
interface Connection {
  readonly stream: { write(bytes: Buffer): unknown; destroy(): unknown };
  /** Texts of the statements that are prepared, by name. */
  readonly parsedStatements: Readonly<Record<string, string>>;
  /** Of a `RecordClient`: rows are in binary form until PostgreSQL is ready for the next statement. */
  expectBinary?(): void;
}

type BinaryRow = readonly (Buffer | null)[];

const EXECUTE_AND_SYNC = Buffer.concat([serialize.execute(), serialize.sync()]);

/** One statement on one connection, once. */
export class ArrayQuery implements pg.Submittable {
  readonly text: string;
  readonly query_timeout: number | undefined;
  /** Whether PostgreSQL has done with it and waits for the next, be it that we could not read what it sent. */
  isOver = false;
  /** The driver puts its own around it, which ends the time that is waited. */
  callback: (error: Error | null) => void = () => undefined;
  private readonly rows: PgRow[] = [];
  private failure: Error | null = null;
  private isCut = false;

  /**
   * @param name the statement is kept prepared under it, and the driver notes the text when PostgreSQL has done so; without, PostgreSQL forgets it
   * with the next
   */
  constructor(
    private readonly statement: PgStatement,
    readonly name?: string,
  ) {
    this.text = statement.text;
    this.query_timeout = statement.timeoutMs;
  }

  /** @throws what PostgreSQL, the driver or the reader of bytes says */
  run(client: pg.ClientBase): Promise<PgRow[]> {
    return new Promise((resolve, reject) => {
      this.callback = (error) => {
        if (error) reject(error);
        else resolve(this.rows);
      };
      client.query(this);
    });
  }

  /** Called by the driver when it is this one's turn. An error is told by it to {@link handleError}. */
  readonly submit = (to: unknown): Error | undefined => {
    const connection = to as Connection;
    const { name } = this;
    const { text, values, bytes } = this.statement;
    try {
      const bound = serialize.bind({
        statement: name ?? '',
        values: values as unknown[],
        binary: bytes !== undefined,
        valueMapper: prepareValue,
      });
      const isKnown = name !== undefined && connection.parsedStatements[name] !== undefined;
      const parts = isKnown ? [bound] : [serialize.parse({ name: name ?? '', text }), bound];
      if (bytes) expectBinary(connection);
      connection.stream.write(Buffer.concat([...parts, EXECUTE_AND_SYNC]));
      return undefined;
    } catch (error) {
      this.isOver = true;
      return asError(error);
    }
  };

  handleDataRow({ fields }: { readonly fields: PgRow | BinaryRow }): void {
    if (this.failure) return;
    const { bytes } = this.statement;
    try {
      this.rows.push(bytes ? readRow(fields as BinaryRow, bytes) : (fields as PgRow));
    } catch (error) {
      // Told when PostgreSQL has said all: the connection is as good as before.
      this.failure = asError(error);
    }
  }

  handleReadyForQuery(): void {
    this.isOver = !this.isCut;
    this.callback(this.failure);
  }

  handleError(error: Error): void {
    this.callback(this.failure ?? error);
  }

  handleCommandComplete(): void {
    // Another message says that PostgreSQL is ready.
  }

  handleEmptyQuery(): void {
    // As if it had had no rows.
  }

  /*
   * What we never ask for. The driver hands it on to whoever is asking, and without these it would end the process; a server, or what stands
   * between us and it, that says such a thing is not understood.
   */

  handleRowDescription(): void {
    this.failure ??= unasked('a description of rows');
  }

  handlePortalSuspended(): void {
    this.failure ??= unasked('a part of an answer');
  }

  handleCopyData(): void {
    this.failure ??= unasked('rows of a copy');
  }

  /** It waits for rows from us, and for nothing else until they end: nobody can go on with this connection. */
  handleCopyInResponse({ stream }: Connection): void {
    this.failure ??= unasked('to send rows');
    this.isCut = true;
    stream.destroy();
  }
}

const readRow = ([first, ...others]: BinaryRow, bytes: (bytes: Buffer) => string): PgRow => [
  first ? bytes(first) : null,
  ...others.map((text) => text?.toString('utf8') ?? null),
];

function expectBinary(connection: Connection): void {
  if (!connection.expectBinary) throw new Error('this client reads no binary results');
  connection.expectBinary();
}

const unasked = (what: string): Error => new Error(`PostgreSQL sends what was not asked for: ${what}`);

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('no error', { cause: error }));
