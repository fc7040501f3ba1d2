import { describe, expect, it } from '@jest/globals';
import { addLatency, noLatencies, percentile } from './latency.js';

describe('latencies in classes', () => {
  it('tell below which bound a part of them lies', () => {
    const latencies = noLatencies();
    expect(percentile(latencies, 0.5)).toBeNull();
    for (let i = 0; i < 95; i++) addLatency(latencies, 3);
    for (let i = 0; i < 4; i++) addLatency(latencies, 150);
    addLatency(latencies, 60_000);
    expect([0.5, 0.95, 0.96, 0.99, 1].map((part) => percentile(latencies, part))).toEqual([5, 5, 200, 200, 10_000]);
  });
});
