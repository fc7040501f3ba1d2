import { beforeAll, describe, expect, it } from '@jest/globals';
import type { LiveTable, LiveTables } from '../../client/src/index.js';
import {
  databases,
  expectStatus,
  startApp,
  tcpProxy,
  waitFor,
  world,
  type TcpProxy,
  type World,
} from '../harness/index.js';
import { bothSides, insist, liveClient } from '../support/live-client.js';
import { below, pick, randomOf, type Random } from '../support/random.js';

type Deal = { name: string; amount: string | null; qty: number | null; notes: string | null };

/** Two nodes of one installation; those who follow do so over a network that can be cut. */
let at: World;
let proxies: TcpProxy[];
let writers: LiveTables[];
let bases: string[];
beforeAll(async () => {
  const pair = await databases();
  const nodes = [await startApp({ databases: pair }), await startApp({ databases: pair })];
  bases = nodes.map(({ base }) => base);
  at = await world(bases[0] ?? '');
  proxies = await Promise.all(bases.map((base) => tcpProxy({ host: '127.0.0.1', port: Number(new URL(base).port) })));
  writers = await Promise.all(
    [0, 1, 2].map((n) => liveClient(at.owner, bases[n % 2] ?? '', { clientId: `writer-${n}` })),
  );
});

const writer = (n = 0): LiveTables => {
  const found = writers[n];
  if (!found) throw new Error(`there is no writer ${n}`);
  return found;
};
const follower = (proxy: TcpProxy) => liveClient(at.owner, `http://${proxy.host}:${proxy.port}`);

async function newTable(name: string): Promise<string> {
  const columns = [
    { name: 'Name', type: 'text' },
    { name: 'Amount', type: 'decimal', options: { scale: 2 } },
    { name: 'Qty', type: 'integer' },
    { name: 'Notes', type: 'long_text' },
  ];
  return expectStatus(await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, { name, columns }), 201).id;
}

/** Waits until the copy has the table's last number, and compares. */
async function same(copy: LiveTable<Deal>): Promise<void> {
  const { meta } = await writer().table(copy.id).page({ pageSize: 1 });
  await copy.until(meta.seq);
  const [mine, theirs] = await bothSides(copy, writer());
  expect(mine).toEqual(theirs);
  expect(copy.seq).toBe(meta.seq);
}

/** Random writes of every kind, one after the other. Refusals are part of it: others change the same rows. */
async function write(client: LiveTables, tableId: string, random: Random, ids: string[], times: number): Promise<void> {
  const table = client.table<Deal>(tableId);
  for (let n = 0; n < times; n++) {
    const id = ids.length > 0 ? pick(random, ids) : undefined;
    const fields = { name: `n${below(random, 1000)}`, qty: below(random, 100), notes: pick(random, ['a', 'b', 'c']) };
    const kind = id === undefined ? 0 : below(random, 8);
    const done =
      kind <= 1 || id === undefined
        ? table.create(fields).then((row) => ids.push(row.id))
        : kind === 2
          ? table.delete(id)
          : kind === 3
            ? table.restore(id)
            : kind === 4
              ? table.bulk([
                  { op: 'create', fields },
                  { op: 'update', id, fields: { qty: 7 } },
                  { op: 'update', id, fields: { qty: 8, notes: null } },
                ])
              : kind === 5
                ? table.undo()
                : table.update(id, { qty: { $inc: 1 }, name: fields.name });
    await done.catch((error: unknown) => {
      if ((error as { status?: number }).status === undefined || (error as { status: number }).status >= 500)
        throw error;
    });
  }
}

