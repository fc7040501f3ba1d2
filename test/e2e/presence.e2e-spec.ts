import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  member,
  redis,
  signup,
  socket,
  startNode,
  waitFor,
  world,
  type Person,
  type TestDatabases,
  type TestNode,
  type TestRedis,
  type TestSocket,
  type World,
} from '../harness/index.js';

jest.setTimeout(120_000);

interface PersonThere {
  readonly presenceId: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly state: object;
}
interface Shown {
  readonly ok: boolean;
  readonly presenceId: string;
  readonly present: readonly PersonThere[];
  readonly error?: { readonly status: number; readonly code: string };
}

let pair: TestDatabases;
let shared: TestRedis;
let nodes: readonly [TestNode, TestNode];
let at: World;
let bob: Person;
let channel: string;

beforeAll(async () => {
  [pair, shared] = await Promise.all([databases(), redis()]);
  const start = () => startNode({ databases: pair, redis: shared });
  nodes = await Promise.all([start(), start()]);
  at = await world(nodes[0].base);
  bob = await member(at, 'viewer');
  channel = `table:${at.table.id}`;
}, 60_000);

const open = async (node: TestNode, person: Person, follow = true): Promise<TestSocket> => {
  const tab = await socket(node.base, person.accessToken);
  if (follow) expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: true });
  return tab;
};
const show = (tab: TestSocket, state: object): Promise<Shown> => tab.ask<Shown>('presence', { channel, state });
const told = (tab: TestSocket, name: string, presenceId: string, ms?: number) =>
  tab.until((event) => event.name === name && (event.payload as PersonThere).presenceId === presenceId, ms);
const heardOf = (tab: TestSocket, presenceId: string): readonly string[] =>
  tab.events
    .filter(({ name, payload }) => name.startsWith('user:') && (payload as PersonThere).presenceId === presenceId)
    .map(({ name }) => name);

describe('presence', () => {
  it('is told across nodes: who comes, what he does, and that he goes', async () => {
    const [ada, eve] = [await open(nodes[0], at.owner), await open(nodes[1], bob)];
    const first = await show(ada, { mode: 'viewing' });
    expect(first).toMatchObject({ ok: true, present: [] });
    await told(eve, 'user:join', first.presenceId);
    const cursor = { rowId: null, columnKey: 'name' };
    const second = await show(eve, { cursor, mode: 'editing' });
    expect(second.present).toEqual([
      {
        presenceId: first.presenceId,
        user: { id: at.owner.user.id, name: at.owner.user.name },
        state: { mode: 'viewing' },
      },
    ]);
    const { payload } = await told(ada, 'user:join', second.presenceId);
    expect(payload).toMatchObject({ channel, user: { id: bob.user.id }, state: { cursor, mode: 'editing' } });
    await show(eve, { mode: 'idle' });
    expect((await told(ada, 'user:cursor', second.presenceId)).payload).toMatchObject({ state: { mode: 'idle' } });
    const selection = { from: { rowId: '\u0001'.repeat(64), columnKey: 'name' }, to: { rowId: 'b', columnKey: 'qty' } };
    const place = { rowId: '\u0001'.repeat(64), columnKey: '\u0001'.repeat(64) };
    for (const state of [{ mode: 'away' }, { cursor: place, selection, mode: 'typing' }]) {
      await show(eve, state);
      await waitFor(
        () => JSON.stringify(ada.payloads<PersonThere>('user:cursor').at(-1)?.state) === JSON.stringify(state),
      );
    }
    eve.close();
    expect((await told(ada, 'user:leave', second.presenceId)).payload).toMatchObject({ user: { id: bob.user.id } });
    expect(await show(ada, {})).toMatchObject({ presenceId: first.presenceId, present: [] });
    // Nobody hears of himself.
    expect(heardOf(ada, first.presenceId)).toEqual([]);
    ada.close();
  });

  it('tells a cursor that hurries no more often than people can see, and where it came to rest', async () => {
    const [ada, eve] = [await open(nodes[0], at.owner), await open(nodes[1], bob)];
    const { presenceId } = await show(ada, { cursor: { columnKey: 'c0' } });
    for (let i = 1; i <= 100; i++) await show(ada, { cursor: { columnKey: `c${i}` } });
    await waitFor(() =>
      eve.events.some(({ name, payload }) => name === 'user:cursor' && JSON.stringify(payload).includes('"c100"')),
    );
    expect(heardOf(eve, presenceId).length).toBeLessThan(60);
    ada.close();
    eve.close();
  });

  it('is known to a node that starts later, and ends with a node that dies', async () => {
    const ada = await open(nodes[0], at.owner);
    const { presenceId } = await show(ada, {});
    const late = await startNode({ databases: pair, redis: shared });
    const eve = await open(late, bob);
    await waitFor(async () => (await show(eve, {})).present.some((each) => each.presenceId === presenceId));
    const mine = await show(eve, {});
    await told(ada, 'user:join', mine.presenceId);
    await late.kill9();
    await told(ada, 'user:leave', mine.presenceId, 60_000);
    ada.close();
  });

  it('takes the right to read the table, ends with it, and with the subscription', async () => {
    const stranger = await signup(nodes[0].base);
    const foreign = await open(nodes[0], stranger, false);
    expect(await show(foreign, {})).toMatchObject({ ok: false, error: { status: 404, code: 'not_found' } });
    const ada = await open(nodes[0], at.owner);
    const eve = await open(nodes[1], await member(at, 'editor'));
    const { presenceId } = await show(eve, {});
    await told(ada, 'user:join', presenceId);
    expect(await eve.ask('unsubscribe', { channel })).toMatchObject({ ok: true });
    await told(ada, 'user:leave', presenceId);

    const guest = await member(at, 'editor');
    const leaving = await open(nodes[1], guest);
    const shown = await show(leaving, {});
    await told(ada, 'user:join', shown.presenceId);
    const { data } = expectStatus(
      await client(nodes[0].base, at.owner.accessToken).get<{
        data: readonly { id: string; user: { id: string } }[];
      }>(`/workspaces/${at.workspace.id}/members`),
      200,
    );
    const membership = data.find(({ user }) => user.id === guest.user.id)?.id ?? '';
    expectStatus(await at.owner.del(`/workspaces/${at.workspace.id}/members/${membership}`), 204);
    await told(ada, 'user:leave', shown.presenceId);
    for (const tab of [ada, eve, leaving, foreign]) tab.close();
  });

  it('says what is wrong with a state', async () => {
    const tab = await open(nodes[0], at.owner);
    for (const state of [
      { mode: 'asleep' },
      { cursor: { rowId: 7 } },
      { cursor: [] },
      { selection: { from: {} } },
      { selection: [] },
      { secret: 1 },
      null,
      'x',
    ])
      expect(await show(tab, state as object)).toMatchObject({ ok: false, error: { status: 422 } });
    tab.close();
  });
});
