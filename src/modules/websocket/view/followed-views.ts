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

  of(viewId: Id): ViewSource | undefined {
    const source = this.subscriptions.feeds.sourceOf(viewChannel(viewId));
    return source instanceof ViewSource ? source : undefined;
  }

  /** Those who are about to follow it among them. */
  followersOf(viewId: Id): readonly { readonly connection: Connection; readonly subscription: ViewSubscription }[] {
    const channel = viewChannel(viewId);
    return this.connections.where().flatMap((connection) => {
      const subscription = connection.subscriptions.get(channel);
      return subscription?.kind === 'view' ? { connection, subscription } : [];
    });
  }

  tell(viewId: Id, update: Omit<ViewUpdateEvent, 'channel'>): void {
    const channel = viewChannel(viewId);
    this.rooms.to(channel).emit('view:update', { channel, ...update });
  }

  /** To be read again, for a reason that no number tells. */
  invalidate(viewId: Id, cause: ViewCause): void {
    const channel = viewChannel(viewId);
    const position = this.subscriptions.feeds.of(channel)?.position;
    if (!position) return;
    const { epoch, seq } = position;
    this.rooms.tell(channel, [viewInvalidated(channel, epoch, seq, seq, new Date().toISOString(), cause)]);
  }

  /** It may show something else from now on: everybody reads it again, and subscribes to what it is then. */
  end(viewId: Id): void {
    const channel = viewChannel(viewId);
    const { epoch = '', seq = 0 } = this.subscriptions.feeds.of(channel)?.position ?? {};
    for (const { connection, subscription } of this.followersOf(viewId)) {
      this.subscriptions.leave(connection, channel);
      // Who was not let in yet is told by the answer that it ended.
      if (subscription.joined)
        connection.socket.emit('control', { type: 'reset', channel, reason: 'epoch_changed', epoch, seq });
    }
  }
}
