import type { Server } from 'node:http';

/** How long answers that are under way may still take when the server stops; under what the process has in all. */
const DRAIN_MS = 6_000;

/**
 * Lets a stopping server run dry: connections end as soon as they are idle, the last ones after {@link DRAIN_MS}. Node itself
 * closes those that are idle at the moment of the stop, and waits for ever for those that become idle with their last answer.
 */
export function drain(server: Server): void {
  const sweep = setInterval(() => server.closeIdleConnections(), 50).unref();
  const end = setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
  server.once('close', () => {
    clearInterval(sweep);
    clearTimeout(end);
  });
}
