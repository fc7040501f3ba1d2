import { io } from 'socket.io-client';
import { Told } from '../lib/project.mjs';

const PATIENCE_MS = 10_000;

/** Connects a socket as the bearer of `token`. Throws {@link Told} with the server's reason when it is refused. */
export async function watchTable(base, token) {
  const socket = io(base, { transports: ['websocket'], auth: { token }, forceNew: true, reconnection: false });
  const waiting = new Map();
  const arrived = [];
  socket.onAny((name, payload) => {
    const resolve = waiting.get(name);
    waiting.delete(name);
    if (resolve) resolve(payload);
    else arrived.push({ name, payload });
  });
  await connected(socket, base);
  return {
    subscribe: (message) => socket.timeout(PATIENCE_MS).emitWithAck('subscribe', message),
    /** The next event of this name, arrived already or still to come. */
    next: (name) => {
      const at = arrived.findIndex((event) => event.name === name);
      if (at >= 0) return Promise.resolve(arrived.splice(at, 1)[0].payload);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Told(`No ${name} arrived within ${PATIENCE_MS / 1000} seconds.`)),
          PATIENCE_MS,
        );
        waiting.set(name, (payload) => {
          clearTimeout(timer);
          resolve(payload);
        });
      });
    },
    close: () => socket.close(),
  };
}

const connected = (socket, base) =>
  new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.close();
      reject(new Told(`The socket at ${base} was refused: ${error.message}.`));
    });
    socket.once('disconnect', (reason) => reject(new Told(`The socket at ${base} ended: ${reason}.`)));
  });
