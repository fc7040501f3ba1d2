import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { LiveTables, LiveView, LiveWorkspace } from '../../client/src/index.js';
import {
  databases,
  expectStatus,
  member,
  startApp,
  tcpProxy,
  waitFor,
  world,
  type TcpProxy,
  type World,
} from '../harness/index.js';
import { liveClient } from '../support/live-client.js';
import { below, pick, randomOf } from '../support/random.js';

jest.setTimeout(120_000);

type Deal = { _id: string; name: string; qty: number | null };

/** Two nodes without Redis, so that what is written at one comes to the other late; who follows does so over a network that can be cut. */
let at: World;
let proxy: TcpProxy;
let follower: LiveTables;
let writer: LiveTables;
beforeAll(async () => {
  const pair = await databases();
  const [here, there] = [await startApp({ databases: pair }), await startApp({ databases: pair })];
  at = await world(here.base);
  proxy = await tcpProxy({ host: '127.0.0.1', port: Number(new URL(there.base).port) });
  follower = await liveClient(at.owner, `http://${proxy.host}:${proxy.port}`);
  writer = await liveClient(at.owner, here.base, { clientId: 'writer' });
});

async function newTable(name: string): Promise<string> {
  const columns = [
    { name: 'Name', type: 'text' },
    { name: 'Qty', type: 'integer' },
  ];
  return expectStatus(await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, { name, columns }), 201).id;
}

let views = 0;
async function newView(definition: object): Promise<string> {
  const body = { name: `View ${++views}`, definition };
  return expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201).id;
}

/** Waits until the copy has all that was written, and compares it with what the view shows, in its order. */
async function same(copy: LiveView<Deal>, tableId: string): Promise<void> {
  const { meta } = await writer.table(tableId).page({ pageSize: 1 });
  await copy.until(meta.seq);
  const shown = expectStatus(
    await at.owner.get<{ data: { fields?: object; group?: object; values?: object }[] }>(
      `/views/${copy.id}/data?limit=1000`,
    ),
    200,
  );
  expect(copy.rows.map(({ fields }) => fields)).toEqual(
    shown.data.map(({ fields, group, values }) => fields ?? { ...group, ...values }),
  );
}

/** Rows made, changed, deleted, restored at random, some of which the views show. What is refused, since a row is in the trash or not, is part of it. */
async function write(tableId: string, seed: number, times: number): Promise<void> {
  const random = randomOf(seed);
  const table = writer.table<{ name: string; qty: number }>(tableId);
  const ids: string[] = [];
  for (let n = 0; n < times; n++) {
    const fields = { name: pick(random, ['a', 'b', 'c', 'd']), qty: below(random, 10) };
    const id = pick(random, [...ids, '']);
    const kind = below(random, 8);
    const done =
      kind < 3 || id === ''
        ? table.create(fields).then((row) => ids.push(row.id))
        : kind < 6
          ? table.update(id, kind === 3 ? { name: fields.name } : { qty: fields.qty })
          : kind === 6
            ? table.delete(id)
            : table.restore(id);
    await done.catch((error: unknown) => {
      if (((error as { status?: number }).status ?? 500) >= 500) throw error;
    });
  }
}

const countReads = (copy: LiveView<Deal>) => {
  const reads = { count: 0 };
  copy.on('change', ({ kind }) => kind === 'read' && reads.count++);
  return reads;
};

