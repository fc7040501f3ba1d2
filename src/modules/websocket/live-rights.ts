import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Problem, type Id } from '../../common/index.js';
import { TokenService } from '../auth/index.js';
import { ConnectionCatalog } from '../connections/index.js';
import { EventBus } from '../events/index.js';
import { AccessService } from '../workspaces/index.js';
import { ChannelAccess } from './channel-access.js';
import type { Connection, Subscription } from './connection.js';
import { Connections } from './connections.js';
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
      const refused = await refusalOf(
        subscription.kind === 'table'
          ? this.channels.table(caller, subscription.tableId)
          : this.channels.objectsOf(caller, subscription.object.connectionId),
      );
      if (refused) this.subscriptions.revoke(connection, subscription);
    }
  }

  private async round(): Promise<void> {
    if (this.inRound) return;
    this.inRound = true;
    try {
      await this.endDeadSessions(this.connections.where());
      await this.endLostMemberships(this.connections.where(({ subscriptions }) => subscriptions.size > 0));
      await this.endRemovedConnections(this.connections.where(follows(({ kind }) => kind === 'object')));
    } catch {
      // The main database is away: nobody can tell, and HTTP is in the same position. The next round asks again.
    } finally {
      this.inRound = false;
    }
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

  private async endLostMemberships(connections: readonly Connection[]): Promise<void> {
    const followed = followedBy(connections);
    if (followed.length === 0) return;
    const held = await this.access.memberships(
      distinct(followed.map(({ connection }) => connection.principal.userId)),
      distinct(followed.map(({ subscription }) => subscription.workspaceId)),
    );
    const keys = new Set(held.map(({ userId, workspaceId }) => `${userId} ${workspaceId}`));
    for (const { connection, subscription } of followed) {
      const key = `${connection.principal.userId} ${subscription.workspaceId}`;
      if (!keys.has(key)) this.subscriptions.revoke(connection, subscription);
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

const followedBy = (connections: readonly Connection[]) =>
  connections.flatMap((connection) =>
    [...connection.subscriptions.values()].map((subscription) => ({ connection, subscription })),
  );

const distinct = (ids: readonly Id[]): Id[] => [...new Set(ids)];

const follows =
  (wanted: (subscription: Subscription) => boolean) =>
  ({ subscriptions }: Connection): boolean =>
    [...subscriptions.values()].some(wanted);

/** The refusal; undefined when allowed, and also when nobody can tell because the database is away. */
async function refusalOf(question: Promise<unknown>): Promise<Problem | undefined> {
  try {
    await question;
    return undefined;
  } catch (error) {
    return error instanceof Problem && error.status < 500 ? error : undefined;
  }
}
