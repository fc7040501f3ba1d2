import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  redis,
  sleep,
  socket,
  startApp,
  startNode,
  waitFor,
  world,
  type Row,
  type TestNode,
  type TestSocket,
  type World,
} from '../harness/index.js';
import { deafSocket } from '../support/deaf-socket.js';
import { must } from '../../src/common/index.js';
import { misbehave } from '../support/malformed.js';
import { below, randomOf } from '../support/random.js';

/** More of both on demand: `LIVE_RACES=10000 LIVE_MALFORMED_SECONDS=60 npm run test:e2e -- live-proof`. */
const RACES = Number(process.env.LIVE_RACES ?? 1_000);
const SECONDS = Number(process.env.LIVE_MALFORMED_SECONDS ?? 10);
const LANES = 8;

jest.setTimeout(120_000 + RACES * 100 + SECONDS * 2_000);

interface Joined {
  readonly ok: boolean;
  readonly mode: string;
  readonly epoch: string;
  readonly seq: number;
}
interface Update {
  readonly channel: string;
  readonly seq: number;
  readonly prev: number;
}

describe('a subscription that races a write', () => {
  let at: World;
  let tabs: TestSocket[];
  let writers: World['owner'][];
  beforeAll(async () => {
    const pair = await databases();
    const bus = await redis();
    const nodes = [await startApp({ databases: pair, redis: bus }), await startApp({ databases: pair, redis: bus })];
    at = await world(nodes[0]?.base ?? '');
    writers = nodes.map(({ base }) => ({ ...at.owner, ...client(base, at.owner.accessToken) }));
    tabs = await Promise.all(Array.from({ length: LANES }, () => socket(nodes[0]?.base ?? '', at.owner.accessToken)));
  });

  it(`misses it never, and has it once, ${RACES} times, written on either node`, async () => {
    const orders = { written: 0, subscribed: 0, racing: 0 };
    const lane = async (tab: TestSocket, table: { readonly id: string }, index: number): Promise<void> => {
      const random = randomOf(index + 1);
      const channel = `table:${table.id}`;
      const row = expectStatus(await at.owner.post<Row>(`/tables/${table.id}/rows`, { fields: { n: -1 } }), 201);
      const first = await tab.ask<Joined>('subscribe', { channel });
      await tab.ask('unsubscribe', { channel });
      let last = first.seq;
      for (let n = 0; n < RACES / LANES; n++) {
        const begun = tab.events.length;
        const resumed = n % 2 === 0;
        const write = async () => {
          const writer = writers[below(random, 2)];
          if (!writer) throw new Error('no writer');
          return expectStatus(await writer.patch<Row>(`/tables/${table.id}/rows/${row.id}`, { fields: { n } }), 200);
        };
        const subscribe = () =>
          tab.ask<Joined>('subscribe', { channel, ...(resumed ? { from: { epoch: first.epoch, seq: last } } : {}) });
        const order = below(random, 8);
        let joined: Joined;
        if (order === 0) {
          orders.written++;
          await write();
          joined = await subscribe();
        } else if (order === 1) {
          orders.subscribed++;
          joined = await subscribe();
          await write();
        } else {
          orders.racing++;
          const pause = below(random, 6);
          const writing = order < 5 ? write() : sleep(pause).then(write);
          if (order < 5) await sleep(pause);
          [joined] = await Promise.all([subscribe(), writing]);
        }
        expect(joined).toMatchObject({ ok: true, epoch: first.epoch });
        // Without a position, what the answer's number counts already is not told.
        const expected = !resumed && joined.seq === last + 1 ? [] : [last + 1];
        const got = () =>
          tab.events
            .slice(begun)
            .filter(({ name }) => name === 'data:update')
            .map(({ payload }) => payload as Update)
            .filter((event) => event.channel === channel);
        await waitFor(() => got().length >= expected.length, 20_000, 1);
        expect(got().map(({ prev, seq }) => [prev, seq])).toEqual(expected.map((seq) => [seq - 1, seq]));
        await tab.ask('unsubscribe', { channel });
        expect(got()).toHaveLength(expected.length);
        last++;
      }
    };
    // One after the other: a base takes one change of its structure at a time.
    const tables: { id: string }[] = [];
    for (const index of tabs.keys()) {
      const body = { name: `Race ${index}`, columns: [{ name: 'N', type: 'integer' }] };
      tables.push(expectStatus(await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, body), 201));
    }
    await Promise.all(tabs.map((tab, index) => lane(tab, must(tables[index], 'each lane has a table'), index)));
    expect(orders.written + orders.subscribed + orders.racing).toBeGreaterThanOrEqual(RACES);
    expect(orders.racing).toBeGreaterThan(RACES / 2);
  });
});

