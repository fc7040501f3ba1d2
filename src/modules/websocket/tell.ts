import type { Connection } from './connection.js';
import type { LiveEvent } from './feed/index.js';
import type { LiveServer, ServerEvents } from './messages/index.js';

interface Listener {
  emit<E extends keyof ServerEvents>(name: E, ...payload: Parameters<ServerEvents[E]>): unknown;
}

/** Tells one socket what is meant for its person: not everybody hears the same of everything. */
export function tell({ socket, principal }: Connection, event: LiveEvent): void {
  const instead = event.name === 'workspace:update' ? event.instead : undefined;
  if (instead?.userId === principal.userId) socket.emit('workspace:update', instead.payload);
  else send(socket, event);
}

/** Tells all who are in the room; encoded once for all of them, by socket.io's adapter. */
export function tellAll(
  room: ReturnType<LiveServer['to']>,
  followers: () => readonly Connection[],
  event: LiveEvent,
): void {
  const instead = event.name === 'workspace:update' ? event.instead : undefined;
  if (!instead) {
    send(room, event);
    return;
  }
  const apart = followers().filter(({ principal }) => principal.userId === instead.userId);
  send(room.except(apart.map(({ socket }) => socket.id)), event);
  for (const connection of apart) tell(connection, event);
}

function send(to: Listener, event: LiveEvent): void {
  switch (event.name) {
    case 'data:update':
      to.emit(event.name, event.payload);
      return;
    case 'schema:update':
      to.emit(event.name, event.payload);
      return;
    case 'workspace:update':
      to.emit(event.name, event.payload);
  }
}
