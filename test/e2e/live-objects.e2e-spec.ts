import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  member,
  redis,
  signup,
  sleep,
  socket,
  startApp,
  waitFor,
  world,
  type Person,
  type ProblemBody,
  type TestApp,
  type TestDatabases,
  type TestRedis,
  type TestSocket,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

interface Refused {
  readonly ok: boolean;
  readonly error?: ProblemBody;
}

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown as string;

let pair: TestDatabases;
let shared: TestRedis;
/** Two nodes that tell each other, and one that nobody tells anything. */
let here: TestApp;
let there: TestApp;
let alone: TestApp;
let at: World;
let viewer: Person;
/** Somebody's database. */
let shop: TestDatabases['main'];

const inShop = (statements: string) =>
  asSuperuser(shop.database, (db) => db.query(`set role live_tables; ${statements}`));

beforeAll(async () => {
  pair = await databases();
  shop = (await databases({ migrated: false })).main;
  await inShop(`
    create table customers (id int primary key, name text not null, balance numeric(10, 2));
    create table notes (id int primary key, body text);
  `);
  shared = await redis();
  const together = { databases: pair, redis: shared };
  [here, there, alone] = await Promise.all([startApp(together), startApp(together), startApp({ databases: pair })]);
  at = await world(here.base);
  viewer = await member(at, 'viewer');
}, 120_000);

const connect = async (over: object = {}, { owner, workspace } = at): Promise<string> => {
  const { host, port, database, username, password } = shop;
  const name = `Shop ${Math.random()}`;
  const body = { name, engine: 'postgresql', host, port, database, username, password, access: 'read-write', ...over };
  return expectStatus(await owner.post<{ id: string }>(`/workspaces/${workspace.id}/connections`, body), 201).id;
};
const channelOf = (connectionId: string, object = 'public.customers'): string => `object:${connectionId}:${object}`;
const follow = async (node: TestApp, person: Person, channel: string): Promise<TestSocket> => {
  const tab = await socket(node.base, person.accessToken);
  expect(await tab.ask('subscribe', { channel })).toEqual({ ok: true, channel, mode: 'live' });
  return tab;
};
const mutate = async (connectionId: string, body: object, headers: Record<string, string> = {}) =>
  expectStatus(await at.owner.post(`/connections/${connectionId}/mutate`, body, headers), 200);
const customers = 'public.customers';
const updates = (tab: TestSocket, count: number) =>
  waitFor(() => {
    const seen = tab.payloads<Record<string, unknown>>('object:update');
    return seen.length >= count ? seen : undefined;
  });

