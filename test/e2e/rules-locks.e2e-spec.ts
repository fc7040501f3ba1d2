import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { databases, expectStatus, member, redis, socket, startNode, world, type Person, type Row, type Table, type TestNode, type TestSocket, type World } from '../harness/index.js'; // prettier-ignore
import { OPEN, putRules } from '../support/rules.js';

jest.setTimeout(120_000);

interface Locked {
  readonly ok: boolean;
  readonly mine?: boolean;
  readonly user?: { readonly id: string };
  readonly error?: { readonly status: number; readonly code: string; readonly detail?: string };
}
interface Cell {
  readonly rowId: string;
  readonly columnKey: string;
}
interface Event {
  readonly cell: Cell;
  readonly locked: boolean;
  readonly user: { readonly id: string };
}

const RULE = {
  ...{ name: 'open', appliesTo: { roles: ['editor'] }, read: { filter: OPEN } },
  columns: { hidden: ['notes'], readOnly: ['qty'] },
};

let nodes: readonly [TestNode, TestNode];
let at: World;
let editor: Person;

beforeAll(async () => {
  const [pair, shared] = await Promise.all([databases(), redis()]);
  nodes = await Promise.all([
    startNode({ databases: pair, redis: shared }),
    startNode({ databases: pair, redis: shared }),
  ]);
  at = await world(nodes[0].base);
  editor = await member(at, 'editor');
}, 60_000);

async function deals() {
  const made = await at.owner.post<Table>(`/bases/${at.base.id}/tables`, {
    name: `Deals ${++tables}`,
    columns: [
      { name: 'Name', type: 'text' },
      { name: 'Qty', type: 'integer' },
      { name: 'Status', type: 'single_select', options: { choices: [{ label: 'Open' }, { label: 'Won' }] } },
      { name: 'Notes', type: 'text' },
    ],
  });
  const table = expectStatus(made, 201);
  const add = async (status: string) =>
    expectStatus(await at.owner.post<Row>(`/tables/${table.id}/rows`, { fields: { name: 'a', status } }), 201).id;
  const rows = { open: await add('open'), other: await add('open'), won: await add('won') };
  await putRules(at.owner, table, RULE);
  const channel = `table:${table.id}`;
  const open = async (node: TestNode, person: Person): Promise<TestSocket> => {
    const tab = await socket(node.base, person.accessToken);
    expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: true });
    return tab;
  };
  const cell = (rowId: string, columnKey = 'name'): Cell => ({ rowId, columnKey });
  const lock = (tab: TestSocket, which: Cell): Promise<Locked> => tab.ask('lock', { channel, cell: which });
  const unlock = (tab: TestSocket, which: Cell) => tab.ask('unlock', { channel, cell: which });
  const listed = async (tab: TestSocket): Promise<readonly Cell[]> =>
    (await tab.ask<{ locks: { cell: Cell }[] }>('presence', { channel, state: {} })).locks.map((each) => each.cell);
  const set = async (rowId: string, status: string) =>
    expectStatus(await at.owner.patch(`/tables/${table.id}/rows/${rowId}`, { fields: { status } }), 200);
  return { table, rows, channel, open, cell, lock, unlock, listed, set };
}
let tables = 0;

const isAbout = (event: Event, cell: Cell, locked: boolean): boolean =>
  event.locked === locked && event.cell.rowId === cell.rowId && event.cell.columnKey === cell.columnKey;
const heard = (tab: TestSocket, cell: Cell, locked: boolean): number =>
  tab.payloads<Event>('cell:lock').filter((event) => isAbout(event, cell, locked)).length;
const hears = (tab: TestSocket, cell: Cell, locked: boolean) =>
  tab.until(({ name, payload }) => name === 'cell:lock' && isAbout(payload as Event, cell, locked), 20_000);

