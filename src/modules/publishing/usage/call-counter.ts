import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Rounds, type Id } from '../../../common/index.js';
import type { Call } from './call.js';
import { NO_KEY, type HourOfUse } from './hour-of-use.js';
import { addLatency, noLatencies } from './latency.js';
import { PublishingMetrics } from './publishing-metrics.js';
import { UsageLog } from './usage-log.js';

const HOUR_MS = 3_600_000;
const EVERY_MS = 10_000;
/** Between two rounds; further keys are not counted, those that are known go on. */
const MAX_COUNTED = 20_000;

/** Counts how published views are read: in memory, for it stands on the path of every read; written down every ten seconds and at the end. */
@Injectable()
export class CallCounter implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(CallCounter.name);
  private counted = new Map<string, HourOfUse>();
  /** The one that was counted last: where much is called, it is mostly the same. */
  private last: HourOfUse | undefined;
  private readonly rounds = new Rounds(
    () => this.flush(),
    (err) => this.logger.warn({ msg: 'The use of published views could not be written down', err }),
  );

  constructor(
    private readonly log: UsageLog,
    private readonly metrics: PublishingMetrics,
  ) {}

  onApplicationBootstrap(): void {
    this.rounds.begin({ everyMs: EVERY_MS, firstMs: EVERY_MS });
  }

  async onModuleDestroy(): Promise<void> {
    await this.rounds.end();
    await this.flush().catch(() => undefined);
  }

  count(call: Call): void {
    this.metrics.add(call);
    const { viewId, apiVersion, keyId = NO_KEY, status, isCached, isStream, rows, bytes, ms } = call;
    const use = this.useOf(viewId, apiVersion, keyId);
    if (!use) return;
    use.requests++;
    use.rows += rows;
    use.bytes += bytes;
    if (status === 304) use.notModified++;
    if (isCached) use.cacheHits++;
    if (status >= 400) use.errors++;
    if (!isStream) addLatency(use.latencies, ms);
  }

  /** Undefined where it is one too many. */
  private useOf(viewId: Id, apiVersion: number, keyId: Id): HourOfUse | undefined {
    const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const { last } = this;
    if (last?.viewId === viewId && last.apiVersion === apiVersion && last.keyId === keyId && +last.hour === hour)
      return last;
    const name = `${viewId} ${apiVersion} ${keyId} ${hour}`;
    let use = this.counted.get(name);
    if (!use) {
      if (this.counted.size >= MAX_COUNTED) return undefined;
      use = { viewId, apiVersion, keyId, hour: new Date(hour), ...NOTHING, latencies: noLatencies() };
      this.counted.set(name, use);
    }
    return (this.last = use);
  }

  /** Writes down what was counted since the last time; what cannot be written is lost. */
  async flush(): Promise<void> {
    const uses = [...this.counted.values()];
    this.counted = new Map();
    this.last = undefined;
    if (uses.length > 0) await this.log.add(uses);
    await this.log.prune();
  }
}

const NOTHING = { requests: 0, notModified: 0, cacheHits: 0, errors: 0, rows: 0, bytes: 0 } as const;