describe('a live table', () => {
  it('is the table after many writes of several writers, whatever the network does', async () => {
    const seed = 4711;
    const random = randomOf(seed);
    const tableId = await newTable('Many');
    const ids: string[] = [];
    await write(writer(), tableId, random, ids, 10);
    const copies = await Promise.all(proxies.map(async (proxy) => (await follower(proxy)).liveTable<Deal>(tableId)));
    await Promise.all(copies.map((copy) => copy.until()));
    const behind = copies.map(() => 0);
    copies.forEach((copy, n) =>
      copy.on('state', (state) => {
        if (state === 'behind') behind[n] = (behind[n] ?? 0) + 1;
      }),
    );
    const writing = { done: false };
    const cutting = (async () => {
      for (let round = 0; !writing.done || round < 6; round++) {
        const proxy = proxies[round % 2];
        await new Promise((resolve) => setTimeout(resolve, below(random, 300)));
        await proxy?.cut();
        await waitFor(() => copies[round % 2]?.state !== 'live');
        await new Promise((resolve) => setTimeout(resolve, below(random, 200)));
        await proxy?.mend();
      }
    })();
    const late = writers.map((client, n) => write(client, tableId, randomOf(seed + n), ids, 60));
    await Promise.all(late);
    writing.done = true;
    await cutting;
    for (const copy of copies) await same(copy);
    expect(copies.map(({ state }) => state)).toEqual(['live', 'live']);
    expect(behind.every((times) => times > 0)).toBe(true);
  });

  it('that begins while others write misses nothing', async () => {
    const tableId = await newTable('Race');
    const ids: string[] = [];
    await writer()
      .table<Deal>(tableId)
      .bulk(Array.from({ length: 1000 }, (_, n) => ({ op: 'create', fields: { qty: n } })));
    await writer()
      .table<Deal>(tableId)
      .bulk(Array.from({ length: 500 }, (_, n) => ({ op: 'create', fields: { qty: n } })));
    const writes = writers.map((client, n) => write(client, tableId, randomOf(n + 1), ids, 25));
    for (let n = 0; n < 8; n++) {
      const copy = writer(n % 2).liveTable<Deal>(tableId);
      await copy.until();
      copy.dispose();
    }
    const copy = writer(2).liveTable<Deal>(tableId);
    await Promise.all(writes);
    await same(copy);
    copy.dispose();
  });

  it('reads again what is too large for an event, too far behind, or of another structure', async () => {
    const tableId = await newTable('Reset');
    const proxy = await tcpProxy({ host: '127.0.0.1', port: Number(new URL(bases[1] ?? '').port) });
    const client = await follower(proxy);
    const copy = client.liveTable<Deal & { price?: number }>(tableId);
    await copy.until();
    const reads: number[] = [];
    copy.on('change', (change) => {
      if (change.kind === 'read') reads.push(change.seq);
    });
    await writer()
      .table<Deal>(tableId)
      .bulk(Array.from({ length: 400 }, (_, n) => ({ op: 'create', fields: { qty: n } })));
    await same(copy);
    expect(reads).toHaveLength(1);

    await proxy.cut();
    await waitFor(() => copy.state === 'behind');
    for (let n = 0; n < 3; n++)
      await writer()
        .table<Deal>(tableId)
        .bulk(Array.from({ length: 1000 }, (_, i) => ({ op: 'create', fields: { qty: i } })));
    expect(copy.rows.size).toBe(400);
    await proxy.mend();
    await same(copy);
    expect(copy.rows.size).toBe(3400);
    expect(reads.length).toBeGreaterThan(1);

    const column = { name: 'Price', type: 'integer', default: 5 };
    expectStatus(await at.owner.post(`/tables/${tableId}/columns`, column), 201);
    await waitFor(() => copy.description?.columns.some(({ key }) => key === 'price'));
    await same(copy);
    expect([...copy.rows.values()].every(({ fields }) => 'price' in fields)).toBe(true);
    copy.dispose();
  });

  it('holds the first rows only where it is told to, exactly, and more when it is asked', async () => {
    const tableId = await newTable('First');
    const table = writer().table<Deal>(tableId);
    const rows = await table.bulk(Array.from({ length: 30 }, (_, n) => ({ op: 'create', fields: { qty: n } })));
    const ids = rows.results.map(({ id }) => id ?? '');
    const copy = writer(2).liveTable<Deal>(tableId, { most: 10 });
    const reads: number[] = [];
    copy.on('change', ({ kind, seq }) => kind === 'read' && reads.push(seq));
    const first = async (most: number) => {
      const { data, meta } = await table.page({ pageSize: most });
      await copy.until(meta.seq);
      return Object.fromEntries(data.map((row) => [row.id, [row.version, row.fields]]));
    };
    const mine = () => Object.fromEntries([...copy.rows].map(([id, row]) => [id, [row.version, row.fields]]));
    const at10 = await first(10);
    expect([mine(), copy.complete]).toEqual([at10, false]);

    const [inside = '', gone = '', beyond = ''] = [ids[3], ids[2], ids[20]];
    await table.bulk([
      { op: 'update', id: inside, fields: { name: 'inside' } },
      { op: 'update', id: beyond, fields: { name: 'beyond' } },
      { op: 'delete', id: gone },
      { op: 'create', fields: { name: 'new' } },
    ]);
    const at9 = await first(9);
    expect(mine()).toEqual(at9);
    await table.restore(gone);
    await table.delete(beyond);
    const again = await first(10);
    expect([mine(), reads.length]).toEqual([again, 1]);

    copy.extend(100);
    await waitFor(() => copy.complete);
    await same(copy);
    await table.create({ name: 'newer' });
    await same(copy);
    expect([copy.rows.size, reads.length]).toEqual([31, 2]);
    copy.dispose();
  });

  it('ends when the table is deleted, and says why', async () => {
    const tableId = await newTable('Gone');
    const copy = writer().liveTable<Deal>(tableId);
    await copy.until();
    const ended = new Promise((resolve) => copy.on('ended', resolve));
    expectStatus(await at.owner.del(`/tables/${tableId}`), 204);
    expect(await ended).toBeInstanceOf(Error);
    expect(copy.state).toBe('ended');
  });

  it('is iterated change by change, and shows who else is there', async () => {
    const tableId = await newTable('Watched');
    // People of other nodes are heard of by Redis only.
    const [mine, theirs] = [writer(0).liveTable<Deal>(tableId), writer(2).liveTable<Deal>(tableId)];
    await Promise.all([mine.until(), theirs.until()]);
    const seen: string[] = [];
    const watching = (async () => {
      for await (const change of mine) {
        if (change.kind !== 'rows') continue;
        seen.push(...change.created);
        if (seen.length === 3) return;
      }
    })();
    const made: string[] = [];
    for (const name of ['a', 'b', 'c'])
      made.push((await insist(() => writer(1).table<Deal>(tableId).create({ name }))).id);
    await watching;
    expect(seen).toEqual(made);
    await mine.presence.set({ mode: 'viewing' });
    await theirs.presence.set({ mode: 'editing', cursor: { rowId: made[0] ?? '', columnKey: 'name' } });
    await waitFor(() => mine.presence.people[0]?.state.cursor?.rowId === made[0]);
    expect(theirs.presence.people).toMatchObject([{ state: { mode: 'viewing' } }]);
    theirs.dispose();
    await waitFor(() => mine.presence.people.length === 0);
    mine.dispose();
  });
});

