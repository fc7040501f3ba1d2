import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchemaSaga } from './schema-saga.js';

const EVERY_MS = 10_000;
/** Longer than an operation that still has a maker takes until it works in the mini-DB, which shows there however long it takes. */
const ABANDONED_AFTER_MS = 20_000;

/** Looks for structure changes whose process died, at start and every ten seconds. */
@Injectable()
export class SchemaRecovery implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SchemaRecovery.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly saga: SchemaSaga) {}

  onApplicationBootstrap(): void {
    void this.sweep();
    this.timer = setInterval(() => void this.sweep(), EVERY_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      const settled = await this.saga.recover(ABANDONED_AFTER_MS);
      if (settled > 0) this.logger.warn(`settled ${settled} abandoned structure changes`);
    } catch (error) {
      this.logger.warn(
        `structure changes could not be looked at: ${error instanceof Error ? error.message : 'unknown error'}; next try in ${EVERY_MS / 1000} s`,
      );
    }
  }
}
