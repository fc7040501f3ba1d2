import { describe, expect, it } from '@jest/globals';
import { must } from '../../../common/index.js';
import type { FeedHead } from './feed.js';
import { Feeds, type ChannelSource, type FeedTable } from './feeds.js';
import { Gate } from './gate.js';
import type { LiveEvent } from './live-event.js';
import type { LogReader, StreamHead } from './log-reader.js';
import { TableSource } from './table-source.js';

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

describe('a feed that nobody follows any more while it reads', () => {
  /** Answers when it is told to. */
  class SlowSource implements ChannelSource {
    readonly recall = 'heads';
    readonly tables = [{ id: 't1', schema: 'crm' }];
    readonly waiting: (() => void)[] = [];

    constructor(
      private readonly channel: string,
      public at: { epoch: string; seq: number },
    ) {}

    head(): Promise<FeedHead> {
      return Promise.resolve(this.at);
    }

    headOf(): FeedHead {
      return this.at;
    }

    async events(epoch: string, after: number): Promise<readonly LiveEvent[]> {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      const { seq } = this.at;
      const payload = { channel: this.channel, epoch, seq, prev: after } as LiveEvent['payload'];
      return seq > after ? [{ name: 'data:update', payload, bytes: 1 } as LiveEvent] : [];
    }

    async answer(): Promise<void> {
      must(this.waiting.shift(), 'somebody has asked')();
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  }

  it.each([
    ['tells nobody what the next feed of the room tells them', 'e1', 3],
    ['resets nobody who follows the next feed of the room', 'e2', 1],
  ])('%s', async (_, epoch, seq) => {
    const told: number[] = [];
    let resets = 0;
    const log = { heads: () => Promise.resolve([]) };
    const feeds = new Feeds(log, (channel) => ({
      channel,
      broadcast: (events) => told.push(...events.map(({ payload }) => payload.seq)),
      reset: () => (resets += 1),
    }));
    const sources: SlowSource[] = [];
    const acquire = (at: { epoch: string; seq: number }) =>
      feeds.acquire('view:v1', () => {
        const source = new SlowSource('view:v1', at);
        sources.push(source);
        return source;
      });

    const first = acquire({ epoch: 'e1', seq: 1 });
    await first.join(undefined, () => undefined);
    const [old] = sources;
    must(old, 'it was made').at = { epoch: 'e1', seq: 3 };
    first.wake();
    feeds.release(first);
    const second = acquire({ epoch, seq });
    expect(second).not.toBe(first);
    await second.join(undefined, () => undefined);

    if (epoch === 'e2') first.observe({ epoch, seq });
    must(old, 'it was made').at = { epoch, seq };
    await must(old, 'it was made').answer();
    expect([told, resets]).toEqual([[], 0]);
    // The one that is followed goes on.
    const now = must(sources[1], 'it was made');
    now.at = { epoch, seq: seq + 1 };
    second.wake();
    await now.answer();
    expect([told, resets]).toEqual([[seq + 1], 0]);
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
