import type { Socket } from 'node:net';
import { isError, Problem } from '../../../common/index.js';
import type { Sql } from '../../../query/index.js';
import type { ExternalLimits } from '../external-engine.js';
import { SessionLost } from './session.js';
import type { Row, SqlSession, TransactionStatement } from './sql-engine.js';

/** The server is given this much to keep to its own limit of time; then the connection is cut. */
const GRACE_MS = 500;

/** Whoever watches a connection: told of every chunk and message that comes, and of what ends the connection. */
export interface Watch {
  received(bytes: number): void;
  message(): void;
  failed(error: unknown): void;
}

/**
 * A signed-in session with a server that may be anybody: what it answers is bounded in bytes, messages, rows and time. How its driver is asked
 * is for those that extend it.
 */
export abstract class BoundedSession<R extends Row = Row> implements SqlSession {
  /** Ends what is being waited for. */
  private reject: ((error: Error) => void) | undefined;
  private bytes = 0;
  private messages = 0;
  private messagesAllowed: number;
  private lost = false;
  /** For the driver, which tells of all that arrives. */
  protected readonly watch: Watch = {
    received: (bytes) => this.received(bytes),
    message: () => this.counted(),
    failed: (error) => this.fail(error),
  };

  /** @param otherMessages how many messages may come around the rows of an answer */
  protected constructor(
    protected readonly limits: ExternalLimits,
    protected readonly socket: Socket,
    private readonly otherMessages: number,
  ) {
    this.messagesAllowed = otherMessages;
    // The drivers tell of an error only later than the socket closes.
    this.socket.once('close', () => this.fail(new SessionLost(this.socket.errored ?? undefined)));
  }

  abstract readonly serverVersion: string;

  /** Asks for at most so many rows; where rows are asked for there has to be an answer with rows, if none. */
  protected abstract ask(statement: Sql, maxRows: number): Promise<readonly R[]>;
  /** What needs no preparing, and has no answer. */
  protected abstract simple(text: string): Promise<void>;
  /** Whether the server has only refused what it was asked. */
  protected abstract survives(error: unknown): boolean;
  /** Lets the server stop what nobody waits for any more, where it can be told. */
  protected abstract stop(): void;
  /** Says good-bye in the words of the driver. */
  protected abstract leave(): void;

  get usable(): boolean {
    return !this.lost;
  }

  /** @throws what the server answered, a Problem, the reason of `signal`, or {@link SessionLost}; the session is {@link usable} only after the first */
  run(statement: Sql, maxRows: number, signal?: AbortSignal): Promise<readonly R[]> {
    return this.asking(maxRows, signal, () => this.ask(statement, maxRows));
  }

  /** Asks by `work`, within the limits of an answer with so many rows. @throws as {@link run} */
  protected async asking<T>(
    maxRows: number,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
    survives = (error: unknown): boolean => this.survives(error),
  ): Promise<T> {
    signal?.throwIfAborted();
    this.bytes = 0;
    this.messages = 0;
    this.messagesAllowed = this.otherMessages + maxRows;
    try {
      return await this.within(this.patience, tookTooLong, signal, work);
    } catch (error) {
      if (survives(error)) throw error;
      this.stop();
      this.fail(error);
      signal?.throwIfAborted();
      throw error instanceof Problem ? error : new SessionLost(error);
    }
  }

  async command(text: TransactionStatement): Promise<void> {
    await this.within(this.patience, tookTooLong, undefined, () => this.simple(text));
  }

  end(): void {
    if (this.lost) return;
    this.lost = true;
    this.leave();
    this.socket.unref();
    setTimeout(() => this.socket.destroy(), 1_000).unref();
  }

  fail(error: unknown): void {
    this.lost = true;
    this.socket.destroy();
    const { reject } = this;
    this.reject = undefined;
    reject?.(isError(error) ? error : new SessionLost(error));
  }

  /** Signs in and sets the session up by `work`; where that fails, the connection is cut. */
  protected async begin(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await this.within(this.limits.connectMs, unreachable, signal, work);
    } catch (error) {
      this.fail(error);
      throw error;
    }
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

  /** Even the smallest message becomes an object. */
  private counted(): void {
    if (++this.messages > this.messagesAllowed) throw new Error('more messages than were asked for');
  }

  private get patience(): number {
    return this.limits.statementMs + GRACE_MS;
  }

  /** `work`, unless time is up, the caller goes away or the connection ends before: then the session is lost. */
  private async within<T>(
    ms: number,
    late: () => Problem,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.lost) throw new SessionLost();
    let timer: NodeJS.Timeout | undefined;
    const gone = (): void => this.fail(signal?.reason);
    try {
      return await new Promise<T>((resolve, reject) => {
        this.reject = reject;
        timer = setTimeout(() => this.fail(late()), ms);
        signal?.addEventListener('abort', gone);
        work().then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', gone);
      this.reject = undefined;
    }
  }
}

const unreachable = (): Problem =>
  new Problem('source_unreachable', { detail: 'The server did not let us in within the time that is given.' });
const tookTooLong = (): Problem => new Problem('source_timeout');
