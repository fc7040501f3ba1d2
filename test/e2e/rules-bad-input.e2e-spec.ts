import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, socket, type Column, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';
import { code, dealsIn, member, OPEN, putRules, type MemberOf, type Rules } from '../support/rules.js';

const fixture = rowsFixture();
const { newTable, add } = fixture;

let editor: MemberOf;
beforeAll(async () => {
  editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
});

const names = async (table: Table): Promise<unknown[]> =>
  expectStatus(await editor.get<Page>(`${path(table)}?sort=name`), 200).data.map(({ fields }) => fields.name);
const problems = async (table: Table) =>
  expectStatus(await fixture.owner.get<Rules>(`/tables/${table.id}/rules`), 200).problems;
const columnId = ({ columns }: Table, key: string): string => columns.find((column) => column.key === key)?.id ?? '';

async function convert(table: Table, key: string, to: object): Promise<void> {
  const at = `/tables/${table.id}/columns/${columnId(table, key)}/convert`;
  const { owner } = fixture;
  const { confirmToken } = expectStatus(await owner.post<{ confirmToken: string }>(at, { to, dryRun: true }), 200);
  expectStatus(await owner.post(at, { to, confirmToken }), 200);
}

describe('a rule whose filter speaks of a column that holds something else by now', () => {
  it('closes, and says so, also where the filter could be read in another way', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Rank', type: 'decimal', options: { scale: 0 } },
    ]);
    for (const rank of [9, 10, 200]) await add(table, { name: `r${rank}`, rank: String(rank) });
    await putRules(fixture.owner, table, {
      ...{ name: 'from ten on', read: { filter: { field: 'rank', op: 'gte', value: '10' } } },
    });
    expect(await names(table)).toEqual(['r10', 'r200']);
    // As texts, "9" stands behind "10".
    await convert(table, 'rank', { type: 'text' });
    expect(await names(table)).toEqual([]);
    expect(await problems(table)).toMatchObject([{ pointer: '/rules/0/read/filter' }]);
    await convert(table, 'rank', { type: 'decimal', options: { scale: 0 } });
    expect(await names(table)).toEqual(['r10', 'r200']);
    expect(await problems(table)).toEqual([]);
  });

  it('closes where a formula makes something else of the same type of column, and opens when it is put again', async () => {
    const { owner } = fixture;
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Amount', type: 'decimal', options: { scale: 2 } },
      { name: 'Shown', type: 'formula', options: { formula: '{amount}' } },
    ]);
    for (const amount of ['9.00', '50.00']) await add(table, { name: `r${amount}`, amount });
    const rule = { name: 'not 50', read: { filter: { field: 'shown', op: 'neq', value: '50' } } };
    await putRules(owner, table, rule);
    expect(await names(table)).toEqual(['r9.00']);
    const change = async (formula: string) =>
      expectStatus(
        await owner.patch(`/tables/${table.id}/columns/${columnId(table, 'shown')}`, { options: { formula } }),
        200,
      );
    await change('CONCAT({amount}, "")');
    expect(await names(table)).toEqual([]);
    expect(await problems(table)).toHaveLength(1);
    await change('{amount}');
    expect(await names(table)).toEqual(['r9.00']);
    expectStatus(await owner.patch(`/tables/${table.id}/columns/${columnId(table, 'amount')}`, { name: 'Sum' }), 200);
    expect(await problems(table)).toEqual([]);
    const copy = expectStatus(
      await owner.post<Table>(`/tables/${table.id}/duplicate`, { name: `${table.name} copy` }),
      201,
    );
    expect(await problems(copy)).toEqual([]);
  });

  it('closes where the column lies behind a link', async () => {
    const { owner } = fixture;
    const { table, rows } = await dealsIn(fixture);
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Deals', type: 'link', options: { tableId: table.id } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, link), 201);
    await add(people, { name: 'Ada', deals: [rows[2].id] });
    const where = { field: 'status', op: 'neq', value: 'won' };
    await putRules(owner, people, { name: 'some', read: { filter: { link: 'deals', quantifier: 'some', where } } });
    expect(await names(people)).toEqual(['Ada']);
    await convert(table, 'status', { type: 'text' });
    expect(await names(people)).toEqual([]);
    expect(await problems(people)).toHaveLength(1);
  });
});