describe('an object of an external database', () => {
  it('shows who follows it, on every node, what is changed through us and by whom', async () => {
    const id = await connect();
    const channel = channelOf(id);
    const tabs = [await follow(here, at.owner, channel), await follow(there, viewer, channel)];
    await mutate(id, { object: customers, op: 'insert', values: { id: 1, name: 'Acme' } }, { 'x-client-id': 'tab-7' });
    await mutate(id, { object: customers, op: 'update', key: { id: 1 }, values: { balance: '12.5' } });
    await mutate(id, { object: customers, op: 'delete', key: { id: 1 } });
    const actor = { id: at.owner.user.id, name: at.owner.user.name };
    const head = { channel, at: TIME, actor, source: 'api' };
    for (const tab of tabs)
      expect(await updates(tab, 3)).toEqual([
        {
          ...head,
          actor: { ...actor, clientId: 'tab-7' },
          op: 'insert',
          fields: { id: 1, name: 'Acme', balance: null },
        },
        { ...head, op: 'update', fields: { id: 1, name: 'Acme', balance: '12.50' } },
        { ...head, op: 'delete', fields: { id: 1, name: 'Acme', balance: '12.50' } },
      ]);
  });

  it('tells of a row that is too long for an event, without it', async () => {
    const id = await connect();
    const channel = channelOf(id, 'public.notes');
    const tab = await follow(there, viewer, channel);
    await mutate(id, { object: 'public.notes', op: 'insert', values: { id: 1, body: 'x'.repeat(70_000) } });
    const [told] = await updates(tab, 1);
    expect(told).toMatchObject({ channel, op: 'insert', invalidated: true });
    expect(told).not.toHaveProperty('fields');
  });

  it('tells nothing of other objects, other connections, and what failed', async () => {
    const [id, other] = [await connect(), await connect()];
    const tab = await follow(here, viewer, channelOf(id));
    await mutate(other, { object: customers, op: 'insert', values: { id: 2, name: 'Other' } });
    await mutate(id, { object: 'public.notes', op: 'insert', values: { id: 2, body: 'Other' } });
    const failed = { object: customers, op: 'insert', values: { id: 2, name: 'Twice' } };
    expect((await at.owner.post(`/connections/${id}/mutate`, failed)).status).toBe(409);
    await mutate(id, { object: customers, op: 'delete', key: { id: 2 } });
    expect((await updates(tab, 1)).map(({ op }) => op)).toEqual(['delete']);
  });

  it('is the same 404 where there is none, where the connection is of others, and where it is none', async () => {
    const elsewhere = await world(here.base);
    const [mine, theirs] = [await connect(), await connect({}, elsewhere)];
    const tab = await socket(here.base, viewer.accessToken);
    const asked: Refused[] = [];
    for (const channel of [
      channelOf(mine, 'public.nothing'),
      channelOf(mine, 'customers'),
      channelOf(mine, ''),
      channelOf(theirs),
      channelOf(theirs, 'public.nothing'),
      channelOf(at.table.id),
      channelOf('nothing'),
      'object:',
    ])
      asked.push(await tab.ask<Refused>('subscribe', { channel }));
    for (const { ok, error } of asked)
      expect([ok, { ...error, requestId: '' }]).toEqual([false, { ...asked[0]?.error, requestId: '' }]);
    expect(asked[0]?.error).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('has no log to go on from', async () => {
    const channel = channelOf(await connect());
    const tab = await socket(here.base, viewer.accessToken);
    const { error } = await tab.ask<Refused>('subscribe', { channel, from: { epoch: 'e', seq: 1 } });
    expect(error).toMatchObject({ status: 422, errors: [{ pointer: '/from', code: 'no_log' }] });
  });

  it('is followed also while its database cannot be reached, where somebody has looked into it before', async () => {
    const id = await connect();
    expectStatus(await viewer.get(`/connections/${id}/schema`), 200);
    const unseen = await connect({ database: 'nowhere' });
    const tab = await socket(here.base, viewer.accessToken);
    const { error } = await tab.ask<Refused>('subscribe', { channel: channelOf(unseen) });
    expect(error).toMatchObject({ code: 'source_unreachable' });
    expectStatus(await at.owner.patch(`/connections/${id}`, { password: 'wrong' }), 200);
    await follow(alone, viewer, channelOf(id));
  });

  it('is followed no longer by who has unsubscribed', async () => {
    const id = await connect();
    const channel = channelOf(id);
    const [tab, other] = [await follow(here, viewer, channel), await follow(here, at.owner, channel)];
    expect(await tab.ask('unsubscribe', { channel })).toEqual({ ok: true, channel });
    await mutate(id, { object: customers, op: 'insert', values: { id: 3, name: 'Unseen' } });
    await updates(other, 1);
    expect(tab.payloads('object:update')).toEqual([]);
  });
});

describe('an object that is looked at again and again', () => {
  it('shows also that others inserted, changed and deleted something, and then nothing more', async () => {
    await inShop('create table orders (id int primary key, total numeric, version int not null, at timestamptz)');
    const polled = await startApp({ databases: pair, env: { EXTERNAL_POLL_INTERVAL: '1' } });
    const channel = channelOf(await connect(), 'public.orders');
    const [tab, without] = [await follow(polled, viewer, channel), await follow(alone, viewer, channel)];
    await sleep(1_500);
    const changes = [
      'insert into orders values (1, 5, 1, now()), (2, 5, 7, now())',
      'update orders set total = 6, version = version + 1 where id = 1',
      `update orders set total = 7, at = now() + interval '1 hour' where id = 2`,
      'delete from orders where id = 1',
    ];
    for (const [n, change] of changes.entries()) {
      await inShop(change);
      expect((await updates(tab, n + 1))[n]).toEqual({ channel, at: TIME, op: 'changed', source: 'poll' });
    }
    await sleep(2_500);
    expect(tab.payloads('object:update')).toHaveLength(changes.length);
    expect(without.payloads('object:update')).toEqual([]);
    await polled.close();
  });
});

describe('the right to follow an object', () => {
  const revoked = (tab: TestSocket, channel: string) =>
    tab.until(({ name, payload }) => {
      const { type, channel: of } = payload as Record<string, unknown>;
      return name === 'control' && type === 'revoked' && of === channel;
    });

  it('ends with the membership, on every node, told of it or not', async () => {
    const id = await connect();
    const channel = channelOf(id);
    const leaver = await member(at, 'editor');
    const nodes = [here, there, alone];
    const tabs = await Promise.all(nodes.map((node) => follow(node, leaver, channel)));
    const witness = await follow(here, viewer, channel);
    const { data } = expectStatus(
      await at.owner.get<{ data: readonly { id: string; user: { id: string } }[] }>(
        `/workspaces/${at.workspace.id}/members`,
      ),
      200,
    );
    const memberId = data.find(({ user }) => user.id === leaver.user.id)?.id ?? '';
    expectStatus(await at.owner.del(`/workspaces/${at.workspace.id}/members/${memberId}`), 204);
    for (const tab of tabs) await revoked(tab, channel);
    await mutate(id, { object: customers, op: 'insert', values: { id: 4, name: 'Not for you' } });
    await updates(witness, 1);
    for (const tab of tabs) expect([tab.socket.connected, tab.payloads('object:update')]).toEqual([true, []]);
  });

  it('ends with the connection, on every node, told of it or not', async () => {
    const [id, kept] = [await connect(), await connect()];
    const channel = channelOf(id);
    const tabs = await Promise.all([here, there, alone].map((node) => follow(node, viewer, channel)));
    for (const tab of tabs)
      expect(await tab.ask('subscribe', { channel: channelOf(kept) })).toMatchObject({ ok: true });
    expectStatus(await at.owner.patch(`/connections/${id}`, { name: `Renamed ${id}` }), 200);
    expectStatus(await at.owner.del(`/connections/${id}`), 204);
    for (const tab of tabs) {
      await revoked(tab, channel);
      // The renaming before it, and the other connection, were no reason.
      expect(tab.payloads('control')).toEqual([{ type: 'revoked', channel }]);
      expect(await tab.ask('subscribe', { channel })).toMatchObject({ error: { status: 404 } });
    }
  });

  it('is that of members of the workspace alone', async () => {
    const channel = channelOf(await connect());
    const stranger = await signup(here.base);
    const tab = await socket(there.base, stranger.accessToken);
    expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: false, error: { status: 404 } });
    expect((await client(here.base, stranger.accessToken).get(`/tables/${at.table.id}`)).status).toBe(404);
  });
});
