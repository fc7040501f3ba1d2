import {
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import { toProblem } from '../../common/filters/index.js';
import { must, Problem } from '../../common/index.js';
import { TokenService } from '../auth/index.js';
import { Backlog } from './backlog.js';
import { Connection } from './connection.js';
import { Connections } from './connections.js';
import { MessageRouter } from './message-router.js';
import type { LiveServer, LiveSocket } from './messages/index.js';
import { Presence } from './presence/presence.service.js';
import { Rooms } from './rooms.js';
import { Subscriptions } from './subscriptions.js';

interface SocketData {
  connection?: Connection;
}
type AdmittedSocket = LiveSocket<SocketData>;
type Next = (error?: Error) => void;

/** Sockets come in here, with a token or not at all, and go; what they say goes to the router. */
@WebSocketGateway()
export class LiveGateway
  implements
    OnGatewayInit<LiveServer<SocketData>>,
    OnGatewayConnection<AdmittedSocket>,
    OnGatewayDisconnect<AdmittedSocket>
{
  constructor(
    private readonly tokens: TokenService,
    private readonly connections: Connections,
    private readonly subscriptions: Subscriptions,
    private readonly rooms: Rooms,
    private readonly presence: Presence,
    private readonly router: MessageRouter,
    private readonly backlog: Backlog,
  ) {}

  afterInit(server: LiveServer<SocketData>): void {
    this.rooms.attach(server);
    this.presence.attach(server);
    server.use((socket, next) => void this.admit(socket, next));
  }

  handleConnection(socket: AdmittedSocket): void {
    const connection = connectionOf(socket);
    this.backlog.watch(connection.socket);
    connection.start();
    this.connections.add(connection);
    socket.onAny((event: string, ...args: unknown[]) => void this.router.receive(connection, event, args));
  }

  handleDisconnect(socket: AdmittedSocket): void {
    const connection = connectionOf(socket);
    connection.stop();
    this.subscriptions.leaveAll(connection);
    this.presence.leaveAll(connection);
    this.connections.remove(connection);
  }

  /** Before the connection is accepted: a refusal reaches the client as `connect_error` with the problem as its `data`. */
  private async admit(socket: AdmittedSocket, next: Next): Promise<void> {
    try {
      const token: unknown = socket.handshake.auth.token;
      if (typeof token !== 'string')
        throw new Problem('unauthenticated', { detail: 'Connect with auth: {token: <access token>}.' });
      const connection = new Connection(socket, token, await this.tokens.verify(token));
      socket.data.connection = connection;
      next();
    } catch (error) {
      const problem = toProblem(error);
      next(Object.assign(new Error(problem.message), { data: problem.body() }));
    }
  }
}

const connectionOf = (socket: AdmittedSocket): Connection =>
  must(socket.data.connection, 'a socket was admitted before it connected');
