import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  asSuperuser,
  databases,
  expectStatus,
  member,
  redis,
  signup,
  socket,
  startApp,
  waitFor,
  world,
  type Person,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type TestSocket,
  type World,
} from '../harness/index.js';
import { pick as pickOf, randomOf } from '../support/random.js';

jest.setTimeout(60_000);

interface ViewRow {
  readonly id: string;
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
}
interface Update {
  readonly epoch: string;
  readonly seq: number;
  readonly prev: number;
  readonly created: readonly ViewRow[];
  readonly entered: readonly ViewRow[];
  readonly updated: readonly ViewRow[];
  readonly deleted: readonly { readonly id: string }[];
  readonly left: readonly string[];
  readonly moved: readonly string[];
  readonly invalidated?: true;
  readonly cause?: object;
}
interface Subscribed {
  readonly ok: boolean;
  readonly mode: string;
  readonly epoch: string;
  readonly seq: number;
  readonly reason?: string;
  readonly error?: { readonly code: string };
}

let pair: TestDatabases;
/** Two nodes that tell each other. */
let here: TestApp;
let there: TestApp;

beforeAll(async () => {
  pair = await databases();
  const shared = await redis();
  [here, there] = await Promise.all([
    startApp({ databases: pair, redis: shared }),
    startApp({ databases: pair, redis: shared }),
  ]);
}, 120_000);

let count = 0;
const viewOf = async ({ owner, workspace }: World, definition: object, over: object = {}): Promise<string> => {
  const body = { name: `View ${++count}`, definition, ...over };
  return expectStatus(await owner.post<{ id: string }>(`/workspaces/${workspace.id}/views`, body), 201).id;
};
const follow = async (node: TestApp, person: Person, viewId: string, from?: object) => {
  const tab = await socket(node.base, person.accessToken);
  const channel = `view:${viewId}`;
  const answer = await tab.ask<Subscribed>('subscribe', { channel, ...(from ? { from } : {}) });
  return { tab, answer };
};
const updates = (tab: TestSocket): Update[] => tab.payloads<Update>('data:update');
const upTo = (tab: TestSocket, seq: number) => waitFor(() => updates(tab).at(-1)?.seq === seq);
const gapless = (tab: TestSocket, { epoch, seq }: Subscribed): void =>
  updates(tab).forEach((each, i) => expect(each).toMatchObject({ epoch, seq: seq + i + 1, prev: seq + i }));
const control = (tab: TestSocket, type: string) =>
  tab.until(({ name, payload }) => name === 'control' && (payload as { type: string }).type === type);
/** What an event says, without what is empty. */
const said = (update: Update | undefined) =>
  Object.fromEntries(
    Object.entries(update ?? {}).filter(
      ([key, value]) =>
        ['created', 'entered', 'updated', 'deleted', 'left', 'moved'].includes(key) && (value as unknown[]).length > 0,
    ),
  );

