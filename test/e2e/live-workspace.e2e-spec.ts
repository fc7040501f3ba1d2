import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
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
  type TestApp,
  type TestRedis,
  type TestSocket,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

interface Update {
  readonly channel: string;
  readonly epoch: string;
  readonly seq: number;
  readonly prev: number;
  readonly actor?: { readonly id: string; readonly name: string; readonly clientId?: string };
  readonly change?: {
    readonly action: string;
    readonly role?: string;
    readonly resource: {
      readonly type: string;
      readonly id: string;
      readonly name: string;
      readonly baseId?: string;
      readonly tableId?: string;
    };
  };
}
interface Subscribed {
  readonly ok: boolean;
  readonly mode: string;
  readonly epoch: string;
  readonly seq: number;
  readonly reason?: string;
  readonly error?: { readonly code: string };
}

let shared: TestRedis;
/** Two nodes that tell each other. */
let here: TestApp;
let there: TestApp;
let at: World;
let channel: string;

beforeAll(async () => {
  const pair = await databases();
  shared = await redis();
  [here, there] = await Promise.all([
    startApp({ databases: pair, redis: shared }),
    startApp({ databases: pair, redis: shared }),
  ]);
  at = await world(here.base);
  channel = `workspace:${at.workspace.id}`;
}, 120_000);

const follow = async (node: TestApp, person: Person, from?: object) => {
  const tab = await socket(node.base, person.accessToken);
  const answer = await tab.ask<Subscribed>('subscribe', { channel, ...(from ? { from } : {}) });
  return { tab, answer };
};
const updates = (tab: TestSocket): Update[] => tab.payloads<Update>('workspace:update');
const actionsOf = (tab: TestSocket) => updates(tab).map(({ change }) => change?.action ?? null);
const upTo = (tab: TestSocket, seq: number) => waitFor(() => updates(tab).at(-1)?.seq === seq);
/** No number is missing, from where the subscriber stood. */
const gapless = (tab: TestSocket, { epoch, seq }: Subscribed): void =>
  updates(tab).forEach((each, i) => expect(each).toMatchObject({ epoch, seq: seq + i + 1, prev: seq + i }));
const head = async (): Promise<number> => {
  const { tab, answer } = await follow(here, at.owner);
  tab.close();
  return answer.seq;
};

