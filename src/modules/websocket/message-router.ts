import { Injectable, Logger } from '@nestjs/common';
import { toProblem } from '../../common/filters/index.js';
import { inTrace, newId, noteFailure, Problem, SpanKind, type ProblemBody } from '../../common/index.js';
import { TokenService } from '../auth/index.js';
import { Backlog } from './backlog.js';
import type { Connection } from './connection.js';
import { CellLocks } from './locks/cell-locks.service.js';
import {
  AuthMessage,
  LockMessage,
  readMessage,
  SubscribeMessage,
  UnsubscribeMessage,
  type Answer,
  type AuthenticatedAnswer,
  type LockAnswer,
  type UnlockAnswer,
  PresenceMessage,
  type ObjectSubscribedAnswer,
  type PresenceAnswer,
  type ResetAnswer,
  type SubscribedAnswer,
  type UnsubscribedAnswer,
} from './messages/index.js';
import { Presence } from './presence/presence.service.js';
import { Subscriptions } from './subscriptions.js';

/** Messages of one socket that may wait for their turn; a client that reconnects may send all its subscriptions together. */
const MAX_PENDING = 250;

type Handler = (connection: Connection, args: readonly unknown[], answer: Answer) => Promise<void>;

/**
 * Takes every message of every socket and answers each one, whatever a client may send. Messages do not go through Nest's
 * handlers: an error there is an event of its own instead of the answer, and the global guards, which are made for HTTP, would run.
 */
@Injectable()
export class MessageRouter {
  private readonly logger = new Logger(MessageRouter.name);
  private readonly handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ['subscribe', (connection, args, answer) => this.subscribe(connection, args, answer)],
    ['unsubscribe', (connection, args, answer) => this.unsubscribe(connection, args, answer)],
    ['presence', (connection, args, answer) => this.show(connection, args, answer)],
    ['lock', (connection, args, answer) => this.lock(connection, args, answer)],
    ['unlock', (connection, args, answer) => this.unlock(connection, args, answer)],
    ['auth', (connection, args, answer) => this.auth(connection, args, answer)],
  ]);

  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly presence: Presence,
    private readonly locks: CellLocks,
    private readonly tokens: TokenService,
    private readonly backlog: Backlog,
  ) {}

  /** Never throws and never rejects. `args` is all that came with the event; its last may be the acknowledgement. */
  async receive(connection: Connection, event: string, args: readonly unknown[]): Promise<void> {
    const last = args.at(-1);
    const [answer, rest] = isAcknowledgement(last) ? [last, args.slice(0, -1)] : [() => undefined, args];
    if (connection.pending >= MAX_PENDING) {
      const tooMany = new Problem('rate_limited', { detail: 'Wait for the answers to earlier messages.' });
      answer({ ok: false, error: this.problemOf(tooMany, event) });
      return;
    }
    connection.pending += 1;
    await connection.inTurn(async () => {
      await this.backlog.whenRead(connection.socket);
      await this.traced(connection, event, rest, answer);
    });
    connection.pending -= 1;
  }

  /** A trace for each message; a name that nobody knows is anything that a client may send. */
  private async traced(connection: Connection, event: string, args: readonly unknown[], answer: Answer): Promise<void> {
    const name = this.handlers.has(event) ? event : 'unknown';
    await inTrace(
      `socket ${name}`,
      { 'messaging.operation.name': name },
      () => this.handle(connection, event, args, answer),
      SpanKind.SERVER,
    );
  }

  private async handle(connection: Connection, event: string, args: readonly unknown[], answer: Answer): Promise<void> {
    try {
      const handler = this.handlers.get(event);
      if (!handler) throw unknownMessage([...this.handlers.keys()]);
      if (!connection.closed) await handler(connection, args, answer);
    } catch (error) {
      noteFailure(error);
      answer({ ok: false, error: this.problemOf(error, event) });
    }
  }

  private async subscribe(
    connection: Connection,
    args: readonly unknown[],
    answer: Answer<SubscribedAnswer | ObjectSubscribedAnswer | ResetAnswer>,
  ): Promise<void> {
    await this.subscriptions.subscribe(connection, await readMessage(args, SubscribeMessage), answer);
  }

  private async unsubscribe(
    connection: Connection,
    args: readonly unknown[],
    answer: Answer<UnsubscribedAnswer>,
  ): Promise<void> {
    const { channel } = await readMessage(args, UnsubscribeMessage);
    this.subscriptions.leave(connection, channel);
    this.presence.leave(connection, channel);
    answer({ ok: true, channel });
  }

  private async show(connection: Connection, args: readonly unknown[], answer: Answer<PresenceAnswer>): Promise<void> {
    answer(await this.presence.show(connection, await readMessage(args, PresenceMessage)));
  }

  private async lock(connection: Connection, args: readonly unknown[], answer: Answer<LockAnswer>): Promise<void> {
    answer(await this.locks.lock(connection, await readMessage(args, LockMessage)));
  }

  private async unlock(connection: Connection, args: readonly unknown[], answer: Answer<UnlockAnswer>): Promise<void> {
    answer(this.locks.unlock(connection, await readMessage(args, LockMessage)));
  }

  private async auth(
    connection: Connection,
    args: readonly unknown[],
    answer: Answer<AuthenticatedAnswer>,
  ): Promise<void> {
    const { token } = await readMessage(args, AuthMessage);
    const principal = await this.tokens.verify(token);
    if (principal.userId !== connection.principal.userId) {
      throw new Problem('forbidden', { detail: 'This token is of another person; open another connection.' });
    }
    // What is followed was judged by the scope of the old token; sessions have none, and a personal token is never refreshed.
    if ((principal.token ?? connection.principal.token) && principal.sessionId !== connection.principal.sessionId) {
      throw new Problem('forbidden', { detail: 'A personal token is not exchanged; open another connection.' });
    }
    connection.renew(token, principal);
    answer({ ok: true, expiresAt: new Date(principal.expiresAt * 1000).toISOString() });
  }

  private problemOf(error: unknown, event: string): ProblemBody {
    const problem = toProblem(error);
    const requestId = newId();
    if (problem.status >= 500)
      this.logger.error({ msg: `Message ${event.slice(0, 40)} failed`, requestId, err: problem.cause ?? problem });
    return problem.body({ requestId });
  }
}

/** Socket.IO puts the function that acknowledges last; nothing that a client sends arrives as a function. */
const isAcknowledgement = (value: unknown): value is Answer => typeof value === 'function';

const unknownMessage = (known: readonly string[]): Problem =>
  new Problem('not_found', { detail: `There is no such message; known are ${known.join(', ')}.` });
