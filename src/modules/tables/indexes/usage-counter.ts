import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { ReadPlan } from '../../../query/index.js';
import { shapeOf } from './read-shape.js';
import { UsageLog, type ShapeUse } from './usage-log.js';

const FLUSH_EVERY_MS = 60_000;
/** Flushes between two looks for what can be forgotten. */
const PRUNE_EVERY = 60;
/** Between two flushes; further shapes are not counted, those that are known go on. */
const MAX_SHAPES = 5_000;

/** Counts how tables are read: in memory, for it stands on the path of every read; written down once a minute. */
@Injectable()
export class UsageCounter implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(UsageCounter.name);
  private counts = new Map<string, { uses: number; worstMs: number; lastAt: number }>();
  private timer: NodeJS.Timeout | undefined;
  private flushes = 0;

  constructor(private readonly log: UsageLog) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flushQuietly(), FLUSH_EVERY_MS);
    this.timer.unref();
  }

  /** The last minute is not written down: a stop waits for nothing that is only advice. */
  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** @param ms how long the database took */
  count(plan: Pick<ReadPlan, 'from' | 'where' | 'orderBy'>, ms: number): void {
    const shape = shapeOf(plan);
    if (shape === '') return;
    const key = `${plan.from.id} ${shape}`;
    const known = this.counts.get(key);
    if (known) {
      known.uses++;
      known.worstMs = Math.max(known.worstMs, ms);
      known.lastAt = Date.now();
    } else if (this.counts.size < MAX_SHAPES) this.counts.set(key, { uses: 1, worstMs: ms, lastAt: Date.now() });
  }

  /** Writes down what was counted since the last time. What cannot be written is lost: it is advice, not data. */
  async flush(): Promise<void> {
    const counted = this.counts;
    this.counts = new Map();
    const uses = [...counted].map(([key, { lastAt, ...use }]): ShapeUse => {
      const [tableId = '', shape = ''] = key.split(' ');
      return { tableId, shape, ...use, lastAt: new Date(lastAt) };
    });
    if (uses.length > 0) await this.log.add(uses);
    if (++this.flushes % PRUNE_EVERY === 0) await this.log.prune();
  }

  private async flushQuietly(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      this.logger.debug({ msg: 'The use of tables could not be written down', err: error });
    }
  }
}
