import { describe, expect, it } from '@jest/globals';
import { expectStatus, type Column, type Row, type Table } from '../harness/index.js';
import { loggedChanges } from '../support/changes.js';
import { path, rowsFixture, seq } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, bulk } = fixture;

const NAME = { name: 'Name', type: 'text' };
const column = async ({ id }: Table, body: object): Promise<Column> =>
  expectStatus(await fixture.owner.post<Column>(`/tables/${id}/columns`, body), 201);
const fresh = async ({ id }: Table): Promise<Table> =>
  expectStatus(await fixture.owner.get<Table>(`/tables/${id}`), 200);
const row = async (table: Table, id: string): Promise<Row> =>
  expectStatus(await fixture.owner.get<Row>(path(table, id)), 200);
const patch = async (table: Table, id: string, fields: object): Promise<Row> =>
  expectStatus(await fixture.owner.patch<Row>(path(table, id), { fields }), 200);
const rowsOf = async (table: Table, ops: readonly object[]): Promise<Row[]> =>
  expectStatus(await bulk(table, ops), 200).results.flatMap(({ row: answered }) => answered ?? []);
const created = async (table: Table, id: string): Promise<unknown> =>
  (await loggedChanges(fixture.app.config.miniDb, table)).find(({ op, rowId }) => op === 'create' && rowId === id)
    ?.after;

/** Expects that answers say of their rows what a read says. */
async function expectAsRead(table: Table, answered: readonly Row[]): Promise<void> {
  for (const each of answered) expect(each).toEqual(await row(table, each.id));
}

/** People of companies, which sum up their pay; each person shows the sum and the colleagues. */
async function staff() {
  const companies = await newTable([NAME]);
  const people = await newTable([NAME, { name: 'Pay', type: 'integer' }]);
  const options = { tableId: companies.id, inverseName: 'Staff' };
  await column(people, { name: 'Company', type: 'link', options });
  await column(companies, {
    name: 'Payroll',
    type: 'rollup',
    options: { linkColumnId: 'staff', columnId: 'pay', fn: 'sum' },
  });
  await column(companies, { name: 'Names', type: 'lookup', options: { linkColumnId: 'staff', columnId: 'name' } });
  for (const key of ['payroll', 'names'])
    await column(people, { name: `All ${key}`, type: 'lookup', options: { linkColumnId: 'company', columnId: key } });
  return { companies: await fresh(companies), people: await fresh(people) };
}

/** Things that have things above and below them. */
async function tree(): Promise<Table> {
  const things = await newTable([NAME]);
  const options = { tableId: things.id, multiple: false, inverseName: 'Below' };
  await column(things, { name: 'Above', type: 'link', options });
  await column(things, { name: 'Boss', type: 'lookup', options: { linkColumnId: 'above', columnId: 'name' } });
  await column(things, {
    name: 'Team',
    type: 'rollup',
    options: { linkColumnId: 'below', columnId: 'name', fn: 'concat' },
  });
  return fresh(things);
}

