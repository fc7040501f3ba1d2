import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { once } from 'node:events';
import { frame } from './malformed.js';

/** A socket that was let in and from then on reads nothing of what it is sent. */
export interface DeafSocket {
  /** Sends a message, whose answer nobody reads. */
  say(id: number, name: string, message: object): void;
  end(): void;
}

export async function deafSocket(base: string, token: string): Promise<DeafSocket> {
  const { hostname: host, port } = new URL(base);
  const socket = net.connect({ host, port: Number(port) });
  // It may be cut at any time.
  socket.on('error', () => undefined);
  const upgrade = [
    ...['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', `Host: ${host}`, 'Upgrade: websocket'],
    ...['Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
    ...[`Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, '', ''],
  ].join('\r\n');
  const heard = async (what: string): Promise<void> => {
    let text = '';
    while (!text.includes(what)) text += String((await once(socket, 'data'))[0]);
  };
  socket.write(upgrade);
  await heard('"sid"');
  socket.write(frame(`40${JSON.stringify({ token })}`));
  await heard('40{"sid"');
  socket.pause();
  return {
    say: (id, name, message) => void socket.write(frame(`42${id}${JSON.stringify([name, message])}`)),
    end: () => void socket.destroy(),
  };
}
