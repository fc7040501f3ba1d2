import { Injectable } from '@nestjs/common';
import { must } from '../../common/index.js';
import type { ImportProgress, ObjectChange } from '../events/index.js';
import type { Connection } from './connection.js';
import { Connections } from './connections.js';
import type { LiveEvent } from './feed/index.js';
import { objectChannel, tableChannel, type LiveServer } from './messages/index.js';
import { objectUpdate } from './object-update.js';
import { RoomAdapter } from './room-adapter.js';
import { insteadOf, tell } from './tell.js';

/** The rooms of this node, one for each channel, and what is said in them. */
@Injectable()
export class Rooms {
  private server: LiveServer | undefined;
  /** Sent so far: events, events times sockets, and resets. */
  readonly sent = { events: 0, deliveries: 0, resets: 0 };

  constructor(private readonly connections: Connections) {}

  /** The server whose rooms are used; called once, before the first socket comes. */
  attach(server: LiveServer): void {
    this.server = server;
  }

  to(channel: string): ReturnType<LiveServer['to']> {
    return this.io.to(channel);
  }

  private get io(): LiveServer {
    return must(this.server, 'the gateway attached its server before the first socket came');
  }

  /** Those who get what is sent to the room of a numbered channel. */
  followersOf(room: string): readonly Connection[] {
    return this.connections.where(({ subscriptions }) =>
      [...subscriptions.values()].some((one) => one.kind !== 'object' && one.joined && one.feed.room.channel === room),
    );
  }

  /** Tells all in the room of a numbered channel these events in their order; encoded once for all who hear the same. */
  tell(room: string, events: readonly LiveEvent[]): void {
    const { adapter } = this.io.of('/');
    if (!(adapter instanceof RoomAdapter)) throw new Error('The server was not made by LiveSocketAdapter.');
    this.sent.events += events.length;
    this.sent.deliveries += events.length * (adapter.rooms.get(room)?.size ?? 0);
    if (events.every((event) => insteadOf(event) === undefined)) adapter.tell(room, events);
    else for (const event of events) this.tellApart(adapter, room, event);
  }

  private tellApart(adapter: RoomAdapter, room: string, event: LiveEvent): void {
    const userId = insteadOf(event)?.userId;
    const apart =
      userId === undefined ? [] : this.followersOf(room).filter(({ principal }) => principal.userId === userId);
    adapter.tell(room, [event], new Set(apart.map(({ socket }) => socket.id)));
    for (const connection of apart) tell(connection, event);
  }

  /** How far an import into a table is. */
  showProgress({ tableId, importId, ...progress }: ImportProgress): void {
    const channel = tableChannel(tableId);
    this.server?.to(channel).emit('import:progress', { channel, id: importId, ...progress });
  }

  /** A row of an object of an external database was changed through us. */
  showChange(change: ObjectChange): void {
    const channel = objectChannel(change.connectionId, change.object);
    this.server?.to(channel).emit('object:update', objectUpdate(channel, change, new Date()));
  }

  /** Somebody else changed something in an object of an external database. */
  showChanged(channel: string): void {
    this.server
      ?.to(channel)
      .emit('object:update', { channel, at: new Date().toISOString(), op: 'changed', source: 'poll' });
  }
}