describe('the channel of a workspace', () => {
  it('tells on every node what became of bases, tables, columns, views and members, in order', async () => {
    const { owner, workspace, table } = at;
    const { tab, answer } = await follow(there, await member(at, 'viewer'));
    expect(answer).toEqual({ ok: true, channel, mode: 'live', epoch: answer.epoch, seq: answer.seq });
    const base = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${workspace.id}/bases`, { name: 'Ops' }, { 'x-client-id': 'tab' }),
      201,
    );
    const made = expectStatus(
      await owner.post<{ id: string }>(`/bases/${base.id}/tables`, {
        name: 'Tasks',
        columns: [{ name: 'Name', type: 'text' }],
      }),
      201,
    );
    const column = expectStatus(
      await owner.post<{ id: string }>(`/tables/${made.id}/columns`, { name: 'Due', type: 'date' }),
      201,
    );
    const view = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${workspace.id}/views`, {
        name: 'All deals',
        definition: { source: { table: table.id } },
      }),
      201,
    );
    const bob = await member(at, 'editor');
    const { data } = expectStatus(
      await owner.get<{ data: { id: string; user: { id: string } }[] }>(`/workspaces/${workspace.id}/members`),
      200,
    );
    const bobs = data.find(({ user }) => user.id === bob.user.id)?.id ?? '';
    expectStatus(await owner.patch(`/workspaces/${workspace.id}/members/${bobs}`, { role: 'viewer' }), 200);
    expectStatus(await owner.del(`/tables/${made.id}`), 204);
    // What is no one's business in a sidebar has no number.
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'Acme' } }), 201);
    expectStatus(
      await owner.post(`/workspaces/${workspace.id}/members`, { email: 'x@example.org', role: 'viewer' }),
      201,
    );
    await upTo(tab, await head());
    gapless(tab, answer);
    expect(updates(tab).map(({ change }) => change)).toEqual([
      { action: 'base.created', resource: { type: 'base', id: base.id, name: 'Ops' } },
      { action: 'table.created', resource: { type: 'table', id: made.id, name: 'Tasks', baseId: base.id } },
      { action: 'column.created', resource: { type: 'column', id: column.id, name: 'Due', tableId: made.id } },
      { action: 'view.created', resource: { type: 'view', id: view.id, name: 'All deals' } },
      { action: 'member.added', resource: { type: 'member', id: bobs, name: bob.user.name }, role: 'editor' },
      { action: 'member.updated', resource: { type: 'member', id: bobs, name: bob.user.name }, role: 'viewer' },
      { action: 'table.deleted', resource: { type: 'table', id: made.id, name: 'Tasks', baseId: base.id } },
    ]);
    expect(updates(tab)[0]?.actor).toEqual({ id: owner.user.id, name: owner.user.name, clientId: 'tab' });
  });

  it('tells whoever comes back what he missed, or to read again', async () => {
    const { owner, workspace } = at;
    const first = await follow(here, owner);
    first.tab.close();
    const { epoch, seq } = first.answer;
    expect((await follow(here, owner, { epoch, seq })).answer).toMatchObject({ mode: 'live', seq });
    for (const name of ['One', 'Two'])
      expectStatus(await owner.post(`/workspaces/${workspace.id}/bases`, { name }), 201);
    const back = await follow(there, owner, { epoch, seq });
    expect(back.answer).toMatchObject({ ok: true, mode: 'replay', seq: seq + 2 });
    await back.tab.until(({ payload }) => (payload as { type?: string }).type === 'up_to_date');
    expect(actionsOf(back.tab)).toEqual(['base.created', 'base.created']);
    gapless(back.tab, first.answer);
    const ahead = await follow(here, owner, { epoch, seq: seq + 99 });
    expect(ahead.answer).toMatchObject({ mode: 'reset', reason: 'ahead' });
    const other = await follow(here, owner, { epoch: workspace.id, seq });
    expect(other.answer).toMatchObject({ mode: 'reset', reason: 'epoch_changed' });
  });

  it('says of a private view to others only that there is a number, and that one has gone from their sight', async () => {
    const { owner, workspace, table } = at;
    const bob = await member(at, 'editor');
    const [own, others] = [await follow(here, bob), await follow(there, owner)];
    const definition = { source: { table: table.id } };
    const body = { name: 'Secret plan', visibility: 'private', definition };
    const view = expectStatus(await bob.post<{ id: string }>(`/workspaces/${workspace.id}/views`, body), 201);
    const resource = { type: 'view', id: view.id };
    expectStatus(await bob.patch(`/views/${view.id}`, { name: 'Open plan', visibility: 'workspace' }), 200);
    expectStatus(await bob.patch(`/views/${view.id}`, { visibility: 'private' }), 200);
    expectStatus(await bob.patch(`/views/${view.id}`, { name: 'Secret again' }), 200);
    await Promise.all([upTo(own.tab, own.answer.seq + 4), upTo(others.tab, own.answer.seq + 4)]);
    gapless(others.tab, others.answer);
    expect(actionsOf(own.tab)).toEqual(['view.created', 'view.updated', 'view.updated', 'view.updated']);
    expect(updates(others.tab).map(({ change }) => change)).toEqual([
      undefined,
      { action: 'view.updated', resource: { ...resource, name: 'Open plan' } },
      { action: 'view.hidden', resource: { ...resource, name: 'Open plan' } },
      undefined,
    ]);
    expect(updates(others.tab)[0]).not.toHaveProperty('actor');
    expect(JSON.stringify(others.tab.events)).not.toContain('Secret');
    // The same to those who read it again later.
    const { epoch, seq } = others.answer;
    const late = await follow(here, owner, { epoch, seq });
    await upTo(late.tab, seq + 4);
    expect(updates(late.tab)).toEqual(updates(others.tab));
  });

  it('ends with the membership: nothing of what comes behind it is heard', async () => {
    const { owner, workspace } = at;
    const bob = await member(at, 'viewer');
    const { tab } = await follow(there, bob);
    const { data } = expectStatus(
      await owner.get<{ data: { id: string; user: { id: string } }[] }>(`/workspaces/${workspace.id}/members`),
      200,
    );
    const id = data.find(({ user }) => user.id === bob.user.id)?.id ?? '';
    expectStatus(await owner.del(`/workspaces/${workspace.id}/members/${id}`), 204);
    expectStatus(await owner.post(`/workspaces/${workspace.id}/bases`, { name: 'After Bob' }), 201);
    await tab.until(({ payload }) => (payload as { type?: string }).type === 'revoked');
    await sleep(1_500);
    expect(tab.events.map(({ name }) => name)).toEqual(['control']);
    expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: false, error: { code: 'not_found' } });
  });

  it('is nobody else’s, and one that there is not is the same', async () => {
    const stranger = await signup(here.base);
    expect((await follow(here, stranger)).answer).toMatchObject({ ok: false, error: { code: 'not_found' } });
    const tab = await socket(here.base, stranger.accessToken);
    for (const wrong of [`workspace:${at.table.id}`, 'workspace:x'])
      expect(await tab.ask('subscribe', { channel: wrong })).toMatchObject({ ok: false, error: { code: 'not_found' } });
  });

  it('numbers what is written at once without a gap, and nothing that was rolled back', async () => {
    const { owner, workspace } = at;
    const { tab, answer } = await follow(there, owner);
    // A busy machine refuses some for now; each name is taken by one of those who want it in the end.
    const write = async (name: string): Promise<number> => {
      const { status } = await owner.post(`/workspaces/${workspace.id}/bases`, { name });
      return status === 423 || status === 503 ? write(name) : status;
    };
    const writes = Array.from({ length: 30 }, (_, i) => write(`Rush ${i % 20}`));
    const made = (await Promise.all(writes)).filter((status) => status === 201).length;
    expect(made).toBe(20);
    await upTo(tab, answer.seq + made);
    gapless(tab, answer);
    expect(await head()).toBe(answer.seq + made);
  });

  it('loses nothing while Redis is away', async () => {
    const { owner, workspace } = at;
    const { tab, answer } = await follow(there, owner);
    await shared.kill();
    try {
      expectStatus(await owner.post(`/workspaces/${workspace.id}/bases`, { name: 'In the dark' }), 201);
      await upTo(tab, answer.seq + 1);
    } finally {
      await shared.start();
    }
    expectStatus(await owner.post(`/workspaces/${workspace.id}/bases`, { name: 'In the light' }), 201);
    await upTo(tab, answer.seq + 2);
    gapless(tab, answer);
  });
});
