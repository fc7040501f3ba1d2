import { describe, expect, it, jest } from '@jest/globals';
import { RedisClient } from '../../src/database/redis/index.js';
import { EventBus } from '../../src/modules/events/index.js';
import { OutboxRelay } from '../../src/modules/events/outbox-relay.js';
import {
  databases,
  liveHeap,
  redis,
  signup,
  sleep,
  sql,
  startApp,
  waitFor,
  world,
  type TestApp,
} from '../harness/index.js';

jest.setTimeout(60_000);

const TABLE = '01900000-0000-7000-8000-000000000001';
const hint = (seq: number) => ({ schema: 'crm', tableId: TABLE, seq });

function heard({ app }: TestApp): number[] {
  const seqs: number[] = [];
  app.get(EventBus).on('rows.changed', ({ seq }) => void seqs.push(seq));
  return seqs;
}

describe('the bus over Redis', () => {
  it('never blocks and never grows while Redis is down or hangs, and is back by itself', async () => {
    const shared = await redis();
    const options = { databases: await databases(), redis: shared };
    const [here, there] = [await startApp(options), await startApp(options)];
    const far = heard(there);
    const bus = here.app.get(EventBus);
    const status = () => here.app.get(RedisClient).status();
    expect(await waitFor(async () => ((await status()).up ? status() : undefined))).toEqual({
      up: true,
      responseTime: expect.any(Number),
    });
    bus.publish('rows.changed', hint(1));
    await waitFor(() => far.includes(1));

    const flood = (first: number): number => {
      const started = performance.now();
      for (let i = 0; i < 10_000; i++) bus.publish('rows.changed', hint(first + i));
      return performance.now() - started;
    };
    await shared.kill();
    await sleep(100);
    expect(flood(100)).toBeLessThan(1_000);
    expect(await status()).toEqual({ up: false });
    await shared.start();
    await waitFor(() => {
      bus.publish('rows.changed', hint(2));
      return far.includes(2);
    }, 10_000);

    shared.hang();
    const before = liveHeap();
    for (let i = 0; i < 10; i++) expect(flood(20_000)).toBeLessThan(1_000);
    expect(liveHeap() - before).toBeLessThan(64 * 1024 * 1024);
    expect(await status()).toEqual({ up: false });
    shared.resume();
    await waitFor(() => {
      bus.publish('rows.changed', hint(3));
      return far.includes(3);
    }, 10_000);
  });
});

describe('the outbox', () => {
  it('is empty after a write, and what a dead process left in it is published once', async () => {
    const options = { databases: await databases() };
    const [here, there] = [await startApp(options), await startApp(options)];
    const at = await world(here.base);
    const rows = () => sql<{ topic: string }>(options.databases.main, 'select topic from outbox');
    await waitFor(async () => (await rows()).length === 0);

    const member = { workspaceId: at.workspace.id, userId: (await signup(here.base)).user.id };
    const published: unknown[] = [];
    for (const { app } of [here, there])
      app.get(EventBus).on('member.changed', (payload) => void published.push(payload));
    const leave = (topic: string, payload: object) =>
      sql(
        options.databases.main,
        `insert into outbox values (gen_random_uuid(), now() - interval '1 minute', $1, $2)`,
        [topic, payload],
      );
    await leave('member.changed', member);
    await leave('nobody.knows', {});
    const relays = [here, there].map(({ app }) => app.get(OutboxRelay));
    await Promise.all(relays.map((relay) => relay.sweep()));
    expect(published).toEqual([member]);
    expect(await rows()).toEqual([]);
  });
});