describe('that a change of the structure closes rules', () => {
  interface Entry {
    readonly action: string;
    readonly resource: { readonly id: string };
    readonly after: { readonly rules?: readonly string[] } | null;
  }

  it('is told to admins in the audit log, and at once to whoever follows the workspace', async () => {
    const { owner, at, app } = fixture;
    const { table } = await dealsIn(fixture);
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Deals', type: 'link', options: { tableId: table.id } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, link), 201);
    const behind = { field: 'status', op: 'neq', value: 'won' };
    const few = (name: string, value: number) => ({ name, read: { filter: { field: 'qty', op: 'lt', value } } });
    await putRules(owner, table, few('few', 2), { name: 'open', read: { filter: OPEN } }, few('fewer', 1));
    await putRules(owner, people, {
      ...{ name: 'some', read: { filter: { link: 'deals', quantifier: 'some', where: behind } } },
    });
    const tab = await socket(app.base, owner.accessToken);
    await tab.ask('subscribe', { channel: `workspace:${at.workspace.id}` });
    const told = async () => {
      const path = `/workspaces/${at.workspace.id}/audit-logs?action=table.rules_closed&limit=100`;
      const { data } = expectStatus(await owner.get<{ data: readonly Entry[] }>(path), 200);
      return data.flatMap(({ resource: { id }, after }) =>
        [table.id, people.id].includes(id) ? [[id === table.id ? 'table' : 'people', after?.rules]] : [],
      );
    };
    const remove = async (key: string) =>
      expectStatus(await owner.del(`/tables/${table.id}/columns/${columnId(table, key)}`), 204);

    await remove('notes');
    expect(await told()).toEqual([]);
    await remove('qty');
    expect(await told()).toEqual([['table', ['few', 'fewer']]]);
    await tab.until(({ payload }) => JSON.stringify(payload).includes('table.rules_closed'));
    // Once, and not again with each change after it.
    expectStatus(await owner.post(`/tables/${table.id}/columns`, { name: 'More', type: 'text' }), 201);
    expect(await told()).toHaveLength(1);
    await convert(table, 'status', { type: 'text' });
    expect((await told()).sort()).toEqual([
      ['people', ['some']],
      ['table', ['few', 'fewer']],
      ['table', ['open']],
    ]);
    // A table that goes takes along what a rule of another one speaks of.
    expectStatus(await owner.post(`/tables/${table.id}/columns/${columnId(table, 'qty')}/restore`), 200);
    await putRules(owner, people, {
      ...{
        name: 'again',
        read: { filter: { link: 'deals', quantifier: 'some', where: { ...behind, field: 'name' } } },
      },
    });
    expectStatus(await owner.del(`/tables/${table.id}`), 204);
    expect(await told()).toContainEqual(['people', ['again']]);
    tab.close();
  });

  it('is told where their table comes back from the trash and what they speak of is gone by then', async () => {
    const { owner, at } = fixture;
    const { table } = await dealsIn(fixture);
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Deals', type: 'link', options: { tableId: table.id } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, link), 201);
    const where = { field: 'qty', op: 'gt', value: 1 };
    await putRules(owner, people, { name: 'behind', read: { filter: { link: 'deals', quantifier: 'some', where } } }, { name: 'all' }); // prettier-ignore
    const told = async () => {
      const query = `action=table.rules_closed&resourceId=${people.id}`;
      const { data } = expectStatus(await owner.get<{ data: readonly Entry[] }>(`/workspaces/${at.workspace.id}/audit-logs?${query}`), 200); // prettier-ignore
      return data.map(({ after }) => after?.rules);
    };
    expectStatus(await owner.del(`/tables/${people.id}`), 204);
    expectStatus(await owner.post(`/tables/${people.id}/restore`), 200);
    expect([await told(), await problems(people)]).toEqual([[], []]);
    expectStatus(await owner.del(`/tables/${people.id}`), 204);
    expectStatus(await owner.del(`/tables/${table.id}`), 204);
    expectStatus(await owner.post(`/tables/${people.id}/restore`), 200);
    expect(await told()).toEqual([['behind']]);
    expect(await problems(people)).toMatchObject([{ pointer: '/rules/0/read/filter' }]);
  });

  it('is told where a choice goes that they speak of, and once', async () => {
    const { owner, at } = fixture;
    const open = { key: 'open', label: 'Open' };
    const table = await newTable([
      { name: 'Status', type: 'single_select', options: { choices: [{ label: 'Open' }, { label: 'Won' }] } },
    ]);
    const ofStatus = (name: string, value: string) => ({
      name,
      read: { filter: { field: 'status', op: 'eq', value } },
    });
    await putRules(owner, table, ofStatus('open', 'open'), ofStatus('won', 'won'));
    const choices = async (...list: readonly object[]) => {
      const status = `/tables/${table.id}/columns/${columnId(table, 'status')}`;
      expectStatus(await owner.patch(status, { options: { choices: list } }), 200);
      const query = `action=table.rules_closed&resourceId=${table.id}`;
      const { data } = expectStatus(await owner.get<{ data: readonly Entry[] }>(`/workspaces/${at.workspace.id}/audit-logs?${query}`), 200); // prettier-ignore
      return data.map(({ after }) => after?.rules);
    };
    expect(await choices(open)).toEqual([['won']]);
    expect(await problems(table)).toMatchObject([{ pointer: '/rules/1/read/filter' }]);
    expect(await choices(open, { label: 'Lost' })).toHaveLength(1);
    expect(await choices(open, { label: 'Won' })).toHaveLength(1);
    expect(await problems(table)).toEqual([]);
  });

  it('is not told where a computed column is given the options that it has, in whatever order', async () => {
    const { owner, at } = fixture;
    const { table } = await dealsIn(fixture);
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const column = async (body: object): Promise<Column> =>
      expectStatus(await owner.post<Column>(`/tables/${people.id}/columns`, body), 201);
    const { id: linkColumnId } = await column({ name: 'Deals', type: 'link', options: { tableId: table.id } });
    const options = { linkColumnId, columnId: columnId(table, 'qty'), fn: 'sum' };
    const { id } = await column({ name: 'Sum', type: 'rollup', options });
    await putRules(owner, people, { name: 'many', read: { filter: { field: 'sum', op: 'gt', value: 1 } } });
    const patch = async (body: object) =>
      expectStatus(await owner.patch(`/tables/${people.id}/columns/${id}`, body), 200);
    const told = async () => {
      const query = `action=table.rules_closed&resourceId=${people.id}`;
      return expectStatus(await owner.get<{ data: readonly Entry[] }>(`/workspaces/${at.workspace.id}/audit-logs?${query}`), 200).data; // prettier-ignore
    };
    await patch({ name: 'All', options });
    await patch({ name: 'Sum', options: Object.fromEntries(Object.entries(options).reverse()) });
    expect([await told(), await problems(people)]).toEqual([[], []]);
    await patch({ options: { ...options, fn: 'max' } });
    expect([await told(), await problems(people)]).toMatchObject([[{ after: { rules: ['many'] } }], [{}]]);
  });
});

