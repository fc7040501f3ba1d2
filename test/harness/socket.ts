import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterThisFile } from './run.js';
import { waitFor } from './wait-for.js';

/** Something that the server sent unasked. */
export interface SocketEvent<T = unknown> {
  readonly name: string;
  readonly payload: T;
  /** When it arrived, milliseconds since 1970. */
  readonly at: number;
}

/** A socket that remembers everything it received, in order. */
export interface TestSocket {
  readonly socket: Socket;
  readonly events: readonly SocketEvent[];
  /** Sends a message and gives its acknowledgement. */
  ask<T = unknown>(name: string, message: unknown): Promise<T>;
  /** The payloads of the events of this name so far. */
  payloads<T = unknown>(name: string): T[];
  /** The first event that satisfies the predicate, already received or still to come. */
  until(predicate: (event: SocketEvent) => boolean, ms?: number): Promise<SocketEvent>;
  close(): void;
}

/** A node that takes connections and does not answer is to fail one test, not to hold up all of them. */
const PATIENCE_MS = 30_000;

/**
 * Connects as the bearer of `token`. Rejects with the server's refusal, and where the connection ends or stays
 * unanswered. It is closed after the tests of this file.
 */
export async function socket(
  base: string,
  token?: string,
  options: Partial<ManagerOptions & SocketOptions> = {},
): Promise<TestSocket> {
  const connection = io(base, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: token === undefined ? {} : { token },
    ...options,
  });
  afterThisFile(() => connection.close());
  const events: SocketEvent[] = [];
  connection.onAny((name: string, payload: unknown) => events.push({ name, payload, at: Date.now() }));
  await connected(connection);
  return {
    socket: connection,
    events,
    ask: <T>(name: string, message: unknown) => connection.timeout(5_000).emitWithAck(name, message) as Promise<T>,
    payloads: <T>(name: string) => events.filter((event) => event.name === name).map(({ payload }) => payload as T),
    until: (predicate, ms) => waitFor(() => events.find(predicate), ms, 10),
    close: () => void connection.close(),
  };
}

/** A node that dies between the transport's handshake and its own answer is a `disconnect`, not a `connect_error`. */
const connected = (connection: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      connection.close();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer for ${PATIENCE_MS} ms`)), PATIENCE_MS);
    connection.once('connect_error', fail);
    const ended = (reason: string): void => fail(new Error(`disconnected before it was connected: ${reason}`));
    connection.once('disconnect', ended);
    connection.once('connect', () => {
      clearTimeout(timer);
      connection.off('connect_error', fail).off('disconnect', ended);
      resolve();
    });
  });
