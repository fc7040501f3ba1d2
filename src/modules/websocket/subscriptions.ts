import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { invalid, must, Problem, type Id } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { ChangeLog } from '../../engines/index.js';
import { ObjectDigests } from '../connections/index.js';
import type { ImportProgress, ObjectChange } from '../events/index.js';
import { ChannelAccess } from './channel-access.js';
import type { Connection, ObjectSubscription, Subscription, TableSubscription } from './connection.js';
import { Connections } from './connections.js';
import { Feeds, type Admission, type FeedRoom, type Refusal } from './feed/index.js';
import {
  objectChannel,
  tableChannel,
  targetOf,
  type Answer,
  type LiveServer,
  type ObjectSubscribedAnswer,
  type ResetAnswer,
  type SubscribedAnswer,
  type SubscribeMessage,
} from './messages/index.js';
import { objectUpdate } from './object-update.js';
import { ObjectWatches } from './object-watches.js';
import { Presence } from './presence/presence.service.js';

/** Channels that one socket may follow. */
export const MAX_SUBSCRIPTIONS = 200;

/** Which socket follows what: how it comes in, and how it goes. */
@Injectable()
export class Subscriptions implements OnModuleDestroy {
  readonly feeds: Feeds;
  private readonly watches: ObjectWatches;
  private server: LiveServer | undefined;
  /** Sent to rooms so far: events, and events times sockets. */
  readonly sent = { events: 0, deliveries: 0, resets: 0 };

  constructor(
    log: ChangeLog,
    private readonly access: ChannelAccess,
    private readonly connections: Connections,
    private readonly presence: Presence,
    digests: ObjectDigests,
    @Inject(APP_CONFIG) { external }: AppConfig,
  ) {
    this.feeds = new Feeds(log, (tableId) => this.room(tableChannel(tableId)));
    this.watches = new ObjectWatches(
      (object, signal) => digests.digestOf(object, signal),
      external.pollMs,
      ({ connectionId, name }) => this.showChanged(objectChannel(connectionId, name)),
    );
  }

  onModuleDestroy(): void {
    this.watches.end();
  }

  /** The server whose rooms are used; called once, before the first socket comes. */
  attach(server: LiveServer): void {
    this.server = server;
  }

  /**
   * Lets the socket follow the channel. The answer goes out in the same step in which the socket enters the room, before
   * the events that are replayed. Throws the problem to answer with.
   */
  async subscribe(
    connection: Connection,
    message: SubscribeMessage,
    answer: Answer<SubscribedAnswer | ObjectSubscribedAnswer | ResetAnswer>,
  ): Promise<void> {
    const target = targetOf(message.channel);
    if (target.kind === 'table') await this.followTable(connection, target.tableId, message, answer);
    else await this.followObject(connection, target, message, answer);
  }

  private async followTable(
    connection: Connection,
    tableId: Id,
    { channel, from }: SubscribeMessage,
    answer: Answer<SubscribedAnswer | ResetAnswer>,
  ): Promise<void> {
    const table = await this.access.table(connection.caller(), tableId);
    this.makeRoom(connection, channel);
    const subscription: TableSubscription = {
      kind: 'table',
      channel,
      tableId: table.id,
      workspaceId: table.workspaceId,
      feed: this.feeds.acquire(table),
      joined: false,
    };
    connection.subscriptions.set(channel, subscription);
    try {
      const refusal = await subscription.feed.join(from, (admission) =>
        this.admit(connection, subscription, admission, answer),
      );
      if (!refusal) return;
      assertCurrent(connection, subscription);
      answer({ ok: true, channel, mode: 'reset', ...positionOf(refusal), reason: refusal.reason });
    } finally {
      if (!subscription.joined) this.forget(connection, subscription);
    }
  }

  /** Without a log there is nothing to go on from, and nothing to wait for. */
  private async followObject(
    connection: Connection,
    { connectionId, object }: { readonly connectionId: Id; readonly object: string },
    { channel, from }: SubscribeMessage,
    answer: Answer<ObjectSubscribedAnswer>,
  ): Promise<void> {
    if (from !== undefined)
      throw invalid([{ pointer: '/from', code: 'no_log', detail: 'Changes of external objects have no numbers.' }]);
    const workspaceId = await this.access.object(connection.caller(), connectionId, object);
    this.makeRoom(connection, channel);
    const subscription: ObjectSubscription = {
      kind: 'object',
      channel,
      workspaceId,
      object: { workspaceId, connectionId, name: object },
    };
    connection.subscriptions.set(channel, subscription);
    this.watches.acquire(subscription.object);
    void connection.socket.join(channel);
    answer({ ok: true, channel, mode: 'live' });
  }