describe('a column that every row needs', () => {
  const NEEDED = [
    { name: 'Name', type: 'text' },
    { name: 'Code', type: 'text', default: 'c' },
  ];

  it('does not become one while a rule lets people make rows who cannot give it', async () => {
    const { owner } = fixture;
    for (const columns of [{ hidden: ['code'] }, { readOnly: ['code'] }]) {
      const table = await newTable(NEEDED);
      await add(table, { code: 'x' });
      const patch = (body: object) => owner.patch(`/tables/${table.id}/columns/${columnId(table, 'code')}`, body);
      await putRules(owner, table, { name: 'no code', columns });
      // With a default nobody has to give it.
      expectStatus(await patch({ required: true }), 200);
      expect(refusal(await patch({ default: null }))).toEqual([422, 'validation_failed', '/default rules_in_the_way']);
      expectStatus(await patch({ required: false, default: null }), 200);
      expect(refusal(await patch({ required: true }))).toEqual([
        422,
        'validation_failed',
        '/required rules_in_the_way',
      ]);
      expectStatus(await editor.post<Row>(path(table), { fields: { name: 'made' } }), 201);
      await putRules(owner, table, { name: 'no code', create: { allow: false }, columns });
      expectStatus(await owner.del(path(table, (await fixture.list(table, 'filter=name.eq.made')).data[0]?.id ?? '')), 204); // prettier-ignore
      expectStatus(await patch({ required: true }), 200);
      expectStatus(await patch({ name: 'The code' }), 200);
    }
  });

  it('is not named to those from whom it is hidden, when it comes out of the trash', async () => {
    const { owner } = fixture;
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Code', type: 'text', required: true },
    ]);
    await add(table, { code: 'x' });
    const hides = { name: 'no code', create: { allow: false }, columns: { hidden: ['code'] } };
    await putRules(owner, table, hides);
    const id = columnId(table, 'code');
    expectStatus(await owner.del(`/tables/${table.id}/columns/${id}`), 204);
    await putRules(owner, table, { ...hides, create: { allow: true } });
    expectStatus(await owner.post(`/tables/${table.id}/columns/${id}/restore`), 200);
    const fields = { name: 'new' };
    const upsert = { op: 'upsert', matchOn: ['name'], fields };
    const refused = [
      await editor.post(path(table), { fields }),
      await editor.post(path(table, 'bulk'), { ops: [{ op: 'create', fields }] }),
      await editor.post(path(table, 'bulk'), { ops: [upsert] }),
      await editor.call('POST', `/tables/${table.id}/import`, 'name\nnew\n', { 'content-type': 'text/csv' }),
    ];
    for (const answer of refused) {
      expect(answer.status).toBe(422);
      expect(answer.text).not.toMatch(/code"?( needs|:"code)|\/code|"column":"code"/);
    }
  });
});

