import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { DriftWatch } from '../../tables/index.js';

/** Whether the mini-DB has the structure that the metadata says, as of the last comparison. From memory; at worst degraded. */
@Injectable()
export class SchemaHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly drift: DriftWatch,
  ) {}

  check(): HealthIndicatorResult {
    const part = this.indicators.check('schema');
    if (!this.drift.last) return part.up();
    const { at, bases, skipped, findings } = this.drift.last;
    const facts = { checkedAt: at, bases, skipped, findings };
    return findings === 0 ? part.up(facts) : part.degraded(facts);
  }
}