describe('the answer to a write', () => {
  it('shows what is computed from links as it is after the write: from links that it makes', async () => {
    const { companies, people } = await staff();
    const company = await add(companies, { name: 'ACME' });
    const ann = await add(people, { name: 'Ann', pay: 5, company: company.id });
    expect(ann.fields).toMatchObject({ all_payroll: ['5'], all_names: ['Ann'] });
    const bob = await add(people, { name: 'Bob', pay: 7, company: company.id });
    expect(bob.fields).toMatchObject({ all_payroll: ['12'], all_names: ['Ann', 'Bob'] });
    await expectAsRead(people, [bob]);
    await expectAsRead(people, [await patch(people, bob.id, { company: null })]);
    await expectAsRead(companies, [await patch(companies, company.id, { staff: [bob.id], name: 'New' })]);
  });

  it('… and from values of its own that lead back to it', async () => {
    const { companies, people } = await staff();
    const company = await add(companies, { name: 'ACME' });
    const ann = await add(people, { name: 'Ann', pay: 5, company: company.id });
    const changed = await patch(people, ann.id, { pay: 6 });
    expect(changed.fields).toMatchObject({ pay: 6, all_payroll: ['6'] });
    await expectAsRead(people, [changed]);
    await expectAsRead(people, [await patch(people, ann.id, { name: 'Anna', pay: null })]);
  });

  it('… and from other rows of the same call, changed, as they were, or gone', async () => {
    const { companies, people } = await staff();
    const company = await add(companies, { name: 'ACME' });
    const [a, b, c] = [
      await add(people, { name: 'a', pay: 1, company: company.id }),
      await add(people, { name: 'b', pay: 2, company: company.id }),
      await add(people, { name: 'c', pay: 4, company: company.id }),
    ];
    const plain = await rowsOf(people, [
      { op: 'update', id: a.id, fields: { pay: 1 } },
      { op: 'update', id: b.id, fields: { pay: 10 } },
      { op: 'create', fields: { name: 'alone', pay: 3 } },
    ]);
    expect(plain.map(({ fields }) => fields.all_payroll)).toEqual([['15'], ['15'], []]);
    await expectAsRead(people, plain);
    const mixed = await rowsOf(people, [
      { op: 'delete', id: c.id },
      { op: 'update', id: a.id, fields: { name: 'A' } },
      { op: 'create', fields: { name: 'd', pay: 100, company: company.id } },
      { op: 'update', id: b.id, fields: { pay: 20 } },
    ]);
    expect(mixed.map(({ fields }) => fields.all_payroll)).toEqual([['121'], ['121'], ['121']]);
    await expectAsRead(people, mixed);
  });

  it('… and from rows of an upsert, found or new', async () => {
    const { companies, people } = await staff();
    const company = await add(companies, { name: 'ACME' });
    const upsert = (name: string, fields: object) => ({ op: 'upsert', matchOn: ['name'], fields: { name, ...fields } });
    const made = await rowsOf(people, [
      upsert('a', { pay: 1, company: company.id }),
      upsert('b', { pay: 2, company: company.id }),
    ]);
    expect(made.map(({ fields }) => fields.all_payroll)).toEqual([['3'], ['3']]);
    const found = await rowsOf(people, [upsert('a', { pay: 10 }), upsert('b', { pay: 20 })]);
    expect(found.map(({ fields }) => fields.all_payroll)).toEqual([['30'], ['30']]);
    await expectAsRead(people, found);
  });

  it('… and in a table that is linked with itself', async () => {
    const things = await tree();
    const root = await add(things, { name: 'root' });
    const leaf = await add(things, { name: 'leaf', above: root.id });
    expect(leaf.fields).toMatchObject({ boss: 'root', team: null });
    const both = await rowsOf(things, [
      { op: 'update', id: root.id, fields: { name: 'Root' } },
      { op: 'update', id: leaf.id, fields: { name: 'Leaf' } },
    ]);
    expect(both.map(({ fields }) => [fields.boss, fields.team])).toEqual([
      [null, 'Leaf'],
      ['Root', null],
    ]);
    const alone = await patch(things, leaf.id, { name: 'me', above: leaf.id });
    expect(alone.fields).toMatchObject({ boss: 'me', team: 'me' });
    expect((await patch(things, leaf.id, { name: 'still me' })).fields).toMatchObject({ boss: 'still me' });
    const adopting = await patch(things, root.id, { below: [leaf.id] });
    expect(adopting.fields.team).toBe('still me');
    await expectAsRead(things, [adopting]);
  });

  it.each(['first', 'second'] as const)(
    '… and the times of linked rows, which change with the link, in the %s of two tables',
    async (place) => {
      const [first, second] = [await newTable([NAME]), await newTable([NAME])];
      const [own, other] = place === 'first' ? [first, second] : [second, first];
      await column(own, { name: 'Other', type: 'link', options: { tableId: other.id } });
      await column(other, { name: 'Changed', type: 'updated_at' });
      await column(own, { name: 'Seen', type: 'lookup', options: { linkColumnId: 'other', columnId: 'changed' } });
      const [here, there] = [await fresh(own), await fresh(other)];
      const target = await add(there, {});
      const made = await add(here, { other: target.id });
      expect((await row(there, target.id)).version).toBe(2);
      await expectAsRead(here, [made]);
      await expectAsRead(here, [await patch(here, made.id, { other: null })]);
      await expectAsRead(here, [await patch(here, made.id, { other: [target.id] })]);
    },
  );

  it('says the same as the change log of what was made', async () => {
    const { companies, people } = await staff();
    const company = await add(companies, { name: 'ACME' });
    const [ann, bob] = await rowsOf(
      people,
      ['Ann', 'Bob'].map((name) => ({ op: 'create', fields: { name, pay: 5, company: company.id } })),
    );
    expect(ann?.fields.all_payroll).toEqual(['10']);
    expect(await created(people, ann?.id ?? '')).toEqual(ann?.fields);
    expect(await created(people, bob?.id ?? '')).toEqual(bob?.fields);
    await fixture.proveLog(people);
  });

  it('shows, in the last of many at once, what all of them came to', async () => {
    const { companies, people } = await staff();
    const company = await add(companies, { name: 'ACME' });
    const made = await rowsOf(
      people,
      Array.from({ length: 20 }, (_, i) => ({ op: 'create', fields: { name: `p${i}`, pay: 0, company: company.id } })),
    );
    const answers = await Promise.all(
      made.map(({ id }) => fixture.owner.patch<Row>(path(people, id), { fields: { pay: 1 } })),
    );
    const last = answers.toSorted((a, b) => seq(a) - seq(b)).at(-1);
    expect(last?.body.fields.all_payroll).toEqual(['20']);
  });
});