  /** To subscribe again is to begin again, from another number perhaps. Throws where the socket may follow no more. */
  private makeRoom(connection: Connection, channel: string): void {
    if (connection.closed) throw ended();
    this.leave(connection, channel);
    if (connection.subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new Problem('limit_reached', {
        detail: `A socket may follow ${MAX_SUBSCRIPTIONS} channels; open another one.`,
      });
    }
  }

  /** Ends a subscription; that there was none is no error. */
  leave(connection: Connection, channel: string): void {
    const subscription = connection.subscriptions.get(channel);
    if (subscription) this.forget(connection, subscription);
  }

  leaveAll(connection: Connection): void {
    for (const subscription of connection.subscriptions.values()) this.forget(connection, subscription);
  }

  /** Tells those who follow a table, here, how far an import into it is. */
  showProgress({ tableId, importId, ...progress }: ImportProgress): void {
    const channel = tableChannel(tableId);
    this.server?.to(channel).emit('import:progress', { channel, id: importId, ...progress });
  }

  /** Tells those who follow an object of an external database, here, that a row of it was changed through us. */
  showChange(change: ObjectChange): void {
    const channel = objectChannel(change.connectionId, change.object);
    this.server?.to(channel).emit('object:update', objectUpdate(channel, change, new Date()));
  }

  /** Ends a subscription that the person has no right to any more, and says so. */
  revoke(connection: Connection, subscription: Subscription): void {
    if (connection.subscriptions.get(subscription.channel) !== subscription) return;
    this.forget(connection, subscription);
    this.presence.leave(connection, subscription.channel);
    connection.socket.emit('control', { type: 'revoked', channel: subscription.channel });
  }

  /** Everything here happens in one step: what lies between the position and the room would be lost otherwise. */
  private admit(
    connection: Connection,
    subscription: TableSubscription,
    admission: Admission,
    answer: Answer<SubscribedAnswer>,
  ): void {
    assertCurrent(connection, subscription);
    subscription.joined = true;
    void connection.socket.join(subscription.channel);
    answer({ ok: true, channel: subscription.channel, mode: admission.mode, ...positionOf(admission) });
    for (const event of admission.events) connection.socket.emit(event.name, event.payload);
    if (admission.mode === 'live') return;
    const { epoch, seq } = admission;
    connection.socket.emit('control', { type: 'up_to_date', channel: subscription.channel, epoch, seq });
  }

  private showChanged(channel: string): void {
    this.server
      ?.to(channel)
      .emit('object:update', { channel, at: new Date().toISOString(), op: 'changed', source: 'poll' });
  }

  private forget(connection: Connection, subscription: Subscription): void {
    if (connection.subscriptions.get(subscription.channel) !== subscription) return;
    connection.subscriptions.delete(subscription.channel);
    if (subscription.kind === 'object' || subscription.joined) void connection.socket.leave(subscription.channel);
    if (subscription.kind === 'table') this.feeds.release(subscription.feed);
    else this.watches.release(subscription.object);
  }

  private room(channel: string): FeedRoom {
    return {
      channel,
      broadcast: (event) => {
        this.sent.events++;
        this.sent.deliveries += this.io.of('/').adapter.rooms.get(channel)?.size ?? 0;
        // Encoded once for the whole room, by socket.io's adapter.
        this.io.to(channel).emit(event.name, event.payload);
      },
      reset: (reason, { epoch, seq }) => {
        this.sent.resets++;
        for (const connection of this.connections.where((one) => isIn(one, channel))) {
          this.leave(connection, channel);
          connection.socket.emit('control', { type: 'reset', channel, reason, epoch, seq });
        }
      },
    };
  }

  private get io(): LiveServer {
    return must(this.server, 'the gateway attached its server before the first socket came');
  }
}

/** While the log was read, the right to it or the whole socket may have ended. */
function assertCurrent(connection: Connection, subscription: Subscription): void {
  if (connection.subscriptions.get(subscription.channel) === subscription) return;
  throw ended();
}

/** Whether the socket gets what is sent to the room of a table. */
function isIn({ subscriptions }: Connection, channel: string): boolean {
  const subscription = subscriptions.get(channel);
  return subscription?.kind === 'table' && subscription.joined;
}

const ended = (): Problem => new Problem('conflict', { detail: 'The subscription ended before it began.' });

const positionOf = ({ epoch, seq, schemaVersion }: Admission | Refusal) => ({ epoch, seq, schemaVersion });
