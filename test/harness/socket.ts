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

/** Connects as the bearer of `token`. Rejects with the server's refusal. It is closed after the tests of this file. */
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
  await new Promise<void>((resolve, reject) => {
    connection.once('connect', resolve);
    connection.once('connect_error', (error) => {
      connection.close();
      reject(error);
    });
  });
  return {
    socket: connection,
    events,
    ask: <T>(name: string, message: unknown) => connection.timeout(5_000).emitWithAck(name, message) as Promise<T>,
    payloads: <T>(name: string) => events.filter((event) => event.name === name).map(({ payload }) => payload as T),
    until: (predicate, ms) => waitFor(() => events.find(predicate), ms, 10),
    close: () => void connection.close(),
  };
}
