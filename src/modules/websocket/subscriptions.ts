import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { invalid, Problem, unreachable, type Id } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { ObjectDigests, type ExternalObject } from '../connections/index.js';
import { LiveViews } from '../views/index.js';
import { AccessService } from '../workspaces/index.js';
import { ChannelAccess } from './channel-access.js';
import { ChannelSources } from './channel-sources.js';
import type {
  Connection,
  FeedSubscription,
  ObjectSubscription,
  Subscription,
  TableSubscription,
  ViewSubscription,
} from './connection.js';
import { Connections } from './connections.js';
import { Feeds, type Admission, type FeedRoom, type Refusal } from './feed/index.js';
import {
  objectChannel,
  partRoom,
  roomOf,
  targetOf,
  type Answer,
  type ObjectSubscribedAnswer,
  type ResetAnswer,
  type SubscribedAnswer,
  type SubscribeMessage,
} from './messages/index.js';
import { endLostMemberships, followedBy } from './lost-memberships.js';
import { ObjectWatches } from './object-watches.js';
import { Presence } from './presence/presence.service.js';
import { Rooms } from './rooms.js';
import { tell } from './tell.js';
import { workspaceHeads } from './workspace/workspace-source.js';
import { WorkspaceLoad } from './workspace-load.js';

/** Channels that one socket may follow. */
export const MAX_SUBSCRIPTIONS = 200;

/** Which socket follows what: how it comes in, and how it goes. */
@Injectable()
export class Subscriptions implements OnModuleDestroy {
  /** Of tables, and of views of them. */
  readonly feeds: Feeds;
  readonly workspaces: Feeds;
  private readonly watches: ObjectWatches;
  private readonly load: WorkspaceLoad;
  private viewOutdated: (viewId: Id) => void = () => undefined;
  private objectChanged: (object: ExternalObject) => void = () => undefined;

  constructor(
    private readonly sources: ChannelSources,
    private readonly liveViews: LiveViews,
    private readonly access: ChannelAccess,
    private readonly members: AccessService,
    private readonly rooms: Rooms,
    private readonly connections: Connections,
    private readonly presence: Presence,
    digests: ObjectDigests,
    @Inject(APP_CONFIG) { external, maxFollowedPerWorkspace }: AppConfig,
  ) {
    this.load = new WorkspaceLoad(maxFollowedPerWorkspace);
    this.feeds = new Feeds(sources.log, (channel) => this.room(channel));
    this.workspaces = new Feeds(workspaceHeads(sources.workspaceLog), (channel) => this.room(channel));
    this.watches = new ObjectWatches(
      (object, signal) => digests.digestOf(object, signal),
      external.pollMs,
      (object) => {
        this.rooms.showChanged(objectChannel(object.connectionId, object.name));
        this.objectChanged(object);
      },
    );
  }

  onModuleDestroy(): void {
    this.watches.end();
  }

  /** Called when a view that is followed is found to be another by now; once, before the first socket comes. */
  onViewOutdated(listener: (viewId: Id) => void): void {
    this.viewOutdated = listener;
  }

  /** Called when an object that is followed, or shown by a view that is, was found changed; once, before the first socket comes. */
  onObjectChanged(listener: (object: ExternalObject) => void): void {
    this.objectChanged = listener;
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
    switch (target.kind) {
      case 'table':
        return this.followTable(connection, target.tableId, message, answer);
      case 'workspace':
        return this.followWorkspace(connection, target.workspaceId, message, answer);
      case 'view':
        return this.followView(connection, target.viewId, message, answer);
      case 'object':
        return this.followObject(connection, target, message, answer);
      default:
        return unreachable(target);
    }
  }

  private async followTable(
    connection: Connection,
    tableId: Id,
    message: SubscribeMessage,
    answer: Answer<SubscribedAnswer | ResetAnswer>,
  ): Promise<void> {
    const { channel } = message;
    const table = await this.access.tableNow(connection.caller(), tableId);
    const { sight, workspaceId } = table;
    await this.follow(connection, workspaceId, message, answer, () => ({
      ...{ kind: 'table', channel, tableId, workspaceId, joined: false },
      ...(sight === undefined ? {} : { sight }),
      // Those who see the same share a feed and a room.
      feed: this.feeds.acquire(roomOf(channel, sight), () => this.sources.table(table, () => this.judge(tableId))),
    }));
  }

