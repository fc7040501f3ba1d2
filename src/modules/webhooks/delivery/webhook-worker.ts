import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { grouped, Rounds, type Id } from '../../../common/index.js';
import { ChangeLog, type StreamHead } from '../../../engines/index.js';
import { EventBus } from '../../events/index.js';
import { Interrupted } from './post.js';
import { WebhookMetrics } from './webhook-metrics.js';
import { WebhookQueue, type Position, type Watched } from './webhook-queue.js';
import { WebhookTurn } from './webhook-turn.js';

/** Hints may be lost, and waits after failures end: so often it is looked what there is to tell. */
const LOOK_EVERY_MS = 2_000;
const FORGET_EVERY_MS = 60_000;
/** For so long a webhook that this node cannot deliver is left to others: it would come before them time and again. */
const LEFT_MS = 60_000;
const KEPT = { days: 30, newest: 500 };
/**
 * Webhooks that one node delivers at once. A receiver that is slow holds one of these places, for one attempt at a time when it fails; as many
 * as there are cost no more than their sockets.
 */
const MAX_TURNS = 64;

/**
 * Delivers webhooks in the background. Which there are and where they stand is in the main database, what there is to tell in the change logs:
 * nothing is lost with a process. A change of rows wakes the webhooks of its table at once.
 */
@Injectable()
export class WebhookWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Webhooks');
  private readonly stop = new AbortController();
  /** To be looked after, oldest first. */
  private readonly due = new Set<Id>();
  private readonly running = new Map<Id, Promise<void>>();
  /** Left to other nodes, until when. */
  private readonly left = new Map<Id, number>();
  /** Webhooks by their tables, as of the last look. */
  private byTable = new Map<Id, readonly Id[]>();
  private stopListening: readonly (() => void)[] = [];
  private readonly failed = (err: unknown): void => {
    // A database is away; health says so, and the next look tries again.
    this.logger.debug({ msg: 'Webhooks cannot be looked at', err });
  };
  private readonly looks = new Rounds(() => this.look(), this.failed);
  private readonly cleaning = new Rounds(() => this.queue.forget(KEPT), this.failed);

  constructor(
    private readonly queue: WebhookQueue,
    private readonly turn: WebhookTurn,
    private readonly log: ChangeLog,
    private readonly bus: EventBus,
    private readonly metrics: WebhookMetrics,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = [
      this.bus.on('rows.changed', ({ tableId }) => this.wake(this.byTable.get(tableId) ?? [])),
      this.bus.on('webhook.changed', () => this.look().catch(this.failed)),
    ];
    this.looks.begin({ everyMs: LOOK_EVERY_MS, firstMs: 0 });
    this.cleaning.begin({ everyMs: FORGET_EVERY_MS });
  }

  /** Attempts that are under way are broken off: they are made again by another node, or at the next start. */
  async onModuleDestroy(): Promise<void> {
    this.stop.abort();
    for (const stop of this.stopListening) stop();
    await Promise.all([this.looks.end(), this.cleaning.end()]);
    await Promise.all(this.running.values());
  }

  /** Finds what has something to tell: one query for each base with webhooks. */
  private async look(): Promise<void> {
    const watched = await this.queue.watched();
    const byTable = grouped(
      watched.flatMap(({ id, positions }) => positions.map(({ tableId }) => ({ id, tableId }))),
      ({ tableId }) => tableId,
    );
    this.byTable = new Map([...byTable].map(([tableId, each]) => [tableId, each.map(({ id }) => id)]));
    const heads = await this.heads(watched.flatMap(({ positions }) => positions));
    const behind = ({ tableId, epoch, seq }: Position): number => {
      const head = heads.get(tableId);
      if (!head) return 0;
      return head.epoch === epoch ? Math.abs(head.seq - seq) : Math.max(1, head.seq);
    };
    const lags = watched.map((each) => ({ ...each, lag: Math.max(0, ...each.positions.map(behind)) }));
    this.metrics.stand({
      failing: watched.filter(({ attempts }: Watched) => attempts > 0).length,
      behind: lags.reduce((most, { lag }) => Math.max(most, lag), 0),
    });
    for (const [id, until] of this.left) if (until < performance.now()) this.left.delete(id);
    this.wake(lags.filter(({ isDue, lag }) => isDue && lag > 0).map(({ id }) => id));
  }

  private async heads(positions: readonly Position[]): Promise<ReadonlyMap<Id, StreamHead>> {
    const bySchema = grouped(positions, ({ schema }) => schema);
    const found = await Promise.allSettled(
      [...bySchema].map(([schema, of]) => this.log.heads(schema, [...new Set(of.map(({ tableId }) => tableId))])),
    );
    // A base that cannot be read keeps nobody else waiting.
    const heads = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    return new Map(heads.map((head) => [head.tableId, head]));
  }

  private wake(ids: readonly Id[]): void {
    for (const id of ids) if (!this.left.has(id)) this.due.add(id);
    this.fill();
  }

  private fill(): void {
    for (const id of this.due) {
      if (this.running.size >= MAX_TURNS || this.stop.signal.aborted) return;
      // One that has its turn now is looked after again behind it: what woke it may have come too late for it.
      if (this.running.has(id)) continue;
      this.due.delete(id);
      const turn = this.take(id).finally(() => {
        this.running.delete(id);
        this.metrics.delivering(this.running.size);
        this.fill();
      });
      this.running.set(id, turn);
      this.metrics.delivering(this.running.size);
    }
  }

  private async take(id: Id): Promise<void> {
    try {
      const job = await this.queue.claim(id);
      const end = job && (await this.turn.run(job, this.stop.signal));
      if (end === 'more') this.due.add(id);
      if (end === 'left') this.left.set(id, performance.now() + LEFT_MS);
    } catch (error) {
      if (!(error instanceof Interrupted))
        this.logger.warn({ msg: 'A webhook could not be delivered', webhook: id, err: error });
    }
  }
}
