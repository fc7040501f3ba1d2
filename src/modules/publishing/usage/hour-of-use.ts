import type { Id } from '../../../common/index.js';
import type { Latencies } from './latency.js';

/** Calls of one key, or of all without one, within an hour. */
export interface HourOfUse {
  readonly viewId: Id;
  readonly apiVersion: number;
  readonly keyId: Id;
  readonly hour: Date;
  requests: number;
  notModified: number;
  cacheHits: number;
  errors: number;
  rows: number;
  bytes: number;
  readonly latencies: Latencies;
}

/** Stands for calls without a key. */
export const NO_KEY: Id = '00000000-0000-0000-0000-000000000000';
