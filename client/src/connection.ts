import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { Emitter } from './emitter.js';
import { ApiError, ConnectionError, SignedOutError, type Problem } from './problem.js';
import {
  ASIDES,
  UPDATES,
  type AsideName,
  type Control,
  type Position,
  type Subscribed,
  type Told,
  type UpdateName,
} from './protocol.js';
import type { Session } from './session.js';

export interface ConnectionEvents {
  /** The socket is there (again): what it followed has to be subscribed to anew. */
  up: undefined;
  down: undefined;
  update: { readonly name: UpdateName; readonly event: Told };
  control: Control;
  people: { readonly name: AsideName; readonly event: Told };
  /** The feed of a channel began anew, behind this number; without one there is none. Whoever else follows it has to see to himself. */
  followed: { readonly channel: string; readonly by: object; readonly from: Position | undefined };
  /** The session has ended; it does not come up again by itself. */
  ended: Error;
}

const ANSWER_MS = 15_000;
const RETRY_MS = 1_000;

type Timer = ReturnType<typeof setTimeout>;

/** One socket for all channels of a client; it opens with the first of them, and lives as long as the session does. */
export class Connection extends Emitter<ConnectionEvents> {
  private socket: Socket | undefined;
  private renewal: Timer | undefined;
  private retry: Timer | undefined;
  /** Whose socket it is. */
  private userId: string | undefined;

  constructor(
    private readonly baseUrl: string,
    private readonly session: Session,
    private readonly options: Partial<ManagerOptions & SocketOptions>,
  ) {
    super();
    session.on('change', (tokens) => {
      if (!this.socket) return;
      if (tokens?.user.id !== this.userId) {
        this.close();
        this.emit('ended', new SignedOutError('The session has ended.'));
        return;
      }
      if (tokens && this.socket.connected) this.tell(tokens.accessToken);
      this.planRenewal();
    });
  }

  get connected(): boolean {
    return this.socket?.connected === true;
  }

  open(): void {
    if (this.socket) return;
    this.userId = this.session.user?.id;
    const socket = io(this.baseUrl, {
      transports: ['websocket'],
      forceNew: true,
      ...this.options,
      auth: (give: (auth: object) => void) => {
        // Without a token the server refuses, and `connect_error` says why.
        this.session.token().then(
          (token) => give({ token }),
          () => give({}),
        );
      },
    });
    this.socket = socket;
    socket.on('connect', () => {
      this.planRenewal();
      this.emit('up', undefined);
    });
    socket.on('disconnect', (reason) => {
      this.emit('down', undefined);
      if (reason === 'io server disconnect') this.reconnectLater();
    });
    socket.on('connect_error', () => {
      // A refusal by the server itself; of the network Socket.IO takes care.
      if (!socket.active) this.reconnectLater();
    });
    for (const name of UPDATES) socket.on(name, (event: Told) => this.emit('update', { name, event }));
    for (const name of ASIDES) socket.on(name, (event: Told) => this.emit('people', { name, event }));
    socket.on('control', (control: Control) => this.emit('control', control));
  }

  close(): void {
    clearTimeout(this.renewal);
    clearTimeout(this.retry);
    this.socket?.removeAllListeners();
    this.socket?.close();
    this.socket = undefined;
  }

  /**
   * Subscribes to a channel, behind a number or from now on. A socket has one feed of each channel: the one that was there ends.
   *
   * @param by who does so. Throws as {@link ask} does.
   */
  async follow(by: object, channel: string, from?: Position): Promise<Subscribed> {
    const answer = await this.ask<Subscribed>('subscribe', { channel, ...(from ? { from } : {}) });
    const { epoch, seq, mode } = answer;
    this.emit('followed', { channel, by, from: mode === 'reset' ? undefined : (from ?? { epoch, seq }) });
    return answer;
  }

  /**
   * Sends a message and gives what it was answered with.
   *
   * @throws {ApiError} the server refused it.
   * @throws {ConnectionError} there was no answer.
   */
  async ask<T>(name: string, message: object): Promise<T> {
    if (!this.socket?.connected) throw new ConnectionError('The socket is not connected.');
    let answer: { readonly ok: boolean; readonly error?: Problem };
    try {
      answer = (await this.socket.timeout(ANSWER_MS).emitWithAck(name, message)) as typeof answer;
    } catch (error) {
      throw new ConnectionError(`${name} was not answered.`, { cause: error });
    }
    if (answer.error) throw new ApiError(answer.error);
    return answer as T;
  }

  private tell(token: string): void {
    this.ask('auth', { token }).catch(() => {
      // It ends with its old token then, and comes back with the new one.
    });
  }

  /** A socket ends with its token: the next one is fetched in time. */
  private planRenewal(): void {
    clearTimeout(this.renewal);
    this.renewal = setTimeout(
      () => {
        // A network that is away is tried again; a session that is over tells so itself.
        this.session.token().catch(() => (this.session.current ? this.planRenewalIn(RETRY_MS) : undefined));
      },
      Math.max(0, this.session.renewsIn()) + 1,
    );
  }

  private planRenewalIn(ms: number): void {
    clearTimeout(this.renewal);
    this.renewal = setTimeout(() => this.planRenewal(), ms);
  }

  private reconnectLater(): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      const spent = this.session.current?.accessToken;
      // The server may not accept the token though it has not ended: a session that is over is found out by renewing.
      this.session.renew(spent).then(
        () => this.socket?.connect(),
        () => (this.session.current ? this.reconnectLater() : undefined),
      );
    }, RETRY_MS);
  }
}
