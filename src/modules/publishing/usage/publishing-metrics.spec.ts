import { describe, expect, it } from '@jest/globals';
import { Metrics } from '../../../common/index.js';
import type { Call } from './call.js';
import { PublishingMetrics } from './publishing-metrics.js';

const call = (slug: string): Call => ({
  ...{ viewId: 'v', slug, apiVersion: 1, keyId: undefined, status: 200, isCached: false },
  ...{ rows: 2, bytes: 10, ms: 3, isStream: false },
});
const namesIn = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/publication="([^"]*)"/g)].map(([, name = '']) => name));

describe('the numbers of published views', () => {
  it('have no more names than there is room for, however many views are asked, and count all', async () => {
    const metrics = new Metrics();
    const published = new PublishingMetrics(metrics);
    for (let i = 0; i < 200; i++) published.add(call(`view-${i}`));
    published.add(call('view-0'));
    const text = await metrics.text();
    expect(namesIn(text).size).toBe(51);
    expect(text).toContain('live_tables_published_calls_total{publication="view-0",outcome="fresh"} 2');
    expect(text).toContain('live_tables_published_calls_total{publication="(other)",outcome="fresh"} 150');
    expect(text).toContain('live_tables_published_bytes_total{publication="(other)"} 1500');
    expect(text).toContain('live_tables_published_duration_seconds_count{publication="(other)",outcome="fresh"} 150');
    expect(text).not.toContain('view-199');
  });

  it('tell two addresses together that begin alike and are not to be guessed', async () => {
    const metrics = new Metrics();
    const published = new PublishingMetrics(metrics);
    for (const end of ['a', 'b']) published.add(call(`0123456789abcdef0123456789abcde${end}`));
    const text = await metrics.text();
    expect(namesIn(text)).toEqual(new Set(['012345...', '(other)']));
    expect(text).toContain('live_tables_published_rows_total{publication="012345..."} 4');
  });
});
