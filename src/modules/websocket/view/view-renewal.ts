import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Problem, type Id, type ProblemBody } from '../../../common/index.js';
import { EventBus } from '../../events/index.js';
import { LiveViews, type LiveView, type ViewState } from '../../views/index.js';
import { ChannelAccess } from '../channel-access.js';
import type { Connection } from '../connection.js';
import { Subscriptions } from '../subscriptions.js';
import { FollowedViews } from './followed-views.js';
import type { ViewSource } from './view-source.js';

/** Events of the bus may be lost; what became of the views that are followed is looked up this often, by one query. */
const ROUND_MS = 1_500;
/** What shows the time is read again by those who look at it. */
const MINUTE_MS = 60_000;
/** Changes of external objects that come within this are told together. */
const WINDOW_MS = 250;

/** Sees to what becomes of views while they are followed: they are changed, hidden, deleted, and do not fit their sources any more. */
@Injectable()
export class ViewRenewal implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Live');
  private readonly renewing = new Map<Id, Promise<void>>();
  /** By room. */
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private stopListening: readonly (() => void)[] = [];
  private timers: readonly NodeJS.Timeout[] = [];
  private inRound = false;

  constructor(
    private readonly bus: EventBus,
    private readonly views: LiveViews,
    private readonly access: ChannelAccess,
    private readonly followed: FollowedViews,
    private readonly subscriptions: Subscriptions,
  ) {}

  onModuleInit(): void {
    this.stopListening = [
      // Not in the same step as the event: the caches of other modules drop what they know by the same event first.
      this.bus.on('view.changed', ({ viewId }) => void setImmediate(() => void this.renew(viewId))),
      this.bus.on('schema.changed', ({ tableId }) =>
        this.renewWhere(({ tables }) => tables.some(({ id }) => id === tableId)),
      ),
      this.bus.on('base.changed', ({ workspaceId }) => this.renewWhere((view) => view.workspaceId === workspaceId)),
      this.bus.on('workspace.changed', ({ workspaceId }) =>
        this.renewWhere((view) => view.workspaceId === workspaceId),
      ),
      this.bus.on('object.changed', ({ connectionId, object }) => this.objectChanged(connectionId, object)),
    ];
    this.subscriptions.onViewOutdated((viewId) => void this.renew(viewId));
    this.subscriptions.onObjectChanged(({ connectionId, name }) => this.objectChanged(connectionId, name));
    this.timers = [
      setInterval(() => void this.round(), ROUND_MS).unref(),
      setInterval(() => this.minute(), MINUTE_MS).unref(),
    ];
  }

  onModuleDestroy(): void {
    for (const stop of this.stopListening) stop();
    for (const timer of this.timers) clearInterval(timer);
    for (const timer of this.waiting.values()) clearTimeout(timer);
  }

  private async round(): Promise<void> {
    const followed = this.followed.all();
    if (this.inRound || followed.length === 0) return;
    this.inRound = true;
    try {
      const states = await this.views.states(followed.map(({ view }) => view.id));
      for (const { view, version } of followed) if (states.get(view.id)?.version !== version) await this.renew(view.id);
    } catch {
      // The main database is away; the next round asks again.
    } finally {
      this.inRound = false;
    }
  }

  /** One after the other for one view. Never rejects: what failed is tried again by the next round. */
  private renew(viewId: Id): Promise<void> {
    const before = this.renewing.get(viewId) ?? Promise.resolve();
    const run = before
      .then(() => this.renewNow(viewId))
      .catch((error: unknown) => this.logger.debug({ msg: 'A view could not be renewed', err: error }))
      .finally(() => {
        if (this.renewing.get(viewId) === run) this.renewing.delete(viewId);
      });
    this.renewing.set(viewId, run);
    return run;
  }

  private async renewNow(viewId: Id): Promise<void> {
    if (this.followed.of(viewId).length === 0) return;
    const state = (await this.views.states([viewId])).get(viewId);
    this.views.forget(viewId);
    const readers = await this.withoutThoseWhoMayNot(viewId);
    if (!state) return;
    for (const source of this.followed.of(viewId)) {
      const reader = readers.get(source.room);
      if (reader) this.renewSource(source, state, await this.reopened(reader, viewId));
    }
  }

  private renewSource(source: ViewSource, state: ViewState, found: Reopened): void {
    const hasChanged = state.version !== source.version;
    source.version = state.version;
    if (hasChanged || 'problem' in found) this.tellChange(source, state, found);
    // Also without a change of the view: a table that it shows has other columns.
    if (!('view' in found) || !isSame(found.view, source.view)) this.followed.end(source);
  }

  /** Whoever does not see it any more is told so, and nothing else. @returns one of those who are left, by room */
  private async withoutThoseWhoMayNot(viewId: Id): Promise<ReadonlyMap<string, Connection>> {
    const left = new Map<string, Connection>();
    for (const { connection, subscription } of this.followed.followersOf(viewId))
      try {
        await this.access.view(connection.caller(), viewId);
        await this.subscriptions.judgeOne(connection, subscription);
        if (connection.subscriptions.get(subscription.channel) === subscription)
          left.set(subscription.feed.room.channel, connection);
      } catch (error) {
        if (!(error instanceof Problem) || error.status >= 500) throw error;
        this.subscriptions.revoke(connection, subscription);
      }
    return left;
  }

  private async reopened(reader: Connection, viewId: Id): Promise<Reopened> {
    try {
      return { view: await this.views.open(await this.access.view(reader.caller(), viewId), viewId) };
    } catch (error) {
      if (error instanceof Problem && error.status < 500) return { problem: error.body() };
      throw error;
    }
  }

  private tellChange(source: ViewSource, { name, version, updatedAt, updatedBy }: ViewState, found: Reopened): void {
    const problem = 'problem' in found ? { problem: found.problem } : {};
    this.followed.tell(source, { at: updatedAt.toISOString(), name, version, updatedBy, ...problem });
  }

  private objectChanged(connectionId: Id, name: string): void {
    const shows = ({ objects }: LiveView): boolean =>
      objects.some((each) => each.connectionId === connectionId && each.name === name);
    for (const source of this.followed.all()) {
      if (!shows(source.view) || this.waiting.has(source.room)) continue;
      const told = setTimeout(() => {
        this.waiting.delete(source.room);
        this.followed.invalidate(source, { kind: 'object', object: `${connectionId}:${name}` });
      }, WINDOW_MS);
      this.waiting.set(source.room, told.unref());
    }
  }

  /** That a table or connection is gone leaves no number where the view could see it: what the bus did not tell is found here. */
  private minute(): void {
    for (const source of this.followed.all())
      if (source.view.isTimeBound) this.followed.invalidate(source, { kind: 'time' });
    this.renewWhere(() => true);
  }

  private renewWhere(concerns: (view: LiveView) => boolean): void {
    const concerned = this.followed.all().filter(({ view }) => concerns(view));
    // One of them may be followed in several rooms.
    for (const id of new Set(concerned.map(({ view }) => view.id))) setImmediate(() => void this.renew(id));
  }
}

type Reopened = { readonly view: LiveView } | { readonly problem: ProblemBody };

/** Whether the numbers go on, and mean the same. */
const isSame = (a: LiveView, b: LiveView): boolean =>
  a.meaning === b.meaning && JSON.stringify(a.tables) === JSON.stringify(b.tables);