describe('packets that are none', () => {
  let node: TestNode;
  let at: World;
  beforeAll(async () => {
    node = await startNode({ env: { RATE_LIMIT_LIMIT: '1000000' } });
    at = await world(node.base);
  });

  it(`for ${SECONDS} seconds from many sides harm nobody: the process lives, who behaves misses nothing`, async () => {
    const channel = `table:${at.table.id}`;
    const tab = await socket(node.base, at.owner.accessToken);
    const joined = await tab.ask<Joined>('subscribe', { channel });
    const seed = 20_260;
    const { hostname, port } = new URL(node.base);
    const target = { host: hostname, port: Number(port), token: at.owner.accessToken, channel };
    const until = Date.now() + SECONDS * 1000;
    let said = 0;
    const side = async (index: number): Promise<void> => {
      const random = randomOf(seed + index);
      while (Date.now() < until) {
        await misbehave(target, random);
        said++;
      }
    };
    let written = 0;
    const write = async (): Promise<void> => {
      while (Date.now() < until) {
        const fields = { name: `row ${written}` };
        expectStatus(await at.owner.post(`/tables/${at.table.id}/rows`, { fields }), 201);
        written++;
      }
    };
    await Promise.all([write(), ...Array.from({ length: 12 }, (_, index) => side(index))]);
    expect(said).toBeGreaterThan(12);
    const updates = () => tab.payloads<Update>('data:update');
    await waitFor(() => updates().length >= written, 30_000);
    expect(updates().map(({ seq }) => seq)).toEqual(Array.from({ length: written }, (_, n) => joined.seq + n + 1));
    expect(tab.socket.connected).toBe(true);
    // The same process, and newcomers are served as ever.
    const late = await socket(node.base, at.owner.accessToken);
    expect(await late.ask('subscribe', { channel })).toMatchObject({ ok: true, seq: joined.seq + written });
    expect(node.output()).not.toMatch(/uncaught|unhandled/i);
    expect(await Promise.race([node.ended, sleep(50)])).toBeUndefined();
  });
});

describe('clients that read nothing', () => {
  const MIB = 2 ** 20;

  it('and ask for replay after replay cost a bounded part of memory; who reads misses nothing, and gets his replay', async () => {
    const node = await startNode({ env: { RATE_LIMIT_LIMIT: '1000000' } });
    const at = await world(node.base);
    const channel = `table:${at.table.id}`;
    const write = async (notes: string) =>
      expectStatus(await at.owner.post(`/tables/${at.table.id}/rows`, { fields: { name: 'row', notes } }), 201);
    const tab = await socket(node.base, at.owner.accessToken);
    const { epoch, seq } = await tab.ask<Joined>('subscribe', { channel });
    for (let n = 0; n < 60; n++) await write('x'.repeat(50_000));
    const backlog = async (): Promise<number> => {
      const text = await (await fetch(`${node.base}/metrics`)).text();
      return Number(/^live_tables_live_backlog_bytes (\d+)/m.exec(text)?.[1]);
    };
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8'))?.[1]) * 1024;
    const before = rss();
    const deaf = await Promise.all(Array.from({ length: 40 }, () => deafSocket(node.base, at.owner.accessToken)));
    for (const each of deaf)
      for (let id = 0; id < 100; id++) each.say(id, 'subscribe', { channel, from: { epoch, seq } });
    const seen = { backlog: 0, rss: 0 };
    await waitFor(async () => (seen.backlog = Math.max(seen.backlog, await backlog())) > 32 * MIB, 60_000);
    for (let n = 0; n < 40; n++) {
      await write('on');
      seen.backlog = Math.max(seen.backlog, await backlog());
      seen.rss = Math.max(seen.rss, rss());
      await sleep(50);
    }
    expect(seen.backlog).toBeLessThan(65 * MIB);
    expect((seen.rss - before) / MIB).toBeLessThan(700);
    const late = await socket(node.base, at.owner.accessToken);
    expect(await late.ask('subscribe', { channel, from: { epoch, seq } })).toMatchObject({ ok: true, mode: 'replay' });
    for (const each of [tab, late]) {
      await waitFor(() => each.payloads('data:update').length >= 100, 30_000);
      expect(each.payloads<Update>('data:update').map((event) => event.seq)).toEqual(
        Array.from({ length: 100 }, (_, n) => seq + n + 1),
      );
    }
    for (const each of deaf) each.end();
    await waitFor(async () => (await backlog()) < MIB, 60_000);
  });
});