  /** The structure of a table is another, and its rules with it perhaps: whoever sees something else now begins again. */
  private async judge(tableId: Id): Promise<void> {
    await this.access.renewed(tableId);
    for (const { connection, subscription } of followedBy(this.connections.where()))
      if (subscription.kind === 'table' && subscription.tableId === tableId)
        await this.judgeOne(connection, subscription);
  }

  /** Ends a subscription to a table, or to a view of tables, whose rights are others: for good, or so that it begins again. */
  async judgeOne(connection: Connection, subscription: TableSubscription | ViewSubscription): Promise<void> {
    const caller = connection.caller();
    try {
      const sight = await this.access.sight(caller, targetOf(subscription.channel));
      if (sight !== subscription.sight) this.restart(connection, subscription);
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      this.revoke(connection, subscription);
    }
  }

  /** What was told before was of another sight of the table, or of those of the view: it has to be read again. */
  private restart(connection: Connection, subscription: TableSubscription | ViewSubscription): void {
    if (connection.subscriptions.get(subscription.channel) !== subscription) return;
    const { channel, feed, joined } = subscription;
    this.forget(connection, subscription);
    this.presence.leave(connection, channel);
    // Whoever is on the way in hears that it ended before it began.
    if (!joined) return;
    const { epoch = '', seq = 0 } = feed.position ?? {};
    connection.socket.emit('control', { type: 'reset', channel, reason: 'rights_changed', epoch, seq });
  }

  private async followView(
    connection: Connection,
    viewId: Id,
    message: SubscribeMessage,
    answer: Answer<SubscribedAnswer | ResetAnswer>,
  ): Promise<void> {
    const { channel } = message;
    const view = await this.liveViews.open(await this.access.view(connection.caller(), viewId), viewId);
    const { workspaceId, objects, sight } = view;
    await this.follow(connection, workspaceId, message, answer, () => {
      for (const object of objects) this.watches.acquire(object);
      return {
        ...{ kind: 'view', channel, workspaceId, objects, joined: false, tableIds: view.tables.map(({ id }) => id) },
        ...(sight === undefined ? {} : { sight }),
        tells: view.rows ? 'rows' : 'invalidated',
        feed: this.feeds.acquire(roomOf(channel, sight), () =>
          this.sources.view(view, () => this.viewOutdated(viewId)),
        ),
      };
    });
  }

  private async followWorkspace(
    connection: Connection,
    workspaceId: Id,
    message: SubscribeMessage,
    answer: Answer<SubscribedAnswer | ResetAnswer>,
  ): Promise<void> {
    const { channel } = message;
    await this.access.workspace(connection.caller(), workspaceId);
    const endLost = (): Promise<void> =>
      endLostMemberships(this.members, this.rooms.followersOf(channel), (...lost) => this.revoke(...lost));
    await this.follow(connection, workspaceId, message, answer, () => ({
      ...{ kind: 'workspace', channel, workspaceId, joined: false },
      feed: this.workspaces.acquire(channel, () => this.sources.workspace(workspaceId, endLost)),
    }));
  }

  private async follow(
    connection: Connection,
    workspaceId: Id,
    { channel, from }: SubscribeMessage,
    answer: Answer<SubscribedAnswer | ResetAnswer>,
    begin: () => FeedSubscription,
  ): Promise<void> {
    this.makeRoom(connection, channel, workspaceId);
    const subscription = begin();
    this.remember(connection, subscription);
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
    this.makeRoom(connection, channel, workspaceId);
    const subscription: ObjectSubscription = {
      kind: 'object',
      channel,
      workspaceId,
      object: { workspaceId, connectionId, name: object },
    };
    this.remember(connection, subscription);
    this.watches.acquire(subscription.object);
    void connection.socket.join(channel);
    answer({ ok: true, channel, mode: 'live' });
  }