describe('locks of members under rules', () => {
  it('are those of the cells that he sees, in both directions, and nothing tells of others', async () => {
    const { rows, open, cell, lock, unlock, listed } = await deals();
    const [ada, eve] = [await open(nodes[0], at.owner), await open(nodes[1], editor)];
    const mine = cell(rows.open);
    expect(await lock(eve, mine)).toMatchObject({ ok: true, mine: true, user: { id: editor.user.id } });
    expect(await lock(eve, mine)).toMatchObject({ mine: true });
    await hears(ada, mine, true);
    expect(await lock(ada, mine)).toMatchObject({ mine: false, user: { id: editor.user.id } });

    // What is not seen is told as what is not there.
    const whyNot = async (which: Cell): Promise<object> => ({
      ...(await lock(eve, which)).error,
      requestId: undefined,
    });
    const none = cell('01890000-0000-7000-8000-000000000000');
    const refused = await whyNot(none);
    expect(refused).toMatchObject({ status: 404, code: 'not_found' });
    for (const hidden of [cell(rows.won), cell(rows.won, 'notes'), cell(rows.won, 'qty'), cell('row 1')])
      expect(await whyNot(hidden)).toEqual(refused);
    const unknown = await whyNot(cell(rows.open, 'nothing'));
    expect(unknown).toMatchObject({ status: 404, code: 'not_found' });
    expect(await whyNot(cell(rows.open, 'notes'))).toEqual(unknown);
    expect(await lock(eve, cell(rows.open, 'qty'))).toMatchObject({ error: { status: 403, code: 'ruled_out' } });

    // Locked by others, these are refused as before, and not told of.
    const unseen = [cell(rows.won), cell(rows.open, 'notes'), cell(rows.other, 'notes'), cell('row 1'), none];
    for (const each of unseen) expect(await lock(ada, each)).toMatchObject({ mine: true });
    const seen = cell(rows.other);
    const locked = cell(rows.other, 'qty');
    for (const each of [seen, locked]) expect(await lock(ada, each)).toMatchObject({ mine: true });
    await hears(eve, seen, true);
    await hears(eve, locked, true);
    expect(await lock(eve, seen)).toMatchObject({ mine: false, user: { id: at.owner.user.id } });
    expect(await whyNot(cell(rows.won))).toEqual(refused);
    expect(await whyNot(cell(rows.other, 'notes'))).toEqual(unknown);
    expect(new Set(await listed(eve))).toEqual(new Set([mine, seen, locked]));
    expect(await listed(ada)).toHaveLength(8);
    for (const each of [...unseen, locked, seen]) await unlock(ada, each);
    await hears(eve, locked, false);
    await hears(eve, seen, false);
    await unlock(eve, mine);
    await hears(ada, mine, false);
    // Told one after the other, so whatever there was to be told before this has been.
    const last = cell(rows.open);
    await lock(ada, last);
    await hears(eve, last, true);
    for (const each of unseen) expect([heard(eve, each, true), heard(eve, each, false)]).toEqual([0, 0]);
    expect(heard(eve, mine, false)).toBe(0);
    for (const tab of [ada, eve]) tab.close();
  });

  it('ends when its row goes out of his sight, and so does what he was told of others there', async () => {
    const { rows, open, cell, lock, unlock, listed, set } = await deals();
    const [ada, eve] = [await open(nodes[0], at.owner), await open(nodes[1], editor)];
    const [mine, theirs] = [cell(rows.open), cell(rows.other)];
    expect(await lock(eve, mine)).toMatchObject({ mine: true });
    expect(await lock(ada, theirs)).toMatchObject({ mine: true });
    await hears(eve, theirs, true);
    await set(rows.open, 'won');
    await set(rows.other, 'won');
    await hears(ada, mine, false);
    await hears(eve, theirs, false);
    expect(await listed(ada)).toEqual([theirs]);
    expect(await listed(eve)).toEqual([]);
    expect(await lock(eve, mine)).toMatchObject({ error: { status: 404 } });
    // The lock itself goes on, and nothing that becomes of it is told.
    await unlock(ada, theirs);
    expect(await lock(ada, theirs)).toMatchObject({ mine: true });
    expect(await lock(ada, mine)).toMatchObject({ mine: true });
    // What comes into sight is told with its lock, though nobody locks it then.
    await set(rows.open, 'open');
    await hears(eve, mine, true);
    expect([heard(eve, theirs, true), heard(eve, theirs, false)]).toEqual([1, 1]);
    expect(await lock(eve, mine)).toMatchObject({ mine: false, user: { id: at.owner.user.id } });
    ada.close();
    await hears(eve, mine, false);
    expect(heard(eve, theirs, false)).toBe(1);
    eve.close();
  });

  it('ends with rules that hide or lock its column', async () => {
    const { table, rows, channel, open, cell, lock, listed } = await deals();
    const [ada, eve] = [await open(nodes[0], at.owner), await open(nodes[1], editor)];
    const [mine, theirs] = [cell(rows.open), cell(rows.other)];
    const begun = async (): Promise<void> => {
      expect(await lock(eve, mine)).toMatchObject({ mine: true });
      await hears(ada, mine, true);
    };
    const beginsAgain = async (): Promise<void> => {
      await eve.until(({ name, payload }) => name === 'control' && (payload as { reason?: string }).reason === 'rights_changed', 20_000); // prettier-ignore
      expect(await eve.ask('subscribe', { channel })).toMatchObject({ ok: true });
    };
    expect(await lock(ada, theirs)).toMatchObject({ mine: true });
    await hears(eve, theirs, true);
    await begun();
    await putRules(at.owner, table, { ...RULE, columns: { readOnly: ['name'] } });
    await hears(ada, mine, false);
    await beginsAgain();
    expect(await lock(eve, mine)).toMatchObject({ error: { status: 403, code: 'ruled_out' } });
    expect(await listed(eve)).toEqual([theirs]);
    await putRules(at.owner, table, { ...RULE, columns: { hidden: [] } });
    await beginsAgain();
    await begun();
    await putRules(at.owner, table, { ...RULE, update: { filter: { field: 'qty', op: 'eq', value: 7 } } });
    await beginsAgain();
    expect(await lock(eve, mine)).toMatchObject({ error: { status: 403, code: 'ruled_out' } });
    expect(await listed(eve)).toEqual([theirs]);
    await putRules(at.owner, table, { ...RULE, read: { filter: { ...OPEN, value: 'won' } } });
    await beginsAgain();
    expect(await listed(eve)).toEqual([]);
    expect(await lock(eve, mine)).toMatchObject({ error: { status: 404 } });
    for (const tab of [ada, eve]) tab.close();
  });
});
