import { access, constants, statfs } from 'node:fs/promises';
import os from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { percent, roomOf } from './room.js';

/** From here on a process is about to be killed for its memory. */
const FULL_PERCENT = 95;

/** This process and the machine under it. */
@Injectable()
export class ProcessHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  check(): (() => HealthIndicatorResult | Promise<HealthIndicatorResult>)[] {
    const { heapUsed, rss } = process.memoryUsage();
    return [
      () => this.memory('memory_heap', heapUsed, getHeapStatistics().heap_size_limit),
      () => this.memory('memory_rss', rss, memoryLimit()),
      () => this.storage(),
      () => this.indicators.check('system').up(systemFacts()),
      () => this.indicators.check('application').up(this.applicationFacts()),
    ];
  }

  private memory(key: string, used: number, limit: number): HealthIndicatorResult {
    const percentage = percent(used, limit);
    const part = this.indicators.check(key);
    return percentage < FULL_PERCENT
      ? part.up({ used, limit, percentage })
      : part.degraded({ used, limit, percentage });
  }

  /** Where this process writes: its databases when it brought them itself, else only temporary files. */
  private async storage(): Promise<HealthIndicatorResult> {
    const path = this.config.embedded ? this.config.dataDir : os.tmpdir();
    const part = this.indicators.check('storage');
    try {
      await access(path, constants.W_OK);
      const { isFull, ...room } = roomOf(await statfs(path));
      return isFull ? part.degraded({ path, ...room, message: 'is nearly full' }) : part.up({ path, ...room });
    } catch {
      return part.down({ path, message: 'cannot be written' });
    }
  }

  private applicationFacts() {
    const { name, version, environment } = this.config;
    return { name, version, environment, processId: process.pid, processUptime: Math.round(process.uptime()) };
  }
}

function systemFacts() {
  const [totalMemory, freeMemory, cpus] = [os.totalmem(), os.freemem(), os.cpus()];
  const usedMemory = totalMemory - freeMemory;
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.version,
    cpuCores: cpus.length,
    cpuModel: cpus[0]?.model.trim() ?? 'unknown',
    totalMemory,
    freeMemory,
    usedMemory,
    memoryUsagePercent: percent(usedMemory, totalMemory),
    uptime: Math.round(os.uptime()),
    loadAverage: os.loadavg(),
  };
}

/** A container's limit where there is one, else the machine's memory. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < os.totalmem() ? constrained : os.totalmem();
}
