import { describe, expect, it } from '@jest/globals';
import {
  client,
  expectStatus,
  member,
  sleep,
  socket,
  sql,
  type ProblemBody,
  type Row,
  type Table,
} from '../harness/index.js';
import { path, refusal, rowsFixture } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, bulk, list } = fixture;

interface Event {
  readonly event: 'data:update' | 'schema:update';
  readonly seq: number;
  readonly prev: number;
  readonly created?: readonly Row[];
  readonly updated?: readonly Row[];
  readonly deleted?: readonly { readonly id: string; readonly version: number }[];
  readonly change?: object;
}
interface Changes {
  readonly data: readonly Event[];
  readonly meta: { readonly epoch: string; readonly seq: number; readonly oldest: number };
}
const changes = (table: Table, query = '', who = fixture.owner) =>
  who.get<Changes & ProblemBody>(`/tables/${table.id}/changes?${query}`);
async function all(table: Table, limit: number): Promise<Event[]> {
  const events: Event[] = [];
  for (;;) {
    const { data } = expectStatus(await changes(table, `after=${events.at(-1)?.seq ?? 0}&limit=${limit}`), 200);
    if (data.length === 0) return events;
    expect(data.length).toBeLessThanOrEqual(limit);
    events.push(...data);
  }
}

describe('the change log of a table', () => {
  it.each(['after=', 'after=0x10', 'after=1e1', 'after=+1', 'after=1.5', 'limit=0x10', 'limit=', 'wait=', 'wait=%205'])(
    'takes numbers in digits only: %s is 422',
    async (query) => {
      const pointer = `/${query.split('=')[0] ?? ''}`;
      expect(refusal(await changes(await newTable(), query))).toEqual([422, 'validation_failed', `${pointer} is_int`]);
    },
  );

  it('is the live events, whole and without a gap, and makes the table anew from nothing', async () => {
    const table = await newTable();
    const listener = await socket(fixture.app.base, fixture.owner.token);
    await listener.ask('subscribe', { channel: `table:${table.id}` });
    const row = await add(table, { qty: 1 });
    expectStatus(
      await fixture.owner.patch(path(table, row.id), { fields: { qty: 2, notes: 'x' } }, { 'x-client-id': 'me' }),
      200,
    );
    const ops = Array.from({ length: 500 }, (_, i) => ({
      op: 'create',
      fields: { name: `n${i}`, notes: 'long '.repeat(40) },
    }));
    const { results } = expectStatus(await bulk(table, ops), 200);
    expectStatus(await fixture.owner.del(path(table, row.id)), 204);
    expectStatus(
      await fixture.owner.post(`/tables/${table.id}/columns`, { name: 'More', type: 'text', default: 'd' }),
      201,
    );
    expectStatus(await fixture.owner.post(path(table, row.id, 'restore')), 200);
    expectStatus(await fixture.owner.del(path(table, results[0]?.id ?? '')), 204);

    const events = await all(table, 3);
    expect(events.map(({ seq, prev, event }) => [seq, prev, event])).toEqual([
      [1, 0, 'data:update'],
      [2, 1, 'data:update'],
      [3, 2, 'data:update'],
      [4, 3, 'data:update'],
      [5, 4, 'schema:update'],
      [6, 5, 'data:update'],
      [7, 6, 'data:update'],
    ]);
    expect(events[2]?.created).toHaveLength(500);
    expect(events[4]?.change).toMatchObject({ 'column.created': { key: 'more', default: 'd' } });
    const rows = new Map<string, { version: number; fields: object }>();
    for (const { event, created, updated, deleted } of events) {
      if (event === 'schema:update') for (const held of rows.values()) Object.assign(held.fields, { more: 'd' });
      for (const { id, version, fields } of created ?? []) rows.set(id, { version, fields: { ...fields } });
      for (const { id, version, fields } of updated ?? [])
        rows.set(id, { version, fields: { ...rows.get(id)?.fields, ...fields } });
      for (const { id } of deleted ?? []) rows.delete(id);
    }
    const { data, meta } = await list(table, 'limit=1000');
    expect(new Map(data.map(({ id, version, fields }) => [id, { version, fields }]))).toEqual(
      new Map([...rows].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    );
    expect(meta.seq).toBe(7);
    await listener.until(({ payload }) => (payload as Event).seq === 7);
    const live = listener.payloads<Event>('data:update').find(({ seq }) => seq === 2);
    expect(events[1]).toEqual({ event: 'data:update', ...live });
  });

  it('says where it stands, and is empty behind its end', async () => {
    const table = await newTable();
    const { epoch } = (await list(table)).meta;
    expect(expectStatus(await changes(table), 200)).toEqual({ data: [], meta: { epoch, seq: 0, oldest: 1 } });
    await add(table, {});
    expect(expectStatus(await changes(table, 'after=1'), 200)).toEqual({
      data: [],
      meta: { epoch, seq: 1, oldest: 1 },
    });
    expect(expectStatus(await changes(table, 'limit=5000'), 200).data).toHaveLength(1);
  });

  it('tells of what is no longer kept, or never was', async () => {
    const table = await newTable();
    for (const qty of [1, 2, 3]) await add(table, { qty });
    await sql(
      fixture.app.config.miniDb,
      `delete from "${table.physical.schema}"._change where table_id = $1 and seq < 3`,
      [table.id],
    );
    const gone = await changes(table, 'after=1');
    expect(refusal(gone)).toEqual([410, 'changes_gone']);
    expect(gone.body.meta).toMatchObject({ seq: 3, oldest: 3 });
    expect(expectStatus(await changes(table, 'after=2'), 200).data.map(({ seq }) => seq)).toEqual([3]);
    expect(refusal(await changes(table, 'after=4'))).toEqual([410, 'changes_gone']);
  });

  it.each(['after=-1', 'after=x', 'after=1.5', 'limit=0', 'limit=x', 'wait=31', 'wait=-1', 'until=3'])(
    'refuses %s',
    async (query) => {
      expect(refusal(await changes(fixture.at.table, query)).slice(0, 2)).toEqual([422, 'validation_failed']);
    },
  );

  it('answers whoever waits with the next change, made on either node', async () => {
    const table = await newTable();
    const node = fixture.onEitherNode();
    for (const i of [0, 1]) {
      const waiting = node(0).get<Changes>(`/tables/${table.id}/changes?after=${i}&wait=25`);
      await sleep(100);
      expectStatus(await node(i).post(path(table), { fields: { name: `n${i}` } }), 201);
      expect(expectStatus(await waiting, 200).data.map(({ seq }) => seq)).toEqual([i + 1]);
    }
    const nothing = expectStatus(await changes(table, 'after=2&wait=1'), 200);
    expect(nothing).toMatchObject({ data: [], meta: { seq: 2 } });
  });

  it('is not for those who are no longer members, also when they began to wait before', async () => {
    const table = await newTable();
    const viewer = await member(fixture.at, 'viewer');
    expectStatus(await changes(table, '', viewer), 200);
    const waiting = changes(table, 'wait=30', viewer);
    await sleep(100);
    const members = `/workspaces/${fixture.at.workspace.id}/members`;
    const { data } = expectStatus(
      await fixture.owner.get<{ data: { id: string; user: { id: string } }[] }>(members),
      200,
    );
    const id = data.find(({ user }) => user.id === viewer.user.id)?.id ?? '';
    expectStatus(await fixture.owner.del(`${members}/${id}`), 204);
    expect(refusal(await waiting)).toEqual([404, 'not_found']);
    const other = await member(fixture.at, 'viewer');
    const long = changes(table, 'wait=30', other);
    await sleep(100);
    expectStatus(await client(fixture.app.base, other.token).post('/auth/logout'), 204);
    expect((await long).status).toBe(401);
  });
});
