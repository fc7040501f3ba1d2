import { Injectable } from '@nestjs/common';
import type { Id } from '../../../common/index.js';
import type { Connection, ViewSubscription } from '../connection.js';
import { Connections } from '../connections.js';
import { viewChannel, type ViewCause, type ViewUpdateEvent } from '../messages/index.js';
import { Rooms } from '../rooms.js';
import { Subscriptions } from '../subscriptions.js';
import { viewInvalidated } from './view-event.js';
import { ViewSource } from './view-source.js';

/** The views that somebody on this node follows, and what is told of them beside what they show. */
@Injectable()
export class FollowedViews {
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly connections: Connections,
    private readonly rooms: Rooms,
  ) {}

  all(): readonly ViewSource[] {
    return this.subscriptions.feeds.sources().filter((source) => source instanceof ViewSource);
  }

  /** One for each part that somebody sees of it. */
  of(viewId: Id): readonly ViewSource[] {
    return this.all().filter(({ view }) => view.id === viewId);
  }

  /** Those who are about to follow it among them. */
  followersOf(viewId: Id): readonly { readonly connection: Connection; readonly subscription: ViewSubscription }[] {
    const channel = viewChannel(viewId);
    return this.connections.where().flatMap((connection) => {
      const subscription = connection.subscriptions.get(channel);
      return subscription?.kind === 'view' ? { connection, subscription } : [];
    });
  }

  tell({ channel, room }: ViewSource, update: Omit<ViewUpdateEvent, 'channel'>): void {
    this.rooms.to(room).emit('view:update', { channel, ...update });
  }

  /** To be read again, for a reason that no number tells. */
  invalidate({ channel, room }: ViewSource, cause: ViewCause): void {
    const position = this.subscriptions.feeds.of(room)?.position;
    if (!position) return;
    const { epoch, seq } = position;
    this.rooms.tell(room, [viewInvalidated(channel, epoch, seq, seq, new Date().toISOString(), cause)]);
  }

  /** It may show something else from now on: everybody in the room reads it again, and subscribes to what it is then. */
  end({ channel, room, view }: ViewSource): void {
    const { epoch = '', seq = 0 } = this.subscriptions.feeds.of(room)?.position ?? {};
    for (const { connection, subscription } of this.followersOf(view.id)) {
      if (subscription.feed.room.channel !== room) continue;
      this.subscriptions.leave(connection, channel);
      // Who was not let in yet is told by the answer that it ended.
      if (subscription.joined)
        connection.socket.emit('control', { type: 'reset', channel, reason: 'epoch_changed', epoch, seq });
    }
  }
}