describe('the channel of a view of rows', () => {
  it('goes by the numbers of its table alone, also where that has links to others', async () => {
    const at = await world(here.base);
    const { owner, table, base } = at;
    const body = { name: 'Companies', columns: [{ name: 'Name', type: 'text' }] };
    const companies = expectStatus(await owner.post<{ id: string }>(`/bases/${base.id}/tables`, body), 201);
    const made = expectStatus(await owner.post<Row>(`/tables/${companies.id}/rows`, { fields: { name: 'Acme' } }), 201);
    const link = { name: 'Company', type: 'link', options: { tableId: companies.id } };
    expectStatus(await owner.post(`/tables/${table.id}/columns`, link), 201);
    const view = await viewOf(at, { source: { table: table.id }, columns: ['name'] });
    const { tab, answer } = await follow(there, owner, view);
    const rows = `/tables/${table.id}/rows`;
    const { id } = expectStatus(await owner.post<Row>(rows, { fields: { name: 'Deal', company: [made.id] } }), 201);
    expectStatus(await owner.patch(`/tables/${companies.id}/rows/${made.id}`, { fields: { name: 'Acme Ltd' } }), 200);
    expectStatus(await owner.patch(`${rows}/${id}`, { fields: { name: 'Order' } }), 200);
    await upTo(tab, answer.seq + 2);
    gapless(tab, answer);
    expect(updates(tab).map(said)).toMatchObject([
      { created: [{ id, fields: { name: 'Deal' } }] },
      { updated: [{ id, fields: { name: 'Order' } }] },
    ]);
    expect(tab.payloads('control')).toEqual([]);
    const again = await follow(here, owner, view, { epoch: answer.epoch, seq: answer.seq });
    expect(again.answer).toMatchObject({ mode: 'replay', seq: answer.seq + 2 });
  });

  it('tells what came into it, changed, left and moved, on every node, and nothing of what it does not show', async () => {
    const at = await world(here.base);
    const { owner, table } = at;
    const rows = `/tables/${table.id}/rows`;
    const view = await viewOf(at, {
      source: { table: table.id },
      filter: { field: 'status', op: 'eq', value: 'won' },
      computed: [{ key: 'twice', formula: '{qty} * 2' }],
      columns: ['name', 'twice', 'status'],
      sort: [{ field: 'due' }],
    });
    const viewer = await member(at, 'viewer');
    const [near, far] = [await follow(here, owner, view), await follow(there, viewer, view)];
    expect(far.answer).toMatchObject({ ok: true, mode: 'live', epoch: near.answer.epoch, seq: near.answer.seq });

    const make = async (fields: object) => expectStatus(await owner.post<Row>(rows, { fields }), 201).id;
    const change = async (id: string, fields: object) =>
      expectStatus(await owner.patch(`${rows}/${id}`, { fields }, { 'x-client-id': 'tab' }), 200);
    const acme = await make({ name: 'Acme', qty: 2, status: 'won', notes: 'hidden words' });
    const other = await make({ name: 'Other', qty: 1, status: 'open' });
    await change(other, { status: 'won', notes: 'hidden words' });
    await change(acme, { qty: 3 });
    await change(acme, { notes: 'other hidden words' });
    await change(acme, { due: '2026-12-01' });
    await change(acme, { status: 'lost', name: 'hidden words' });
    await change(acme, { qty: 9 });
    expectStatus(await owner.del(`${rows}/${other}`), 204);
    expectStatus(await owner.post(`${rows}/${other}/restore`, {}), 200);
    expectStatus(
      await owner.post(`${rows}/bulk`, {
        ops: [
          { op: 'update', id: acme, fields: { status: 'won', name: 'Acme', qty: 1 } },
          { op: 'delete', id: other },
          { op: 'create', fields: { name: 'Third', status: 'open' } },
        ],
      }),
      200,
    );
    for (const { tab, answer } of [near, far]) {
      await upTo(tab, answer.seq + 11);
      gapless(tab, answer);
      const row = (id: string, version: number, fields: object) => ({ id, version, fields });
      expect(updates(tab).map(said)).toEqual([
        { created: [row(acme, 1, { name: 'Acme', twice: '4', status: 'won' })] },
        {},
        { entered: [row(other, 2, { name: 'Other', twice: '2', status: 'won' })] },
        { updated: [row(acme, 2, { twice: '6' })] },
        {},
        { moved: [acme] },
        { left: [acme] },
        {},
        { deleted: [{ id: other, version: 3 }] },
        { entered: [row(other, 4, { name: 'Other', twice: '2', status: 'won' })] },
        {
          entered: [row(acme, 7, { name: 'Acme', twice: '2', status: 'won' })],
          deleted: [{ id: other, version: 5 }],
        },
      ]);
      expect(JSON.stringify(tab.events)).not.toContain('hidden words');
    }
    // Whoever comes back hears the same again.
    const { epoch, seq } = far.answer;
    const back = await follow(there, viewer, view, { epoch, seq });
    expect(back.answer).toMatchObject({ mode: 'replay', seq: seq + 11 });
    await upTo(back.tab, seq + 11);
    expect(updates(back.tab)).toEqual(updates(far.tab));
    expect((await follow(here, owner, view, { epoch, seq: seq + 11 })).answer).toMatchObject({ mode: 'live' });
  });

  it('lets a copy that is made of events be what the view shows, whatever is written, live and by replay', async () => {
    const at = await world(here.base);
    const { owner, table } = at;
    const rows = `/tables/${table.id}/rows`;
    const random = randomOf(17);
    const pick = <T>(list: readonly T[]): T => pickOf(random, list);
    const view = await viewOf(at, {
      source: { table: table.id },
      as: 'd',
      computed: [{ key: 'total', formula: '{qty} * {amount}' }],
      filter: {
        or: [
          { field: 'total', op: 'gt', value: 5 },
          { field: 'status', op: 'eq', value: 'won' },
          {
            and: [
              { field: 'due', op: 'isNotNull' },
              { field: 'name', op: 'contains', value: 'N1' },
            ],
          },
        ],
      },
      columns: ['d._id', 'name', 'qty', 'amount', 'total', 'due', 'seen'],
    });
    const { tab, answer } = await follow(there, owner, view);
    const ids: string[] = [];
    const orNull = <T>(value: T): T | null => (random() < 0.3 ? null : value);
    const fields = () => ({
      name: `n${Math.floor(random() * 5)}`,
      qty: Math.floor(random() * 5),
      amount: orNull(pick<unknown>(['1.00', '2.5', 3])),
      due: orNull('2026-12-01'),
      seen: orNull('2026-12-01T10:00:00+02:00'),
      status: pick(['open', 'won', 'lost']),
    });
    const partial = () => Object.fromEntries(Object.entries(fields()).filter(() => random() < 0.5));
    for (let i = 0; i < 120; i++) {
      const id = ids.length > 0 ? pick(ids) : '';
      const die = random();
      if (die < 0.3 || !id) ids.push(expectStatus(await owner.post<Row>(rows, { fields: fields() }), 201).id);
      else if (die < 0.75) await owner.patch(`${rows}/${id}`, { fields: partial() });
      else if (die < 0.85) await owner.del(`${rows}/${id}`);
      else if (die < 0.92) await owner.post(`${rows}/${id}/restore`, {});
      else {
        const ops = [0, 1, 2].map(() => ({ op: 'update', id: pick(ids), fields: partial() }));
        await owner.post(`${rows}/bulk`, { mode: 'partial', ops });
      }
    }
    const { meta } = expectStatus(await owner.get<{ meta: { seq: number } }>(`${rows}?limit=1`), 200);
    await upTo(tab, meta.seq);
    gapless(tab, answer);
    const { epoch, seq } = answer;
    const replayed = await follow(here, owner, view, { epoch, seq });
    await upTo(replayed.tab, meta.seq);
    expect(updates(replayed.tab).map(said)).toEqual(updates(tab).map(said));
    const shown = expectStatus(
      await owner.get<{ data: { fields: Record<string, unknown> }[] }>(`/views/${view}/data?limit=1000`),
      200,
    ).data.map((row) => row.fields);
    const copy = fold(updates(tab));
    expect([...copy.values()].sort(byId)).toEqual([...shown].sort(byId));
    expect(copy.size).toBeGreaterThan(3);
  });

  it('says that more changed than an event holds', async () => {
    const at = await world(here.base);
    const { owner, table } = at;
    const view = await viewOf(at, { source: { table: table.id } });
    const { tab, answer } = await follow(here, owner, view);
    const ops = Array.from({ length: 201 }, (_, n) => ({ op: 'create', fields: { name: `Row ${n}` } }));
    expectStatus(await owner.post(`/tables/${table.id}/rows/bulk`, { ops }), 200);
    await upTo(tab, answer.seq + 1);
    expect(updates(tab)[0]).toMatchObject({ prev: answer.seq, invalidated: true, cause: { kind: 'size' } });
    expect(updates(tab)[0]).not.toHaveProperty('created');
  });
});

