import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DriftRecord, type DriftSummary } from '../../../engines/index.js';
import { DriftChecker, type DriftReport } from './drift-checker.js';

const ROUND_EVERY_MS = 30_000;
const CHECK_EVERY_S = 300;
/** So many differences go to the log; `npm run check:schema` prints them all. */
const MAX_LOGGED = 20;

/** What is known of the last check, on whichever node it was made. */
export type LastCheck = DriftSummary & { readonly at: string };

/**
 * Sees to it that the metadata and the mini-DB are compared every five minutes, by one node, and knows how the last comparison
 * ended. It only tells: nothing is repaired and nothing is refused because of it.
 */
@Injectable()
export class DriftWatch implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Schema check');
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private known: LastCheck | undefined;

  constructor(
    private readonly checker: DriftChecker,
    private readonly record: DriftRecord,
  ) {}

  /** Undefined while this node knows of none. */
  get last(): LastCheck | undefined {
    return this.known;
  }

  onModuleInit(): void {
    this.timer = setInterval(() => {
      this.running ??= this.roundQuietly().finally(() => (this.running = undefined));
    }, ROUND_EVERY_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.running;
  }

  /** Compares if nobody has for so long, and learns what the last comparison found. */
  async round(everySeconds = CHECK_EVERY_S): Promise<void> {
    if (await this.record.claim(everySeconds)) await this.compare();
    this.known = await this.record.last();
  }

  private async compare(): Promise<void> {
    const report = await this.checker.check(this.stopping.signal);
    if (this.stopping.signal.aborted) return;
    this.tell(report);
    const { bases, skipped, findings } = report;
    await this.record.save({ bases, skipped: skipped.length, findings: findings.length });
  }

  private tell({ findings }: DriftReport): void {
    if (findings.length === 0) return;
    this.logger.error({
      msg: `The mini database differs from the metadata in ${findings.length} places (npm run check:schema lists them)`,
      findings: findings.slice(0, MAX_LOGGED).map(({ code, place, detail }) => `${place}: ${code}, ${detail}`),
    });
  }

  private async roundQuietly(): Promise<void> {
    try {
      await this.round();
    } catch (error) {
      this.logger.warn({ msg: 'The structure could not be compared with the metadata', err: error });
    }
  }
}
