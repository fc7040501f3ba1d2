import type { IncomingMessage } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';

/** Largest message of a client, bytes; ours are tiny. A larger one closes the connection. */
const MAX_MESSAGE_BYTES = 64 * 1024;

const CONNECT_MS = 10_000;

/** Socket.IO on the HTTP server of the application, as this product sets it up. */
export class LiveSocketAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly corsOrigins: readonly string[],
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const settings: Partial<ServerOptions> = {
      ...options,
      path: '/socket.io',
      transports: ['websocket', 'polling'],
      serveClient: false,
      // Whoever has not shown a token by then is sent away.
      connectTimeout: CONNECT_MS,
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      // Compression per socket would cost a hundred times the throughput of a broadcast that is encoded once.
      perMessageDeflate: false,
      cors: { origin: this.corsOrigins.includes('*') ? '*' : [...this.corsOrigins] },
      allowRequest: (request, decide) => {
        if (this.allows(request)) decide(null, true);
        else decide('This origin is not allowed.', false);
      },
    };
    return super.createIOServer(port, settings as ServerOptions);
  }

  /** CORS does not hold for WebSockets, so the origin is checked here. Clients that are no browsers send none. */
  private allows({ headers: { origin } }: IncomingMessage): boolean {
    return origin === undefined || this.corsOrigins.includes('*') || this.corsOrigins.includes(origin);
  }
}
