import type { EntityManager } from 'typeorm';
import type { Id } from '../../common/index.js';

/** How long a request can be repeated under its key. */
export const REPEATABLE_MS = 24 * 60 * 60 * 1000;

/** What makes a request recognisable when it is repeated: digests, never the key of the client itself. */
export interface RequestKey {
  /** Of caller, route and key. */
  readonly name: Buffer;
  /** Of all that was asked for. */
  readonly request: Buffer;
}

/** An event that is in the outbox. */
export interface StoredEvent {
  readonly id: Id;
  readonly at: Date;
  readonly topic: string;
  readonly payload: object;
}

/** A transaction that further ones join, each as a savepoint of it. */
export class Enclosure {
  /** Of those that joined and were not undone; told of when the whole is committed. */
  readonly events: StoredEvent[] = [];
  private turn: Promise<unknown> = Promise.resolve();
  private operations = 0;
  private closed = false;

  constructor(
    readonly manager: EntityManager,
    private readonly key?: RequestKey,
  ) {}

  /** False once it is about to be committed: what somebody left running in the background is no part of it. */
  get open(): boolean {
    return !this.closed;
  }

  /** One at a time: they share a connection, and savepoints of one connection nest. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  /** Waits for those that joined, and lets no further ones in. */
  async close(): Promise<void> {
    for (let last; last !== this.turn;) await (last = this.turn);
    this.closed = true;
  }

  /** A key for the next operation of the request that is committed on its own: its name is that of the request, numbered. */
  nextOperationKey(): RequestKey | undefined {
    return this.key && { ...this.key, name: Buffer.concat([this.key.name, Buffer.of(this.operations++)]) };
  }
}
