import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  databases,
  expectStatus,
  member,
  redis,
  signup,
  sleep,
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
import { member as memberOf, OPEN, putRules } from '../support/rules.js';

jest.setTimeout(120_000);

interface Locked {
  readonly ok: boolean;
  readonly mine?: boolean;
  readonly user?: { readonly id: string };
  readonly until?: string;
  readonly error?: { readonly status: number; readonly code: string };
}

let pair: TestDatabases;
let shared: TestRedis;
let nodes: readonly [TestNode, TestNode];
let at: World;
let editor: Person;
let channel: string;

beforeAll(async () => {
  [pair, shared] = await Promise.all([databases(), redis()]);
  const start = () => startNode({ databases: pair, redis: shared });
  nodes = await Promise.all([start(), start()]);
  at = await world(nodes[0].base);
  editor = await member(at, 'editor');
  channel = `table:${at.table.id}`;
}, 60_000);

const open = async (node: TestNode, person: Person): Promise<TestSocket> => {
  const tab = await socket(node.base, person.accessToken);
  expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: true });
  return tab;
};
let cells = 0;
const newCell = () => ({ rowId: `row ${++cells}`, columnKey: 'name' });
const lock = (tab: TestSocket, cell: object): Promise<Locked> => tab.ask('lock', { channel, cell });
const told = (tab: TestSocket, cell: object, locked: boolean, ms?: number) =>
  tab.until(({ name, payload }) => {
    const event = payload as { cell?: object; locked?: boolean };
    return name === 'cell:lock' && event.locked === locked && JSON.stringify(event.cell) === JSON.stringify(cell);
  }, ms);

