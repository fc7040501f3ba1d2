import { describe, expect, it, jest } from '@jest/globals';
import { Metrics } from './metrics.js';

const lines = async (metrics: Metrics, name: string) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(name));

describe('a histogram', () => {
  it('counts in each bucket what is not above it, by its labels', async () => {
    const metrics = new Metrics();
    const observe = metrics.histogram({ name: 'took_seconds', help: 'Took.', labels: ['route', 'status'] }, [0.1, 1]);
    for (const value of [0.1, 0.5, 3]) observe(value, '/a', '200');
    observe(0.01, '/b', '500');
    expect(await lines(metrics, 'took_seconds')).toEqual([
      'took_seconds_bucket{le="0.1",route="/a",status="200"} 1',
      'took_seconds_bucket{le="1",route="/a",status="200"} 2',
      'took_seconds_bucket{le="+Inf",route="/a",status="200"} 3',
      'took_seconds_sum{route="/a",status="200"} 3.6',
      'took_seconds_count{route="/a",status="200"} 3',
      'took_seconds_bucket{le="0.1",route="/b",status="500"} 1',
      'took_seconds_bucket{le="1",route="/b",status="500"} 1',
      'took_seconds_bucket{le="+Inf",route="/b",status="500"} 1',
      'took_seconds_sum{route="/b",status="500"} 0.01',
      'took_seconds_count{route="/b",status="500"} 1',
    ]);
  });

  it('needs no labels', async () => {
    const metrics = new Metrics();
    const observe = metrics.histogram({ name: 'size', help: 'Size.' }, [1]);
    observe(2);
    expect(await lines(metrics, 'size')).toEqual([
      'size_bucket{le="1"} 0',
      'size_bucket{le="+Inf"} 1',
      'size_sum 2',
      'size_count 1',
    ]);
  });
});

describe('numbers that are read when somebody looks', () => {
  it('are told as they are then, and left out where they cannot be had', async () => {
    const metrics = new Metrics();
    let count = 1;
    metrics.counter({ name: 'sent_total', help: 'Sent.' }, () => count);
    metrics.gauge({ name: 'waiting', help: 'Waiting.', labels: ['of'] }, () => Promise.reject(new Error('is down')));
    expect(await lines(metrics, 'sent_total')).toEqual(['sent_total 1']);
    count = 5;
    expect(await lines(metrics, 'sent_total')).toEqual(['sent_total 5']);
    expect(await lines(metrics, 'waiting')).toEqual([]);
  });

  it('are not waited for longer than Prometheus waits for all of them', async () => {
    jest.useFakeTimers();
    try {
      const metrics = new Metrics();
      metrics.gauge({ name: 'hangs', help: 'Hangs.' }, () => new Promise<number>(() => undefined));
      metrics.gauge({ name: 'here', help: 'Here.' }, () => 1);
      const text = metrics.text();
      await jest.advanceTimersByTimeAsync(2_000);
      expect(await text).toMatch(/^here 1$/m);
    } finally {
      jest.useRealTimers();
    }
  });

  it('are those of caches, too, by name', async () => {
    const metrics = new Metrics();
    metrics.cache('people', { size: 3, hits: 2, misses: 1 });
    expect(await lines(metrics, 'live_tables_cache_')).toEqual([
      'live_tables_cache_entries{cache="people"} 3',
      'live_tables_cache_hits_total{cache="people"} 2',
      'live_tables_cache_misses_total{cache="people"} 1',
    ]);
  });
});