describe('the locks of cells', () => {
  it('are asked for, seen by others, and end with the copy', async () => {
    const tableId = await newTable('Locked');
    const cell = { rowId: 'row', columnKey: 'name' };
    const [mine, theirs] = [writer(0).liveTable<Deal>(tableId), writer(2).liveTable<Deal>(tableId)];
    await Promise.all([mine.until(), theirs.until()]);
    const { locks } = mine.presence;
    expect(await locks.lock(cell)).toBeUndefined();
    await waitFor(() => theirs.presence.locks.all.length === 1);
    const held = { cell, user: { id: at.owner.user.id, name: at.owner.user.name } };
    expect(await theirs.presence.locks.lock(cell)).toEqual(held);
    const late = writer(2).liveTable<Deal>(tableId);
    await late.until();
    await late.presence.set({ mode: 'viewing' });
    expect(late.presence.locks.all).toEqual([held]);
    late.dispose();
    await locks.unlock(cell);
    await waitFor(() => theirs.presence.locks.all.length === 0);
    expect(await theirs.presence.locks.lock(cell)).toBeUndefined();
    await waitFor(() => locks.all.length === 1);
    theirs.dispose();
    await waitFor(() => locks.all.length === 0);
    mine.dispose();
  });
});

describe('the token of a socket', () => {
  it('is renewed while the socket stays, so that nothing is missed and nothing begins again', async () => {
    const pair = await databases();
    const { base } = await startApp({ databases: pair, env: { JWT_ACCESS_TOKEN_EXPIRATION: '12s' } });
    const theirs = await world(base);
    const client = await liveClient(theirs.owner, base);
    const copy = client.liveTable<Deal>(theirs.table.id);
    await copy.until();
    const states: string[] = [];
    copy.on('state', (state) => states.push(state));
    const first = client.session.current?.accessToken;
    const renewed = new Set<string | undefined>();
    client.session.on('change', (tokens) => renewed.add(tokens?.accessToken));
    await waitFor(() => renewed.size >= 2, 45_000);
    expect(renewed.has(first)).toBe(false);
    const { id } = await client.table<Deal>(theirs.table.id).create({ name: 'later' });
    await waitFor(() => copy.rows.has(id));
    expect(states).toEqual([]);
  });
});
