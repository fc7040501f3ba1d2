import type { Connection } from './connection.js';
import type { LiveEvent } from './feed/index.js';

/** Tells one socket what is meant for its person: not everybody hears the same of everything. */
export function tell({ socket, principal }: Connection, event: LiveEvent): void {
  const instead = insteadOf(event);
  if (instead?.userId === principal.userId) {
    socket.emit('workspace:update', instead.payload);
    return;
  }
  switch (event.name) {
    case 'data:update':
      socket.emit(event.name, event.payload);
      return;
    case 'schema:update':
      socket.emit(event.name, event.payload);
      return;
    case 'workspace:update':
      socket.emit(event.name, event.payload);
  }
}

/** What one person is told in the place of the event, where there is such a person. */
export const insteadOf = (event: LiveEvent) => (event.name === 'workspace:update' ? event.instead : undefined);
