import type { LiveSocket } from './messages/index.js';

/** What may wait for a client that does not read, bytes; well above one full replay. */
const MAX_BACKLOG_BYTES = 16 * 1024 * 1024;

/**
 * Cuts a client that reads more slowly than it is written to, before the server holds its mail for it. It may come back
 * and go on from the last number that it saw.
 */
export function cutWhenSlow(socket: LiveSocket): void {
  const { conn } = socket;
  let waiting = 0;
  conn.on('packetCreate', ({ data }: { readonly data?: unknown }) => {
    waiting += typeof data === 'string' ? data.length : 0;
    if (waiting > MAX_BACKLOG_BYTES) conn.close(true);
  });
  // Handed over to the operating system: the count begins anew.
  conn.on('drain', () => (waiting = 0));
}
