import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import { Connection } from './connection.js';
import { send, type AnswerOf, type CallOptions, type Fetch, type Operation, type Request } from './http.js';
import { LiveTable, type LiveOptions } from './live-table.js';
import { LiveView, type LiveViewOptions } from './live-view.js';
import { LiveWorkspace } from './live-workspace.js';
import { ApiError } from './problem.js';
import { Session } from './session.js';
import { Table } from './table.js';
import { workspaceReader } from './workspace-reader.js';

/** A live copy, as far as all of them are alike. */
interface Kept {
  readonly channel: string;
  dispose(): void;
}

export interface ClientOptions {
  /** Where the server is, without a path: `https://tables.example.org`. */
  readonly baseUrl: string;
  /** What this window or process is known by: undo is per client, and events of its own changes carry it. Made up without it. */
  readonly clientId?: string;
  /** Another `fetch` than that of the platform. */
  readonly fetch?: Fetch;
  /** Options of Socket.IO, over those that this package sets. */
  readonly socket?: Partial<ManagerOptions & SocketOptions>;
}

/** A server of Live Tables, as one person uses it. */
export class LiveTables {
  readonly session: Session;
  readonly clientId: string;
  readonly connection: Connection;
  private readonly baseUrl: string;
  private readonly fetch: Fetch;
  private readonly live = new Set<Kept>();

  constructor({ baseUrl, clientId, fetch = (url, init) => globalThis.fetch(url, init), socket = {} }: ClientOptions) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
    this.clientId = clientId ?? globalThis.crypto.randomUUID();
    this.fetch = fetch;
    this.session = new Session(fetch, this.baseUrl);
    this.connection = new Connection(this.baseUrl, this.session, socket);
  }

  /**
   * Any operation of the API, by method and path, with the types of its document. A token that the server refuses is renewed once.
   *
   * @throws {ApiError} a refusal. @throws {SignedOutError} nobody is signed in (any more). @throws {ConnectionError} no answer.
   */
  readonly call = async <O extends Operation>(operation: O, options: CallOptions<O>): Promise<AnswerOf<O>> => {
    const token = await this.session.token();
    try {
      return (await this.send(operation, options, token)) as AnswerOf<O>;
    } catch (error) {
      if (!(error instanceof ApiError) || !['token_expired', 'unauthenticated'].includes(error.code)) throw error;
      return (await this.send(operation, options, await this.session.renew(token))) as AnswerOf<O>;
    }
  };

  table<Fields extends object = Record<string, unknown>>(id: string): Table<Fields> {
    return new Table<Fields>(id, this.call);
  }

  /** A local copy of the table, or of its first rows, that is kept exact until it is disposed of. */
  liveTable<Fields extends object = Record<string, unknown>>(id: string, options: LiveOptions = {}): LiveTable<Fields> {
    const table = this.table<Fields>(id);
    const reader = {
      describe: () => table.describe(),
      page: (cursor: string | undefined, pageSize: number) => table.page({ pageSize }, cursor),
    };
    return this.keep((left) => new LiveTable<Fields>(id, this.connection, reader, left, options));
  }

  /** A local copy of what the view shows, or of its first rows, until it is disposed of. */
  liveView<Fields extends object = Record<string, unknown>>(
    id: string,
    options: LiveViewOptions = {},
  ): LiveView<Fields> {
    const path = { viewId: id };
    const reader = {
      describe: () => this.call('GET /views/{viewId}', { path }),
      page: (cursor: string | undefined, limit: number) =>
        this.call('GET /views/{viewId}/data', { path, query: { limit, ...(cursor === undefined ? {} : { cursor }) } }),
    };
    return this.keep((left) => new LiveView<Fields>(id, this.connection, reader, left, options));
  }

  /** A local copy of what the workspace is made of but rows, until it is disposed of. */
  liveWorkspace(id: string): LiveWorkspace {
    const reader = workspaceReader(this.call, id);
    return this.keep((left) => new LiveWorkspace(id, this.connection, reader, left));
  }

  /** Ends all live copies and the socket; the session stays. */
  close(): void {
    for (const live of [...this.live]) live.dispose();
    this.connection.close();
  }

  /** A socket follows a channel once, however many copies there are of it. */
  private keep<T extends Kept>(make: (left: () => void) => T): T {
    const live: T = make(() => {
      this.live.delete(live);
      const { channel } = live;
      if ([...this.live].some((other) => other.channel === channel) || !this.connection.connected) return;
      this.connection.ask('unsubscribe', { channel }).catch(() => undefined);
    });
    this.live.add(live);
    return live;
  }

  private send<O extends Operation>(operation: O, options: CallOptions<O>, token: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${token}`, 'x-client-id': this.clientId, ...options.headers };
    return send(this.fetch, this.baseUrl, operation, { ...(options as Request), headers });
  }
}
