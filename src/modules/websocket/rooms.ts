import { Injectable } from '@nestjs/common';
import { must } from '../../common/index.js';
import type { ImportProgress, ObjectChange } from '../events/index.js';
import type { Connection } from './connection.js';
import { Connections } from './connections.js';
import type { LiveEvent } from './feed/index.js';
import { objectChannel, tableChannel, type LiveServer } from './messages/index.js';
import { objectUpdate } from './object-update.js';
import { tellAll } from './tell.js';

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
    return must(this.server, 'the gateway attached its server before the first socket came').to(channel);
  }

  /** Those who get what is sent to the room of a numbered channel. */
  followersOf(room: string): readonly Connection[] {
    return this.connections.where(({ subscriptions }) =>
      [...subscriptions.values()].some((one) => one.kind !== 'object' && one.joined && one.feed.room.channel === room),
    );
  }

  tell(room: string, event: LiveEvent): void {
    this.sent.events++;
    this.sent.deliveries += this.server?.of('/').adapter.rooms.get(room)?.size ?? 0;
    tellAll(this.to(room), () => this.followersOf(room), event);
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
