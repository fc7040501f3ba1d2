import { Injectable } from '@nestjs/common';
import type { Access, Id } from '../../../common/index.js';
import { ViewApisService } from '../settings/view-apis.service.js';
import { noLatencies, percentile } from './latency.js';
import { CallCounter } from './call-counter.js';
import { NO_KEY, type HourOfUse } from './hour-of-use.js';
import { UsageLog, type UseOfHour } from './usage-log.js';
import type { UsageDto, UsageHourDto, UsageQuery, UsageSumDto } from './usage.dto.js';

const HOUR_MS = 3_600_000;
const MAX_LINES = 10_000;

/** Use case of seeing how a published view was read. */
@Injectable()
export class UsageService {
  constructor(
    private readonly apis: ViewApisService,
    private readonly counter: CallCounter,
    private readonly log: UsageLog,
  ) {}

  /** @throws Problem `not_found` */
  async of(access: Access, viewId: Id, { hours, apiVersion }: UsageQuery): Promise<UsageDto> {
    await this.apis.find(access, viewId);
    // What this node has counted just now is in it.
    await this.counter.flush();
    const since = new Date(Date.now() - hours * HOUR_MS);
    const found = await this.log.ofView(viewId, { since, apiVersion, limit: MAX_LINES });
    return { total: toSum(summed(found)), data: found.map(toHour) };
  }
}

type Counts = Omit<HourOfUse, 'viewId' | 'apiVersion' | 'keyId' | 'hour'>;

function summed(uses: readonly Counts[]): Counts {
  const total = { requests: 0, notModified: 0, cacheHits: 0, errors: 0, rows: 0, bytes: 0, latencies: noLatencies() };
  for (const use of uses) {
    total.requests += use.requests;
    total.notModified += use.notModified;
    total.cacheHits += use.cacheHits;
    total.errors += use.errors;
    total.rows += use.rows;
    total.bytes += use.bytes;
    total.latencies = total.latencies.map((n, i) => n + (use.latencies[i] ?? 0));
  }
  return total;
}

const toSum = ({ requests, notModified, cacheHits, errors, rows, bytes, latencies }: Counts): UsageSumDto => ({
  ...{ requests, notModified, cacheHits, errors, rows, bytes },
  p50Ms: percentile(latencies, 0.5),
  p95Ms: percentile(latencies, 0.95),
  p99Ms: percentile(latencies, 0.99),
});

const toHour = (use: UseOfHour): UsageHourDto => ({
  ...toSum(use),
  hour: use.hour.toISOString(),
  apiVersion: use.apiVersion,
  keyId: use.keyId === NO_KEY ? null : use.keyId,
  keyName: use.keyName,
});
