import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Problem, type Id } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { systemActor } from '../../../database/main/index.js';
import { fitsAlways } from '../../../query/index.js';
import { IndexAdvice } from './index-advice.js';
import { IndexesService } from './indexes.service.js';
import { UsageLog, type ShapeUse } from './usage-log.js';

const EVERY_MS = 60_000;
/** Reads of one shape on one day, past which an index is worth what it costs every write. */
export const AUTOMATIC_USES = 1_000;

/** With `INDEX_ADVICE=auto`: takes the advice by itself, of shapes that are used more than {@link AUTOMATIC_USES} times a day. */
@Injectable()
export class AdvisedIndexes implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Indexes');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: UsageLog,
    private readonly advice: IndexAdvice,
    private readonly indexes: IndexesService,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    if (this.config.indexAdvice !== 'auto') return;
    this.timer = setInterval(() => void this.runQuietly(), EVERY_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Adds what is advised, on any node; of two that do so at once, one finds that it is there. */
  async run(): Promise<void> {
    const byTable = new Map<Id, ShapeUse[]>();
    for (const use of await this.log.usedMoreThan(AUTOMATIC_USES))
      byTable.set(use.tableId, [...(byTable.get(use.tableId) ?? []), use]);
    for (const [tableId, uses] of byTable) await this.add(tableId, uses).catch(unlessRefused);
  }

  private async add(tableId: Id, uses: readonly ShapeUse[]): Promise<void> {
    for (const { suggestion } of await this.advice.of(tableId, uses)) {
      // Nobody asked for it, so it must not refuse anybody's row.
      if (!fitsAlways(suggestion.plan)) continue;
      await this.indexes.add(systemActor('index-advice'), tableId, () => suggestion.plan);
    }
  }

  private async runQuietly(): Promise<void> {
    try {
      await this.run();
    } catch (error) {
      this.logger.debug({ msg: 'Advice on indexes could not be taken', err: error });
    }
  }
}

/** There already, too many, or the table is gone: nothing to do. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof Problem)) throw error;
}