describe('the lock on a cell', () => {
  it('is that of who asked first, on every node, until he gives it up; no write is refused for it', async () => {
    const [ada, eve] = [await open(nodes[0], at.owner), await open(nodes[1], editor)];
    const cell = newCell();
    const asked = Date.now();
    const mine = await lock(ada, cell);
    expect(mine).toMatchObject({ ok: true, channel, cell, mine: true, user: { id: at.owner.user.id } });
    expect(Math.abs(Date.parse(mine.until ?? '') - asked - 30_000)).toBeLessThan(10_000);
    expect((await told(eve, cell, true)).payload).toMatchObject({ channel, user: { id: at.owner.user.id } });
    expect(await lock(eve, cell)).toMatchObject({ ok: true, mine: false, user: { id: at.owner.user.id } });
    expect(await lock(ada, cell)).toMatchObject({ mine: true });
    const shown = await eve.ask<{ locks: object[] }>('presence', { channel, state: { mode: 'typing' } });
    expect(shown.locks).toContainEqual({ cell, user: { id: at.owner.user.id, name: at.owner.user.name } });
    const rows = `/tables/${at.table.id}/rows`;
    const { id } = expectStatus(await at.owner.post<{ id: string }>(rows, { fields: { name: 'a' } }), 201);
    expect(await lock(ada, { rowId: id, columnKey: 'name' })).toMatchObject({ mine: true });
    await told(eve, { rowId: id, columnKey: 'name' }, true);
    expectStatus(await editor.patch(`${rows}/${id}`, { fields: { name: 'b' } }), 200);
    expect(await ada.ask('unlock', { channel, cell })).toEqual({ ok: true, channel, cell });
    await told(eve, cell, false);
    expect(await lock(eve, cell)).toMatchObject({ mine: true, user: { id: editor.user.id } });
    await told(ada, cell, true);
    // Whoever does not hold it cannot give it up.
    await ada.ask('unlock', { channel, cell });
    expect(await lock(ada, cell)).toMatchObject({ mine: false });
    for (const tab of [ada, eve]) tab.close();
  });

  it('has one holder when many ask at once on two nodes', async () => {
    const tabs = await Promise.all(
      [0, 1, 2, 3].map((n) => open(nodes[n % 2] === nodes[0] ? nodes[0] : nodes[1], editor)),
    );
    for (let n = 0; n < 10; n++) {
      const cell = newCell();
      await Promise.all(tabs.map((tab) => lock(tab, cell)));
      // What was told to two at the same moment is settled when both nodes have heard of it.
      await waitFor(async () => {
        const answers = await Promise.all(
          tabs.map((tab) => tab.ask<{ locks: { cell: object }[] }>('presence', { channel, state: {} })),
        );
        return answers.every(({ locks }) => locks.some((each) => JSON.stringify(each.cell) === JSON.stringify(cell)));
      });
      await sleep(100);
      const answers: Locked[] = [];
      for (const tab of tabs) answers.push(await lock(tab, cell));
      expect(answers.filter(({ mine }) => mine)).toHaveLength(1);
      for (const tab of tabs) await tab.ask('unlock', { channel, cell });
    }
    for (const tab of tabs) tab.close();
  });

  it('ends with the subscription, the socket, the right to write, and the node', async () => {
    const ada = await open(nodes[0], at.owner);
    const eve = await open(nodes[1], editor);
    const held = async (tab: TestSocket, ms?: number) => {
      const cell = newCell();
      expect(await lock(tab, cell)).toMatchObject({ mine: true });
      await told(ada, cell, true, ms);
      return cell;
    };
    const first = await held(eve);
    await eve.ask('unsubscribe', { channel });
    await told(ada, first, false);
    const second = await held(eve);
    eve.close();
    await told(ada, second, false);

    const guest = await memberOf(at.owner, at.workspace.id, 'editor');
    const leaving = await open(nodes[1], guest);
    const third = await held(leaving);
    expectStatus(
      await at.owner.patch(`/workspaces/${at.workspace.id}/members/${guest.memberId}`, { role: 'viewer' }),
      200,
    );
    await told(ada, third, false, 20_000);
    expect(await lock(leaving, third)).toMatchObject({ ok: false, error: { status: 403 } });

    const late = await startNode({ databases: pair, redis: shared });
    const doomed = await open(late, editor);
    const fourth = await held(doomed, 20_000);
    await late.kill9();
    expect(await lock(ada, fourth)).toMatchObject({ mine: false });
    await told(ada, fourth, false, 60_000);
    expect(await lock(ada, fourth)).toMatchObject({ mine: true });
    for (const tab of [ada, leaving]) tab.close();
  });

  it('is for those who may write, and nobody else hears of it', async () => {
    const viewer = await member(at, 'viewer');
    const looking = await open(nodes[0], viewer);
    expect(await lock(looking, newCell())).toMatchObject({ error: { status: 403, code: 'role_too_low' } });
    const stranger = await socket(nodes[0].base, (await signup(nodes[0].base)).accessToken);
    const none = `table:${at.workspace.id}`;
    expect(await lock(stranger, newCell())).toMatchObject({ error: { status: 404, code: 'not_found' } });
    expect(await stranger.ask('lock', { channel: none, cell: newCell() })).toMatchObject({ error: { status: 404 } });
    expect(await stranger.ask('unlock', { channel, cell: newCell() })).toMatchObject({ ok: true });

    const column = {
      name: 'State',
      type: 'single_select',
      options: { choices: [{ label: 'Open' }, { label: 'Won' }] },
    };
    const made = await at.owner.post<typeof at.table>(`/bases/${at.base.id}/tables`, {
      name: 'Ruled',
      columns: [column],
    });
    const table = expectStatus(made, 201);
    await putRules(at.owner, table, {
      name: 'open',
      appliesTo: { roles: ['editor'] },
      read: { filter: { ...OPEN, field: 'state' } },
    });
    const ruled = await socket(nodes[0].base, editor.accessToken);
    const whole = await socket(nodes[1].base, at.owner.accessToken);
    const theirs = `table:${table.id}`;
    for (const tab of [ruled, whole])
      expect(await tab.ask('subscribe', { channel: theirs })).toMatchObject({ ok: true });
    const cell = newCell();
    expect(await ruled.ask('lock', { channel: theirs, cell })).toMatchObject({
      error: { status: 404, code: 'not_found' },
    });
    expect(await whole.ask('lock', { channel: theirs, cell })).toMatchObject({ mine: true });
    expect(await ruled.ask('presence', { channel: theirs, state: {} })).toMatchObject({ ok: true, locks: [] });
    // Told by the same way, and after it.
    await whole.ask('presence', { channel: theirs, state: {} });
    await ruled.until(({ name }) => name === 'user:join');
    expect(ruled.payloads('cell:lock')).toEqual([]);
    for (const tab of [looking, stranger, ruled, whole]) tab.close();
  });

  it('says what is wrong with a cell, and is for ten cells of a socket', async () => {
    const tab = await open(nodes[0], at.owner);
    for (const cell of [
      {},
      { rowId: 'a' },
      { rowId: 7, columnKey: 'name' },
      { rowId: '', columnKey: 'name' },
      { rowId: 'a'.repeat(65), columnKey: 'name' },
      { rowId: 'a', columnKey: ['name'] },
      { rowId: 'a', columnKey: 'name', more: 1 },
      [{ rowId: 'a', columnKey: 'name' }],
      null,
      'x',
    ])
      for (const message of ['lock', 'unlock'])
        expect(await tab.ask(message, { channel, cell })).toMatchObject({ ok: false, error: { status: 422 } });
    const { rowId } = newCell();
    for (const other of [`view:${at.table.id}`, `workspace:${at.workspace.id}`, 'nothing'])
      expect(await tab.ask('lock', { channel: other, cell: { rowId, columnKey: 'name' } })).toMatchObject({
        error: { status: 422 },
      });
    for (const columnKey of ['__proto__', 'constructor', 'toString', '\u0000', '"],["'])
      expect(await lock(tab, { rowId: '__proto__', columnKey })).toMatchObject({ mine: true });
    for (let n = 0; n < 5; n++) expect(await lock(tab, newCell())).toMatchObject({ mine: true });
    expect(await lock(tab, newCell())).toMatchObject({ error: { code: 'limit_reached' } });
    await tab.ask('unlock', { channel, cell: { rowId: '__proto__', columnKey: '__proto__' } });
    expect(await lock(tab, newCell())).toMatchObject({ mine: true });
    tab.close();
  });
});
