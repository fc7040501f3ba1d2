import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { EventBus } from '../events/index.js';
import { workspaceChannel } from './messages/index.js';
import { Rooms } from './rooms.js';
import { Subscriptions } from './subscriptions.js';

/** Hints may be lost; the heads of all followed tables are looked at this often. */
const POLL_MS = 1_000;

/** Each says that there may be something new in the log of a workspace. */
const OF_WORKSPACES = [
  'workspace.changed',
  'member.changed',
  'base.changed',
  'schema.changed',
  'view.changed',
  'publication.changed',
  'connection.changed',
] as const;

/** Wakes the feeds: at once by the hints of the bus, and by a poll for those that never arrive. Passes on what is nothing but a hint. */
@Injectable()
export class LiveHints implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Live');
  private stopListening: readonly (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly bus: EventBus,
    private readonly subscriptions: Subscriptions,
    private readonly rooms: Rooms,
  ) {}

  onModuleInit(): void {
    this.stopListening = [
      this.bus.on('rows.changed', ({ tableId, seq }) => this.subscriptions.feeds.hint(tableId, seq)),
      ...OF_WORKSPACES.map((topic) =>
        this.bus.on(topic, ({ workspaceId }) =>
          this.subscriptions.workspaces.of(workspaceChannel(workspaceId))?.wake(),
        ),
      ),
      this.bus.on('import.progressed', (progress) => this.rooms.showProgress(progress)),
      this.bus.on('object.changed', (change) => this.rooms.showChange(change)),
    ];
    this.timer = setInterval(() => void this.poll(), POLL_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    for (const stop of this.stopListening) stop();
  }

  /** One line when the logs cannot be read, one when they can again. */
  private async poll(): Promise<void> {
    try {
      await Promise.all([this.subscriptions.feeds.poll(), this.subscriptions.workspaces.poll()]);
      if (this.failing) this.logger.log('Change logs can be read again.');
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.logger.warn({ msg: 'Change logs cannot be read; live events wait.', err: error });
      this.failing = true;
    }
  }
}