describe('a live view', () => {
  it.each([
    ['of rows in the order in which they were made', {}],
    ['of rows that are sorted', { sort: [{ field: 'name' }, { field: 'qty', dir: 'desc' }] }],
    ['of rows whose ids it does not show', { columns: ['name', 'qty'] }],
    [
      'that groups',
      { columns: undefined, groupBy: [{ field: 'name' }], aggregates: [{ fn: 'sum', field: 'qty', as: 'total' }] },
    ],
  ])('%s is what the view shows, whatever is written and whatever the network does', async (_name, over) => {
    const tableId = await newTable(`Viewed ${views}`);
    const viewId = await newView({
      source: { table: tableId },
      as: 'd',
      filter: { field: 'qty', op: 'gt', value: 3 },
      columns: ['d._id', 'name', 'qty'],
      ...over,
    });
    await write(tableId, 1, 20);
    const copy = follower.liveView<Deal>(viewId);
    await same(copy, tableId);
    await write(tableId, 100, 60);
    await same(copy, tableId);
    await proxy.cut();
    await waitFor(() => copy.state === 'behind' || copy.state === 'reading');
    const before = copy.rows;
    await write(tableId, 200, 30);
    expect(copy.rows).toEqual(before);
    await proxy.mend();
    await same(copy, tableId);
    expect(copy.rows.length).toBeGreaterThan(2);
    copy.dispose();
  });

  it('of rows in the order of their ids is kept by events alone', async () => {
    const tableId = await newTable('Kept');
    const viewId = await newView({
      source: { table: tableId },
      as: 'd',
      columns: [{ field: 'd._id', as: 'key' }, 'name'],
    });
    const copy = writer.liveView<Deal>(viewId);
    const reads = countReads(copy);
    const changes: unknown[] = [];
    copy.on('change', (change) => change.kind === 'rows' && changes.push(change));
    await copy.until();
    const table = writer.table<{ name: string }>(tableId);
    const { id } = await table.create({ name: 'a' });
    await table.update(id, { name: 'b' });
    await same(copy, tableId);
    expect(copy.rows).toEqual([{ id, fields: { key: id, name: 'b' } }]);
    await table.delete(id);
    await same(copy, tableId);
    expect(copy.rows).toEqual([]);
    expect(changes).toMatchObject([
      { created: [id], actor: { clientId: 'writer' } },
      { updated: [id] },
      { deleted: [id] },
    ]);
    expect(reads.count).toBe(1);
    copy.dispose();
  });

  it('holds the first rows only where it is told to, and more when it is asked', async () => {
    const tableId = await newTable('First');
    const table = writer.table<{ qty: number }>(tableId);
    await table.bulk(Array.from({ length: 30 }, (_, n) => ({ op: 'create', fields: { qty: n } })));
    const viewId = await newView({
      source: { table: tableId },
      as: 'd',
      columns: ['d._id', 'qty'],
      sort: [{ field: 'qty', dir: 'desc' }],
    });
    const copy = writer.liveView<Deal>(viewId, { most: 3 });
    await copy.until();
    const held = () => copy.rows.map(({ fields }) => fields.qty);
    expect([held(), copy.complete]).toEqual([[29, 28, 27], false]);
    await table.create({ qty: 100 });
    await waitFor(() => held()[0] === 100);
    expect(held()).toEqual([100, 29, 28]);
    copy.extend(100);
    await waitFor(() => copy.complete && copy.state === 'live');
    await same(copy, tableId);
    copy.dispose();
  });

  it('tells its new name, is read anew when it shows something else, and ends with the view', async () => {
    const tableId = await newTable('Life');
    await writer.table(tableId).create({ name: 'a', qty: 1 });
    const viewId = await newView({ source: { table: tableId }, as: 'd', columns: ['d._id', 'name'] });
    const copy = follower.liveView<Deal>(viewId);
    await copy.until();
    expectStatus(await at.owner.patch(`/views/${viewId}`, { name: 'Called so' }), 200);
    await waitFor(() => copy.description?.name === 'Called so');
    const definition = { source: { table: tableId }, as: 'd', columns: ['d._id', 'qty'] };
    expectStatus(await at.owner.patch(`/views/${viewId}`, { definition }), 200);
    await waitFor(() => copy.state === 'live' && copy.rows[0]?.fields.qty === 1);
    expect(copy.rows[0]?.fields).not.toHaveProperty('name');
    const ended = new Promise((resolve) => copy.on('ended', resolve));
    expectStatus(await at.owner.del(`/views/${viewId}`), 204);
    expect(await ended).toBeInstanceOf(Error);
  });
});

describe('several copies of one channel in one window', () => {
  it('miss nothing when one of them begins or ends', async () => {
    const tableId = await newTable('Twice');
    const first = follower.liveTable<Deal>(tableId);
    await first.until();
    for (let n = 0; n < 5; n++) {
      const { id } = await writer.table<{ qty: number }>(tableId).create({ qty: n });
      // It reads the row, which the first was not told of yet, and follows from behind it.
      const second = follower.liveTable<Deal>(tableId);
      await second.until();
      expect(second.rows.has(id)).toBe(true);
      await waitFor(() => first.rows.has(id));
      second.dispose();
    }
    const { id } = await writer.table<{ qty: number }>(tableId).create({ qty: 9 });
    await waitFor(() => first.rows.has(id));
    first.dispose();
  });
});