  /** To subscribe again is to begin again, from another number perhaps. Throws where the socket may follow no more. */
  private makeRoom(connection: Connection, channel: string, workspaceId: Id): void {
    if (connection.closed) throw ended();
    this.leave(connection, channel);
    if (connection.subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new Problem('limit_reached', {
        detail: `A socket may follow ${MAX_SUBSCRIPTIONS} channels; open another one.`,
      });
    }
    this.load.mustHaveRoom(workspaceId);
  }

  private remember(connection: Connection, subscription: Subscription): void {
    connection.subscriptions.set(subscription.channel, subscription);
    this.load.add(subscription.workspaceId);
  }

  /** Ends a subscription; that there was none is no error. */
  leave(connection: Connection, channel: string): void {
    const subscription = connection.subscriptions.get(channel);
    if (subscription) this.forget(connection, subscription);
  }

  leaveAll(connection: Connection): void {
    for (const subscription of connection.subscriptions.values()) this.forget(connection, subscription);
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
    subscription: FeedSubscription,
    admission: Admission,
    answer: Answer<SubscribedAnswer>,
  ): void {
    assertCurrent(connection, subscription);
    subscription.joined = true;
    void connection.socket.join(roomsOf(subscription));
    answer({
      ...{ ok: true, channel: subscription.channel, mode: admission.mode, ...positionOf(admission) },
      ...(subscription.kind === 'view' ? { tells: subscription.tells } : {}),
    });
    for (const event of admission.events) tell(connection, event);
    if (admission.mode === 'live') return;
    const { epoch, seq } = admission;
    connection.socket.emit('control', { type: 'up_to_date', channel: subscription.channel, epoch, seq });
  }

  private forget(connection: Connection, subscription: Subscription): void {
    if (connection.subscriptions.get(subscription.channel) !== subscription) return;
    connection.subscriptions.delete(subscription.channel);
    this.load.remove(subscription.workspaceId);
    if (subscription.kind === 'object') void connection.socket.leave(subscription.channel);
    else if (subscription.joined) for (const room of roomsOf(subscription)) void connection.socket.leave(room);
    switch (subscription.kind) {
      case 'table':
        this.feeds.release(subscription.feed);
        return;
      case 'view':
        this.feeds.release(subscription.feed);
        for (const object of subscription.objects) this.watches.release(object);
        return;
      case 'workspace':
        this.workspaces.release(subscription.feed);
        return;
      case 'object':
        this.watches.release(subscription.object);
    }
  }

  private room(room: string): FeedRoom {
    return {
      channel: room,
      broadcast: (events) => this.rooms.tell(room, events),
      reset: (reason, { epoch, seq }) => {
        this.rooms.sent.resets++;
        for (const connection of this.rooms.followersOf(room)) {
          const channel = channelOf(room);
          this.leave(connection, channel);
          connection.socket.emit('control', { type: 'reset', channel, reason, epoch, seq });
        }
      },
    };
  }
}

/** That of its feed, and of those who see part of what it is about that of all who do. */
const roomsOf = (subscription: FeedSubscription): string[] => [
  subscription.feed.room.channel,
  ...(subscription.kind !== 'workspace' && subscription.sight !== undefined ? [partRoom(subscription.channel)] : []),
];

/** The channel that a room is for; those who see only part of it have rooms of their own. */
const channelOf = (room: string): string => room.split('#', 1)[0] ?? room;

/** While the log was read, the right to it or the whole socket may have ended. */
function assertCurrent(connection: Connection, subscription: Subscription): void {
  if (connection.subscriptions.get(subscription.channel) === subscription) return;
  throw ended();
}

const ended = (): Problem => new Problem('conflict', { detail: 'The subscription ended before it began.' });

const positionOf = ({ epoch, seq, schemaVersion }: Admission | Refusal) => ({
  ...{ epoch, seq },
  ...(schemaVersion === undefined ? {} : { schemaVersion }),
});
