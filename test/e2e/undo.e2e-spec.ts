import { describe, expect, it } from '@jest/globals';
import { expectStatus, member, type Person, type ProblemBody, type Row, type Table } from '../harness/index.js';
import { path, rowsFixture } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable } = fixture;

interface Undone {
  readonly rows: number;
  readonly conflicts: readonly { readonly code: string; readonly column?: { readonly key: string } }[];
  readonly changeSet: string;
  readonly revertOf: string;
  readonly left: { readonly undo: number; readonly redo: number };
}

const NAME = { name: 'Name', type: 'text' };
const QTY = { name: 'Qty', type: 'integer' };

/** One person with one tab. */
function tabOf(person: Person, table: Table, clientId?: string) {
  const headers: Record<string, string> = clientId === undefined ? {} : { 'x-client-id': clientId };
  const rows = `/tables/${table.id}/rows`;
  return {
    make: async (fields: object) => expectStatus(await person.post<Row>(rows, { fields }, headers), 201),
    change: async (id: string, fields: object) =>
      expectStatus(await person.patch<Row>(`${rows}/${id}`, { fields }, headers), 200),
    remove: async (id: string) => expectStatus(await person.del(`${rows}/${id}`, headers), 204),
    bulk: async (ops: object[]) => expectStatus(await person.post(`${rows}/bulk`, { ops }, headers), 200),
    try: (what: 'undo' | 'redo', body: object = {}, more: Record<string, string> = {}) =>
      person.post<Undone & ProblemBody>(`/tables/${table.id}/${what}`, body, { ...headers, ...more }),
    undo: async (body: object = {}) =>
      expectStatus(await person.post<Undone>(`/tables/${table.id}/undo`, body, headers), 200),
    redo: async () => expectStatus(await person.post<Undone>(`/tables/${table.id}/redo`, {}, headers), 200),
  };
}
const shown = async (table: Table) => {
  const { data } = expectStatus(
    await fixture.at.owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows?sort=name`),
    200,
  );
  return data.map(({ fields }) => fields);
};

describe('undo and redo of one’s own changes', () => {
  it('take back act by act, and do it again, until something else is changed', async () => {
    const table = await newTable([NAME, QTY]);
    const tab = tabOf(fixture.at.owner, table, 'tab-1');
    const row = await tab.make({ name: 'a', qty: 1 });
    await tab.change(row.id, { qty: 2 });
    await tab.bulk([
      { op: 'create', fields: { name: 'b' } },
      { op: 'create', fields: { name: 'c' } },
      { op: 'update', id: row.id, fields: { qty: 3 } },
    ]);
    await tab.remove(row.id);
    expect(await tab.undo()).toMatchObject({ rows: 1, conflicts: [], left: { undo: 3, redo: 1 } });
    expect(await shown(table)).toEqual([
      { name: 'a', qty: 3 },
      { name: 'b', qty: null },
      { name: 'c', qty: null },
    ]);
    expect(await tab.undo()).toMatchObject({ rows: 3, conflicts: [], left: { undo: 2, redo: 2 } });
    expect(await shown(table)).toEqual([{ name: 'a', qty: 2 }]);
    await tab.undo();
    await tab.undo();
    expect(await shown(table)).toEqual([]);
    expect(await tab.try('undo')).toMatchObject({ status: 409, body: { code: 'nothing_to_undo' } });
    for (let i = 0; i < 4; i++) await tab.redo();
    expect(await shown(table)).toEqual([
      { name: 'b', qty: null },
      { name: 'c', qty: null },
    ]);
    expect(await tab.try('redo')).toMatchObject({ status: 409, body: { code: 'nothing_to_redo' } });
    expect(await tab.undo()).toMatchObject({ left: { undo: 3, redo: 1 } });
    expect(await shown(table)).toEqual([
      { name: 'a', qty: 3 },
      { name: 'b', qty: null },
      { name: 'c', qty: null },
    ]);
    await tab.change(row.id, { name: 'd' });
    expect(await tab.try('redo')).toMatchObject({ status: 409, body: { code: 'nothing_to_redo' } });
    await tab.undo();
    expect((await shown(table)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    const { data } = expectStatus(
      await fixture.at.owner.get<{ data: { source: string; revertOf: string | null }[] }>(
        `/tables/${table.id}/history?limit=1`,
      ),
      200,
    );
    expect(data[0]).toMatchObject({ source: 'undo', revertOf: expect.any(String) });
  });

  it('are of one person and one client, whoever else writes', async () => {
    const table = await newTable([NAME, QTY]);
    const { owner } = fixture.at;
    const bob = await member(fixture.at, 'editor');
    const [first, second, none] = [tabOf(owner, table, 'tab-1'), tabOf(owner, table, 'tab-2'), tabOf(owner, table)];
    const his = tabOf(bob, table, 'tab-1');
    await first.make({ name: 'first' });
    await second.make({ name: 'second' });
    await none.make({ name: 'none' });
    expect(await his.try('undo')).toMatchObject({ status: 409, body: { code: 'nothing_to_undo' } });
    await his.make({ name: 'his' });
    await first.undo();
    expect((await shown(table)).map(({ name }) => name)).toEqual(['his', 'none', 'second']);
    await none.undo();
    expect((await shown(table)).map(({ name }) => name)).toEqual(['his', 'second']);
    await second.undo();
    await his.undo();
    expect(await shown(table)).toEqual([]);
  });

  it('leave what others have changed since, and say so; the act can be passed over', async () => {
    const table = await newTable([NAME, QTY]);
    const [tab, his] = [tabOf(fixture.at.owner, table, 'a'), tabOf(await member(fixture.at, 'editor'), table, 'b')];
    const row = await tab.make({ name: 'one', qty: 1 });
    await tab.change(row.id, { qty: 2 });
    await tab.change(row.id, { name: 'two', qty: 3 });
    await his.change(row.id, { qty: 50 });
    const half = await tab.undo();
    expect(half).toMatchObject({ rows: 1, conflicts: [{ code: 'changed_since', column: { key: 'qty' } }] });
    expect(await shown(table)).toEqual([{ name: 'one', qty: 50 }]);
    const stuck = await tab.undo();
    expect(stuck).toMatchObject({ rows: 0, conflicts: [{ code: 'changed_since' }], left: { undo: 2, redo: 1 } });
    expect(await shown(table)).toEqual([{ name: 'one', qty: 50 }]);
    // He made it, and somebody else has written into it: it stays.
    const made = await tab.undo({ skip: [stuck.revertOf] });
    expect(made).toMatchObject({ rows: 0, conflicts: [{ code: 'changed_since' }] });
    expect(await tab.try('undo', { skip: [stuck.revertOf, made.revertOf] })).toMatchObject({ status: 409 });
    expect(await tab.try('undo', { skip: ['x'] })).toMatchObject({ status: 422 });
    expect(await tab.try('undo', { all: true })).toMatchObject({ status: 422 });
    expect(await shown(table)).toEqual([{ name: 'one', qty: 50 }]);
  });

  it('take back two acts when they are asked for twice at once, and one when a request is repeated', async () => {
    const table = await newTable([NAME]);
    const tab = tabOf(fixture.at.owner, table, 'hasty');
    for (const name of ['a', 'b', 'c', 'd']) await tab.make({ name });
    const both = await Promise.all([tab.undo(), tab.undo()]);
    expect(both.map(({ rows }) => rows)).toEqual([1, 1]);
    expect((await shown(table)).map(({ name }) => name)).toEqual(['a', 'b']);
    const key = { 'idempotency-key': 'once' };
    const [one, again] = [await tab.try('undo', {}, key), await tab.try('undo', {}, key)];
    expect([one.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(one.body);
    expect((await shown(table)).map(({ name }) => name)).toEqual(['a']);
  });

  it('take links back at both ends', async () => {
    const companies = await newTable([NAME]);
    const table = await newTable([NAME, { name: 'Company', type: 'link', options: { tableId: companies.id } }]);
    const tab = tabOf(fixture.at.owner, table, 'linker');
    const acme = await tabOf(fixture.at.owner, companies, 'other').make({ name: 'Acme' });
    const deal = await tab.make({ name: 'deal' });
    await tab.change(deal.id, { company: [acme.id] });
    await tab.undo();
    const read = async () =>
      expectStatus(await fixture.at.owner.get<Row>(`${path(table)}/${deal.id}`), 200).fields.company;
    expect(await read()).toEqual([]);
    await tab.redo();
    expect(await read()).toEqual([acme.id]);
  });
});
