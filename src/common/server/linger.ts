import type { AppReply, AppRequest } from '../http.js';

/** For how long the rest of a body may still arrive that nobody wants. */
const LINGER_MS = 5_000;

/**
 * A body that is refused before it was read ends its connection with the answer. To close it while the other side still sends would reset
 * it, and that takes the answer away too: whoever sent too much would learn of a broken connection, not of 413. So only our half ends with
 * the answer; what still comes is dropped, until it is all there or for so long.
 */
export function lingerOver({ raw }: AppRequest, reply: AppReply): void {
  const closes = reply.getHeader('connection') === 'close' || !reply.raw.shouldKeepAlive;
  if (raw.complete || !closes) return;
  const { socket } = raw;
  // What Node calls when the last answer of a connection is written.
  socket.destroySoon = () => {
    const destroy = (): void => void socket.destroy();
    const timer = setTimeout(destroy, LINGER_MS);
    socket.once('close', () => {
      clearTimeout(timer);
    });
    socket.end();
    raw.once('end', destroy).resume();
  };
}
