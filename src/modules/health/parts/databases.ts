import { Injectable, Logger } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { MainDatabase } from '../../../database/main/index.js';
import { MiniDatabase } from '../../../database/mini/index.js';

/** A database that has not answered by then is down for whoever waits. */
const TIMEOUT_MS = 2_000;

/** The two databases, without which nothing works. */
@Injectable()
export class DatabaseHealth {
  private readonly logger = new Logger('Health');
  /** The callers of one moment share a probe, so that this public route cannot be used to load a database. */
  private readonly running = new Map<string, Promise<void>>();

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly main: MainDatabase,
    private readonly mini: MiniDatabase,
  ) {}

  check(): (() => PromiseLike<HealthIndicatorResult>)[] {
    return [() => this.probe('database', this.main), () => this.probe('mini_database', this.mini)];
  }

  private probe(key: string, database: { ping(): Promise<void> }): PromiseLike<HealthIndicatorResult> {
    return this.indicators
      .check(key)
      .attempt(() => this.shared(key, database))
      .withTimeout(TIMEOUT_MS);
  }

  private shared(key: string, database: { ping(): Promise<void> }): Promise<void> {
    const before = this.running.get(key);
    if (before) return before;
    const ping = database
      .ping()
      .catch((error: unknown) => {
        this.logger.warn({ msg: `The ${key} does not answer`, err: error });
        // The driver's words name hosts and users; this route is public.
        throw new Error('does not answer');
      })
      .finally(() => this.running.delete(key));
    this.running.set(key, ping);
    return ping;
  }
}
