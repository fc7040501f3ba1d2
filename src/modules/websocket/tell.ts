import type { Connection } from './connection.js';
import type { LiveEvent } from './feed/index.js';
import type { LiveServer, LiveSocket } from './messages/index.js';

/** Tells one socket what is meant for its person: not everybody hears the same of everything. */
export function tell({ socket, principal }: Connection, event: LiveEvent): void {
  if (event.name !== 'workspace:update') socket.emit(event.name, event.payload);
  else if (event.instead?.userId === principal.userId) socket.emit(event.name, event.instead.payload);
  else socket.emit(event.name, event.payload);
}

/** Tells all who are in the room of the channel here; encoded once for all of them, by socket.io's adapter. */
export function tellAll(
  io: LiveServer,
  channel: string,
  followers: () => readonly Connection[],
  event: LiveEvent,
): void {
  if (event.name !== 'workspace:update') {
    io.to(channel).emit(event.name, event.payload);
    return;
  }
  const { instead } = event;
  const apart = instead ? followers().filter(({ principal }) => principal.userId === instead.userId) : [];
  io.to(channel)
    .except(apart.map(({ socket }: { readonly socket: LiveSocket }) => socket.id))
    .emit(event.name, event.payload);
  for (const connection of apart) tell(connection, event);
}
