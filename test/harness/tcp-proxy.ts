import net from 'node:net';
import { afterThisFile } from './run.js';

/** A stretch of network between a server and its database that a test can break. */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** Refuses new connections and breaks the open ones. */
  cut(): Promise<void>;
  /** Takes connections and bytes and passes nothing on, as a black hole does. */
  swallow(): void;
  mend(): Promise<void>;
}

/** Listens on a free port and passes everything to the target; it is closed after the tests of this file. */
export async function tcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const sockets = new Set<net.Socket>();
  let swallowing = false;
  const keep = (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };
  const server = net.createServer((incoming) => {
    const outgoing = net.connect(target.port, target.host);
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      keep(from);
      from.on('data', (bytes) => !swallowing && to.write(bytes));
      from.on('end', () => !swallowing && to.end());
      from.on('close', () => !swallowing && to.destroy());
    }
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const breakAll = () => sockets.forEach((socket) => socket.destroy());
  await listen(0);
  const { port } = server.address() as net.AddressInfo;
  const cut = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    breakAll();
    await closed;
  };
  afterThisFile(() => (server.listening ? cut() : undefined));
  return {
    host: '127.0.0.1',
    port,
    cut,
    swallow: () => void (swallowing = true),
    mend: async () => {
      swallowing = false;
      breakAll();
      if (!server.listening) await listen(port);
    },
  };
}
