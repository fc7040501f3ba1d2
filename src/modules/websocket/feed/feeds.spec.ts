import { describe, expect, it } from '@jest/globals';
import { Feeds, type FeedTable } from './feeds.js';
import { Gate } from './gate.js';
import { TableSource } from './table-source.js';
import type { LogReader, StreamHead } from './log-reader.js';

const head = (tableId: string): StreamHead => ({ tableId, epoch: 'e1', seq: 0, schemaVersion: 1 });

function world() {
  const asked: { readonly schema: string; readonly tableIds: readonly string[] }[] = [];
  const broken = new Set<string>();
  const log: LogReader = {
    heads: (schema, tableIds) => {
      asked.push({ schema, tableIds });
      return broken.has(schema) ? Promise.reject(new Error('gone')) : Promise.resolve(tableIds.map(head));
    },
    follow: () => Promise.resolve([]),
  };
  const feeds = new Feeds(log, (channel) => ({ channel, broadcast: () => undefined, reset: () => undefined }));
  const acquire = (table: FeedTable) =>
    feeds.acquire(`table:${table.id}`, () => new TableSource(log, table, table.id, () => Promise.resolve()));
  return { asked, broken, feeds, acquire };
}

describe('the feeds of a node', () => {
  it('are shared by all who follow a table, and end with the last of them', async () => {
    const { feeds, acquire, asked } = world();
    const table = { id: 't1', schema: 'crm' };
    const first = acquire(table);
    expect(acquire(table)).toBe(first);
    feeds.release(first);
    await feeds.poll();
    expect(asked).toHaveLength(1);
    feeds.release(first);
    await feeds.poll();
    expect(asked).toHaveLength(1);
    const second = acquire(table);
    expect(second).not.toBe(first);
    feeds.release(first); // of another life
    expect(acquire(table)).toBe(second);
  });

  it('are polled by one query per base, and a base that cannot be read does not hinder the others', async () => {
    const { feeds, acquire, asked, broken } = world();
    for (const [id, schema] of [
      ['t1', 'bad'],
      ['t2', 'crm'],
      ['t3', 'crm'],
    ] as const)
      acquire({ id, schema });
    broken.add('bad');
    await expect(feeds.poll()).rejects.toThrow('gone');
    expect(asked).toEqual([
      { schema: 'bad', tableIds: ['t1'] },
      { schema: 'crm', tableIds: ['t2', 't3'] },
    ]);
    broken.clear();
    await feeds.poll();
  });

  it('are not polled twice at once', async () => {
    const { feeds, acquire, asked } = world();
    acquire({ id: 't1', schema: 'crm' });
    await Promise.all([feeds.poll(), feeds.poll()]);
    expect(asked).toHaveLength(1);
  });
});

describe('a gate', () => {
  it('lets only so many in at once, each in its turn, also after a failure', async () => {
    const gate = new Gate(2);
    const order: number[] = [];
    let inside = 0;
    const work = (i: number) =>
      gate.run(async () => {
        expect(++inside).toBeLessThanOrEqual(2);
        await Promise.resolve();
        inside -= 1;
        order.push(i);
        if (i === 1) throw new Error('one failed');
      });
    const results = await Promise.allSettled([0, 1, 2, 3, 4].map(work));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
  });
});
