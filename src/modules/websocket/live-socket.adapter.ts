import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';
import { mayConnect, type OriginPolicy } from './origin.js';
import { RoomAdapter } from './room-adapter.js';

/** Largest message of a client, bytes; ours are tiny. A larger one closes the connection. */
const MAX_MESSAGE_BYTES = 64 * 1024;

const CONNECT_MS = 10_000;

/** Socket.IO on the HTTP server of the application, as this product sets it up. */
export class LiveSocketAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly origins: OriginPolicy,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const settings: Partial<ServerOptions> = {
      ...options,
      path: '/socket.io',
      transports: ['websocket', 'polling'],
      serveClient: false,
      adapter: RoomAdapter,
      // Whoever has not shown a token by then is sent away.
      connectTimeout: CONNECT_MS,
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      // Compression per socket would cost a hundred times the throughput of a broadcast that is encoded once.
      perMessageDeflate: false,
      cors: { origin: this.origins.allowed.includes('*') ? '*' : [...this.origins.allowed] },
      allowRequest: (request, decide) => {
        if (mayConnect(request, this.origins)) decide(null, true);
        else decide('This origin is not allowed.', false);
      },
    };
    return super.createIOServer(port, settings as ServerOptions);
  }
}