describe('the channel of a view that more has a say in', () => {
  it('says that it is to be read again, and which table was written to; whoever missed that reads again', async () => {
    const at = await world(here.base);
    const { owner, table } = at;
    const view = await viewOf(at, {
      source: { table: table.id },
      groupBy: [{ field: 'status' }],
      aggregates: [{ as: 'n', fn: 'count' }],
    });
    const { tab, answer } = await follow(there, owner, view);
    expect(answer).toMatchObject({ ok: true, mode: 'live' });
    const { epoch, seq } = answer;
    await Promise.all([1, 2, 3].map((n) => owner.post(`/tables/${table.id}/rows`, { fields: { name: `Row ${n}` } })));
    await upTo(tab, seq + 3);
    expect(updates(tab)[0]).toMatchObject({
      epoch,
      prev: seq,
      invalidated: true,
      cause: { kind: 'tables', tables: [table.id] },
    });
    for (const [i, each] of updates(tab).entries()) expect(each.prev).toBe(i === 0 ? seq : updates(tab)[i - 1]?.seq);
    expect((await follow(here, owner, view, { epoch, seq: seq + 3 })).answer).toMatchObject({ mode: 'live' });
    expect((await follow(here, owner, view, { epoch, seq })).answer).toMatchObject({
      mode: 'reset',
      reason: 'changes_gone',
      seq: seq + 3,
    });
  });

  it('says so, too, when rows are written that only its filter asks for, behind links', async () => {
    const at = await world(here.base);
    const { owner, table, base } = at;
    const columns = [{ name: 'Word', type: 'text' }];
    const words = expectStatus(await owner.post<Table>(`/bases/${base.id}/tables`, { name: 'Words', columns }), 201);
    const link = { name: 'Words', type: 'link', options: { tableId: words.id } };
    expectStatus(await owner.post(`/tables/${table.id}/columns`, link), 201);
    const where = { field: 'word', op: 'eq', value: 'yes' };
    const view = await viewOf(at, { source: { table: table.id }, columns: ['name'], filter: { link: 'words', where } });
    const { tab, answer } = await follow(there, owner, view);
    expect(answer).toMatchObject({ ok: true, mode: 'live' });
    expectStatus(await owner.post(`/tables/${words.id}/rows`, { fields: { word: 'yes' } }), 201);
    await waitFor(() => updates(tab).length > 0);
    expect(updates(tab)[0]).toMatchObject({ invalidated: true });
    tab.close();
  });

  it('follows an object of another database as far as it is changed through here, and never claims to know the past', async () => {
    const at = await world(here.base);
    const { owner, workspace } = at;
    const { host, port, database, username, password } = (await databases({ migrated: false })).main;
    await asSuperuser(database, (db) =>
      db.query('set role live_tables; create table notes (id int primary key, body text)'),
    );
    const connection = {
      name: 'Shop',
      engine: 'postgresql',
      host,
      port,
      database,
      username,
      password,
      access: 'read-write',
    };
    const { id } = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${workspace.id}/connections`, connection),
      201,
    );
    const view = await viewOf(at, { source: { connection: id, object: 'public.notes' } });
    const { tab, answer } = await follow(there, owner, view);
    expect(answer).toMatchObject({ ok: true, mode: 'live' });
    const body = { object: 'public.notes', op: 'insert', values: { id: 1, body: 'secret words' } };
    expectStatus(await owner.post(`/connections/${id}/mutate`, body), 200);
    await waitFor(() => updates(tab).length > 0);
    expect(updates(tab)[0]).toMatchObject({
      invalidated: true,
      cause: { kind: 'object', object: `${id}:public.notes` },
    });
    expect(JSON.stringify(tab.events)).not.toContain('secret');
    const { epoch, seq } = answer;
    expect((await follow(here, owner, view, { epoch, seq })).answer).toMatchObject({
      mode: 'reset',
      reason: 'changes_gone',
    });
    const timed = await viewOf(at, {
      source: { table: at.table.id },
      filter: { field: 'due', op: 'gte', value: { $today: true } },
    });
    const now = await follow(here, owner, timed);
    expect(now.answer).toMatchObject({ mode: 'live' });
    expect((await follow(here, owner, timed, now.answer)).answer).toMatchObject({
      ok: false,
      error: { code: 'validation_failed' },
    });
    const from = { epoch: now.answer.epoch, seq: now.answer.seq };
    expect((await follow(here, owner, timed, from)).answer).toMatchObject({ mode: 'reset', reason: 'changes_gone' });
  });
});

describe('the life of a view that is followed', () => {
  it('tells that it was renamed; when it shows something else, everybody reads again', async () => {
    const at = await world(here.base);
    const { owner, table } = at;
    const view = await viewOf(at, { source: { table: table.id }, columns: ['name'] });
    const { tab, answer } = await follow(there, owner, view);
    expectStatus(await owner.patch(`/views/${view}`, { name: 'Renamed' }), 200);
    const told = await tab.until(({ name }) => name === 'view:update');
    expect(told.payload).toMatchObject({
      channel: `view:${view}`,
      name: 'Renamed',
      version: 2,
      updatedBy: owner.user.id,
    });
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'Acme' } }), 201);
    await upTo(tab, answer.seq + 1);
    expect(tab.payloads('control')).toEqual([]);
    expectStatus(
      await owner.patch(`/views/${view}`, { definition: { source: { table: table.id }, columns: ['qty'] } }),
      200,
    );
    await control(tab, 'reset');
    expect(tab.payloads('view:update')).toHaveLength(2);
    const { epoch, seq } = answer;
    const late = await follow(here, owner, view, { epoch, seq });
    expect(late.answer).toMatchObject({ mode: 'reset', reason: 'epoch_changed' });
    const again = await tab.ask<Subscribed>('subscribe', { channel: `view:${view}` });
    expect(again).toMatchObject({ mode: 'live' });
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'Globex', qty: 5 } }), 201);
    await upTo(tab, again.seq + 1);
    expect(updates(tab).at(-1)?.created).toMatchObject([{ fields: { qty: 5 } }]);
  });

  it('says why it cannot be read any more, and is refused until it can', async () => {
    const at = await world(here.base);
    const { owner, table } = at;
    const column = expectStatus(
      await owner.post<{ id: string }>(`/tables/${table.id}/columns`, { name: 'Stage', type: 'text' }),
      201,
    );
    const view = await viewOf(at, { source: { table: table.id }, columns: ['name', 'stage'] });
    const { tab } = await follow(there, owner, view);
    expectStatus(await owner.del(`/tables/${table.id}/columns/${column.id}`), 204);
    await control(tab, 'reset');
    expect(tab.payloads('view:update')).toMatchObject([{ version: 1, problem: { code: 'view_broken' } }]);
    expect((await follow(here, owner, view)).answer).toMatchObject({ ok: false, error: { code: 'view_broken' } });
    const other = await viewOf(at, { source: { table: table.id }, columns: ['name'] });
    const followed = await follow(there, owner, other);
    expectStatus(await owner.del(`/tables/${table.id}`), 204);
    await control(followed.tab, 'reset');
    expect(followed.tab.payloads('view:update')).toMatchObject([{ version: 1, problem: { code: 'view_broken' } }]);
  });

  it('ends for those who do not see it any more, and is the same 404 for them as one that there is not', async () => {
    const at = await world(here.base);
    const { owner, workspace, table } = at;
    const bob = await member(at, 'editor');
    const definition = { source: { table: table.id } };
    const body = { name: 'Bobs', definition };
    const { id } = expectStatus(await bob.post<{ id: string }>(`/workspaces/${workspace.id}/views`, body), 201);
    const [his, others] = [await follow(here, bob, id), await follow(there, owner, id)];
    expect(others.answer).toMatchObject({ mode: 'live' });
    expectStatus(await bob.patch(`/views/${id}`, { visibility: 'private', name: 'Secret plan' }), 200);
    await control(others.tab, 'revoked');
    await his.tab.until(({ name }) => name === 'view:update');
    expectStatus(await bob.post(`/tables/${table.id}/rows`, { fields: { name: 'Acme' } }), 201);
    await upTo(his.tab, his.answer.seq + 1);
    expect(others.tab.events.map(({ name }) => name)).toEqual(['control']);
    expectStatus(await bob.del(`/views/${id}`), 204);
    await control(his.tab, 'revoked');
    const nowhere = { ok: false, error: { code: 'not_found' } };
    expect((await follow(here, owner, id)).answer).toMatchObject(nowhere);
    expect((await follow(here, owner, table.id)).answer).toMatchObject(nowhere);
    const shown = await viewOf(at, definition);
    expect((await follow(here, await signup(here.base), shown)).answer).toMatchObject(nowhere);
  });
});

const byId = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  String(a._id) < String(b._id) ? -1 : 1;

/** What a client would hold. */
function fold(events: readonly Update[]): Map<string, Record<string, unknown>> {
  const copy = new Map<string, Record<string, unknown>>();
  for (const { created, entered, updated, deleted, left } of events) {
    for (const { id, fields } of [...created, ...entered]) copy.set(id, { ...fields });
    for (const { id, fields } of updated) {
      expect(copy.has(id)).toBe(true);
      copy.set(id, { ...copy.get(id), ...fields });
    }
    for (const id of [...deleted.map((row) => row.id), ...left]) expect(copy.delete(id)).toBe(true);
  }
  return copy;
}
