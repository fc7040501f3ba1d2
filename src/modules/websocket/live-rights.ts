import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Problem, refusalOf, type Caller, type Id } from '../../common/index.js';
import { TokenService } from '../auth/index.js';
import { ConnectionCatalog } from '../connections/index.js';
import { EventBus } from '../events/index.js';
import { AccessService } from '../workspaces/index.js';
import { ChannelAccess } from './channel-access.js';
import type { Connection, Subscription } from './connection.js';
import { Connections } from './connections.js';
import { distinct, endLostMemberships, followedBy } from './lost-memberships.js';
import { targetOf } from './messages/index.js';
import { Subscriptions } from './subscriptions.js';

/** Events of the bus may be lost; every right is read again this often, so that none outlives its end by 5 s: sockets are let in on knowledge of up to 3 s. */
const ROUND_MS = 1_500;

/**
 * Ends what is no longer allowed: the socket with its session, the subscription with the right to read. At once when the
 * bus tells of it, else with the next round, which reads all sessions, memberships and connections in question by one query each.
 */
@Injectable()
export class LiveRights implements OnModuleInit, OnModuleDestroy {
  private stopListening: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private inRound = false;

  constructor(
    private readonly bus: EventBus,
    private readonly tokens: TokenService,
    private readonly access: AccessService,
    private readonly channels: ChannelAccess,
    private readonly externals: ConnectionCatalog,
    private readonly connections: Connections,
    private readonly subscriptions: Subscriptions,
  ) {}

  onModuleInit(): void {
    this.stopListening = [
      this.bus.on('session.revoked', ({ sessionId }) =>
        this.soon(({ principal }) => principal.sessionId === sessionId),
      ),
      this.bus.on('user.changed', ({ userId }) => this.soon(({ principal }) => principal.userId === userId)),
      this.bus.on('member.changed', ({ userId }) => this.soon(({ principal }) => principal.userId === userId)),
      this.bus.on('schema.changed', ({ tableId }) =>
        this.soon(follows((one) => one.kind === 'table' && one.tableId === tableId)),
      ),
      this.bus.on('connection.changed', ({ connectionId }) =>
        this.soon(follows((one) => one.kind === 'object' && one.object.connectionId === connectionId)),
      ),
      this.bus.on('base.changed', ({ workspaceId }) => this.soon(follows((one) => one.workspaceId === workspaceId))),
      this.bus.on('workspace.changed', ({ workspaceId }) =>
        this.soon(follows((one) => one.workspaceId === workspaceId)),
      ),
    ];
    this.timer = setInterval(() => void this.round(), ROUND_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    for (const stop of this.stopListening) stop();
  }

  /** Not in the same step as the event: the caches of other modules drop what they know by the same event first. */
  private soon(concerned: (connection: Connection) => boolean): void {
    setImmediate(() => {
      for (const connection of this.connections.where(concerned)) void this.check(connection);
    });
  }

  /** Asks about one socket as if it came now. */
  private async check(connection: Connection): Promise<void> {
    const ended = await refusalOf(this.tokens.verify(connection.token));
    if (ended) {
      connection.end(ended);
      return;
    }
    const caller = connection.caller();
    for (const subscription of [...connection.subscriptions.values()]) {
      if (subscription.kind === 'table' || subscription.kind === 'view')
        await this.subscriptions.judgeOne(connection, subscription).catch(() => undefined);
      if (subscription.kind === 'table') continue;
      const refused = await refusalOf(this.stillAllowed(caller, subscription));
      if (refused) this.subscriptions.revoke(connection, subscription);
    }
  }

  /** Of an object its database is not asked. */
  private async stillAllowed(caller: Caller, subscription: Subscription): Promise<void> {
    if (subscription.kind === 'object') await this.channels.objectsOf(caller, subscription.object.connectionId);
    else await this.channels.mayFollow(caller, targetOf(subscription.channel));
  }

  private async round(): Promise<void> {
    if (this.inRound) return;
    this.inRound = true;
    try {
      await this.endDeadSessions(this.connections.where());
      await endLostMemberships(this.access, this.connections.where(), (...lost) => this.subscriptions.revoke(...lost));
      await this.judgeTables(this.connections.where(follows(({ kind }) => kind === 'table' || kind === 'view')));
      await this.endRemovedConnections(this.connections.where(follows(({ kind }) => kind === 'object')));
    } catch {
      // The main database is away: nobody can tell, and HTTP is in the same position. The next round asks again.
    } finally {
      this.inRound = false;
    }
  }

  /** What rules let somebody see depends on the role and the attributes, which events tell of that may be lost. From memory. */
  private async judgeTables(connections: readonly Connection[]): Promise<void> {
    for (const { connection, subscription } of followedBy(connections))
      if (subscription.kind === 'table' || subscription.kind === 'view') {
        const tableIds = subscription.kind === 'table' ? [subscription.tableId] : subscription.tableIds;
        if (await this.areRuled(tableIds)) await this.subscriptions.judgeOne(connection, subscription);
      }
  }

  /** What has gone is no business of rules. */
  private async areRuled(tableIds: readonly Id[]): Promise<boolean> {
    for (const id of tableIds) if (await this.channels.hasRules(id).catch(() => false)) return true;
    return false;
  }

  private async endDeadSessions(connections: readonly Connection[]): Promise<void> {
    const ids = distinct(connections.map(({ principal }) => principal.sessionId));
    if (ids.length === 0) return;
    const asked = new Set(ids);
    const alive = await this.tokens.aliveSessions(ids);
    for (const connection of connections) {
      const { sessionId } = connection.principal;
      if (asked.has(sessionId) && !alive.has(sessionId))
        connection.end(new Problem('unauthenticated', { detail: 'The session has ended.' }));
    }
  }

  private async endRemovedConnections(connections: readonly Connection[]): Promise<void> {
    const followed = followedBy(connections).flatMap(({ connection, subscription }) =>
      subscription.kind === 'object' ? { connection, subscription } : [],
    );
    if (followed.length === 0) return;
    const there = await this.externals.existing(
      distinct(followed.map(({ subscription }) => subscription.object.connectionId)),
    );
    for (const { connection, subscription } of followed)
      if (!there.has(subscription.object.connectionId)) this.subscriptions.revoke(connection, subscription);
  }
}

const follows =
  (wanted: (subscription: Subscription) => boolean) =>
  ({ subscriptions }: Connection): boolean =>
    [...subscriptions.values()].some(wanted);