describe('rules in a circle', () => {
  it('of tables that lead to each other are each asked of their own whole tables', async () => {
    const { owner } = fixture;
    const { table, rows } = await dealsIn(fixture);
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const column = async (of: Table, body: object) =>
      expectStatus(await owner.post<Column>(`/tables/${of.id}/columns`, body), 201);
    await column(people, { name: 'Deals', type: 'link', options: { tableId: table.id, inverseName: 'People' } });
    await column(people, { name: 'Kinds', type: 'lookup', options: { linkColumnId: 'deals', columnId: 'status' } });
    await column(table, { name: 'Heads', type: 'lookup', options: { linkColumnId: 'people', columnId: 'name' } });
    await column(table, { name: 'Kinds', type: 'lookup', options: { linkColumnId: 'people', columnId: 'kinds' } });
    await add(people, { name: 'Ada', deals: [rows[0].id, rows[1].id] });
    await add(people, { name: 'Bea', deals: [rows[3].id] });
    await putRules(owner, people, {
      name: 'open',
      read: { filter: { link: 'deals', quantifier: 'some', where: OPEN } },
    });
    const ofAda = { field: 'heads', op: 'hasAny', value: ['Ada'] };
    await putRules(owner, table, { name: 'of Ada', read: { filter: ofAda } });
    expect(await names(people)).toEqual(['Ada']);
    expect(await names(table)).toEqual(['r0', 'r1']);
    const { data } = expectStatus(await editor.get<Page>(`${path(table)}?sort=name&filter=kinds.isNotEmpty`), 200);
    expect(data.map(({ fields }) => [fields.heads, fields.kinds])).toEqual([
      [['Ada'], ['open', 'won']],
      [['Ada'], ['open', 'won']],
    ]);
  });
});

describe('too much', () => {
  it('of rules, keys, members and depth is refused by its place', async () => {
    const { owner } = fixture;
    const table = await newTable([{ name: 'Name', type: 'text' }]);
    const put = (...rules: unknown[]) => owner.call('PUT', `/tables/${table.id}/rules`, { rules });
    const many = Array.from({ length: 1_000 }, (_, i) => ({ name: `r${i}` }));
    expect(code(await put(...many))).toBe('422 validation_failed');
    expectStatus(await put(...many.slice(0, 100)), 200);
    const keys = Array.from({ length: 2_000 }, () => 'name');
    expect(code(await put({ name: 'a', columns: { hidden: keys } }))).toBe('422 validation_failed');
    let filter: object = { field: 'name', op: 'eq', value: 'x' };
    for (let depth = 0; depth < 200; depth++) filter = { not: filter };
    const deep = await put({ name: 'a', read: { filter } });
    expect(deep.status).toBeGreaterThanOrEqual(400);
    expect(deep.status).toBeLessThan(500);
    expect(await problems(table)).toEqual([]);
  });
});
