import {
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { toProblem } from '../../common/filters/index.js';
import { must, Problem } from '../../common/index.js';
import { TokenService } from '../auth/index.js';
import { cutWhenSlow } from './backlog.js';
import { Connection } from './connection.js';
import { Connections } from './connections.js';
import { MessageRouter } from './message-router.js';
import { Subscriptions } from './subscriptions.js';

type LiveSocket = Socket<never, never, never, { connection?: Connection }>;
type Next = (error?: Error) => void;

/** Sockets come in here, with a token or not at all, and go; what they say goes to the router. */
@WebSocketGateway()
export class LiveGateway
  implements OnGatewayInit<Server>, OnGatewayConnection<LiveSocket>, OnGatewayDisconnect<LiveSocket>
{
  constructor(
    private readonly tokens: TokenService,
    private readonly connections: Connections,
    private readonly subscriptions: Subscriptions,
    private readonly router: MessageRouter,
  ) {}

  afterInit(server: Server): void {
    this.subscriptions.attach(server);
    server.use((socket, next) => void this.admit(socket, next));
  }

  handleConnection(socket: LiveSocket): void {
    const connection = connectionOf(socket);
    cutWhenSlow(connection.socket);
    connection.start();
    this.connections.add(connection);
    socket.onAny((event: string, ...args: unknown[]) => void this.router.receive(connection, event, args));
  }

  handleDisconnect(socket: LiveSocket): void {
    const connection = connectionOf(socket);
    connection.stop();
    this.subscriptions.leaveAll(connection);
    this.connections.remove(connection);
  }

  /** Before the connection is accepted: a refusal reaches the client as `connect_error` with the problem as its `data`. */
  private async admit(socket: Socket, next: Next): Promise<void> {
    try {
      const token: unknown = socket.handshake.auth.token;
      if (typeof token !== 'string')
        throw new Problem('unauthenticated', { detail: 'Connect with auth: {token: <access token>}.' });
      const connection = new Connection(socket, token, await this.tokens.verify(token));
      Object.assign(socket.data, { connection });
      next();
    } catch (error) {
      const problem = toProblem(error);
      next(Object.assign(new Error(problem.message), { data: problem.body() }));
    }
  }
}

const connectionOf = (socket: LiveSocket): Connection =>
  must(socket.data.connection, 'a socket was admitted before it connected');