describe('a live workspace', () => {
  /** All that there is, as the lists say it. */
  async function lists(copy: LiveWorkspace): Promise<object> {
    const list = async (path: string) =>
      expectStatus(await at.owner.get<{ data: { id: string }[] }>(`${path}?limit=200`), 200).data;
    const bases = await list(`/workspaces/${copy.id}/bases`);
    const tables = await Promise.all(bases.map(({ id }) => list(`/bases/${id}/tables`)));
    const sorted = (all: { id: string }[]) => all.sort((a, b) => (a.id < b.id ? -1 : 1));
    return {
      workspace: expectStatus(await at.owner.get(`/workspaces/${copy.id}`), 200),
      members: sorted(await list(`/workspaces/${copy.id}/members`)),
      bases: sorted(bases),
      tables: sorted(tables.flat()),
      views: sorted(await list(`/workspaces/${copy.id}/views`)),
      connections: sorted(await list(`/workspaces/${copy.id}/connections`)),
    };
  }
  function held(copy: LiveWorkspace): object {
    const sorted = (all: ReadonlyMap<string, { id: string }> | undefined) =>
      [...(all?.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
    const { workspace, members, bases, tables, views, connections } = copy.contents ?? {};
    return {
      ...{ workspace, members: sorted(members), bases: sorted(bases), tables: sorted(tables) },
      ...{ views: sorted(views), connections: sorted(connections) },
    };
  }
  async function same(copy: LiveWorkspace): Promise<void> {
    const there = await lists(copy);
    await waitFor(() => JSON.stringify(held(copy)) === JSON.stringify(there)).catch(() => undefined);
    expect(held(copy)).toEqual(there);
  }

  it('is what its lists say, whatever is done to bases, tables, columns, views and members, and whatever the network does', async () => {
    const copy = follower.liveWorkspace(at.workspace.id);
    await copy.until();
    await same(copy);
    const actions: string[] = [];
    copy.on('change', (change) => change.kind === 'changed' && actions.push(change.change?.action ?? ''));

    const base = expectStatus(
      await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: 'Second' }),
      201,
    );
    const body = { name: 'Things', columns: [{ name: 'Name', type: 'text' }] };
    const table = expectStatus(await at.owner.post<{ id: string }>(`/bases/${base.id}/tables`, body), 201);
    expectStatus(await at.owner.post(`/tables/${table.id}/columns`, { name: 'Size', type: 'integer' }), 201);
    const view = await newView({ source: { table: table.id } });
    await member(at, 'editor');
    await same(copy);
    expect(actions).toEqual(
      expect.arrayContaining(['base.created', 'table.created', 'column.created', 'view.created', 'member.added']),
    );

    await proxy.cut();
    await waitFor(() => copy.state === 'behind');
    expectStatus(await at.owner.patch(`/bases/${base.id}`, { name: 'Renamed' }), 200);
    expectStatus(await at.owner.del(`/views/${view}`), 204);
    await proxy.mend();
    await same(copy);
    expectStatus(await at.owner.del(`/bases/${base.id}`), 204);
    expectStatus(await at.owner.patch(`/workspaces/${at.workspace.id}`, { name: 'Another' }), 200);
    await same(copy);
    expectStatus(await at.owner.post(`/bases/${base.id}/restore`, {}), 200);
    await same(copy);
    expect(copy.state).toBe('live');
    copy.dispose();
  });

  it('ends with the membership', async () => {
    const person = await member(at, 'viewer');
    const theirs = await liveClient(person, `http://${proxy.host}:${proxy.port}`);
    const copy = theirs.liveWorkspace(at.workspace.id);
    await copy.until();
    const ended = new Promise((resolve) => copy.on('ended', resolve));
    const membership = [...(copy.contents?.members.values() ?? [])].find(({ user }) => user.id === person.user.id);
    expectStatus(await at.owner.del(`/workspaces/${at.workspace.id}/members/${membership?.id ?? ''}`), 204);
    expect(await ended).toBeInstanceOf(Error);
    expect(copy.state).toBe('ended');
  });
});
