import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { AuditedTransaction, Outbox, type OutboxEvent } from '../../database/main/index.js';
import { EventBus } from './event-bus.js';
import { isPayloadOf, isTopic } from './topics.js';

const SWEEP_EVERY_MS = 10_000;
/** Younger rows belong to the node that wrote them: it publishes them itself within moments. */
const SWEEP_OLDER_THAN_MS = 5_000;
const SWEEP_BATCH = 200;

/**
 * Publishes the events that were committed with a metadata write, then deletes them (transactional outbox). Straight
 * after the commit as a rule; what a dying process left behind is found by the sweep of any node.
 */
@Injectable()
export class OutboxRelay implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(OutboxRelay.name);
  private readonly published: Id[] = [];
  private deleting: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: EventBus,
    private readonly transaction: AuditedTransaction,
    private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.transaction.onCommitted((events) => {
      for (const event of events) this.publish(event);
      this.published.push(...events.map((event) => event.id));
      this.deleting ??= this.deletePublished().finally(() => (this.deleting = undefined));
    });
    this.timer = setInterval(() => void this.sweepQuietly(), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.deleting;
  }

  /** Publishes what is left over, oldest first; returns how many. Nodes that sweep at once share the work. */
  sweep(olderThanMs = SWEEP_OLDER_THAN_MS): Promise<number> {
    return this.outbox.take(olderThanMs, SWEEP_BATCH, (event) => this.publish(event));
  }

  private publish(event: OutboxEvent): void {
    const { topic, payload } = event;
    if (isTopic(topic) && isPayloadOf(topic, payload)) this.bus.publish(topic, payload);
    else this.logger.error(`Outbox event with unknown topic or payload is dropped: ${topic}.`);
  }

  /** One delete at a time, each for all that came together meanwhile. A failed one is left to the sweep. */
  private async deletePublished(): Promise<void> {
    while (this.published.length > 0) {
      const ids = this.published.splice(0);
      await this.outbox.forget(ids).catch(() => undefined);
    }
  }

  private async sweepQuietly(): Promise<void> {
    try {
      while ((await this.sweep()) === SWEEP_BATCH);
    } catch {
      // The main database is away; health says so, and the next sweep tries again.
    }
  }
}
