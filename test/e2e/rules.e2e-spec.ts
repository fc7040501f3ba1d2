import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  expectStatus,
  socket,
  waitFor,
  type Client,
  type Column,
  type Row,
  type SocketEvent,
  type Table,
  type TestSocket,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';
import { path, refusal, rowsFixture, type Bulk, type Page } from '../support/rows.js';
import {
  code,
  dealsIn,
  DEAL_COLUMNS as COLUMNS,
  member,
  OPEN,
  putRules,
  seesOpen,
  type MemberOf,
  type Rules,
} from '../support/rules.js';

const fixture = rowsFixture();
const { newTable, add } = fixture;

let editor: MemberOf;
let viewer: MemberOf;
beforeAll(async () => {
  const { owner, at } = fixture;
  [editor, viewer] = await Promise.all([
    member(owner, at.workspace.id, 'editor'),
    member(owner, at.workspace.id, 'viewer'),
  ]);
});

const get = async <T = Page>(who: Client, at: string): Promise<T> => expectStatus(await who.get<T>(at), 200);
const names = async (who: Client, table: Table, query = ''): Promise<unknown[]> =>
  (await get(who, `${path(table)}?sort=name&${query}`)).data.map(({ fields }) => fields.name);

const deals = () => dealsIn(fixture);

describe('rules of a table', () => {
  it('are put as a whole, with a version, by admins only', async () => {
    const { owner } = fixture;
    const table = await newTable(COLUMNS);
    const at = `/tables/${table.id}/rules`;
    expect(await get<Rules>(owner, at)).toEqual({ version: 0, rules: [], problems: [] });
    const put = (body: object, ifMatch?: string, who: Client = owner) =>
      who.call<Rules>('PUT', at, body, ifMatch === undefined ? {} : { 'if-match': ifMatch });
    const made = await put({ rules: [seesOpen] }, '"0"');
    expect(expectStatus(made, 200)).toMatchObject({ version: 1, rules: [{ name: 'open', create: { allow: true } }] });
    expect(made.headers.get('etag')).toBe('"1"');
    expect(code(await put({ rules: [] }, '"0"'))).toBe('412 version_mismatch');
    expect(code(await put({ rules: [] }, undefined, editor))).toBe('403 role_too_low');
    expect(code(await editor.get(at))).toBe('403 role_too_low');
    expect(await get<Rules>(owner, at)).toMatchObject({ version: 1, problems: [] });
  });

  it('are refused with all that is wrong', async () => {
    const table = await newTable(COLUMNS);
    const put = (...rules: unknown[]) => fixture.owner.call('PUT', `/tables/${table.id}/rules`, { rules });
    expect(
      refusal(
        await put(
          { name: 'a', read: { filter: { field: 'nope', op: 'eq', value: 1 } }, columns: { hidden: ['name', 'what'] } },
          { name: 'A', update: { filter: { field: 'qty', op: 'contains', value: { $attr: 'x' } } } },
        ),
      ),
    ).toEqual([
      422,
      'validation_failed',
      '/rules/0/columns/hidden/0 required_column',
      '/rules/0/columns/hidden/1 unknown_field',
      '/rules/0/read/filter/field unknown_field',
      '/rules/1/name name_taken',
      '/rules/1/update/filter/op unknown_operator',
    ]);
    expect(code(await put({ name: 'a', appliesTo: { roles: ['admin'] } }))).toBe('422 validation_failed');
    expect(code(await put({ name: 'a', read: { filter: 7 } }))).toBe('422 validation_failed');
    expect(code(await put({ name: 'a', what: 1 }))).toBe('422 validation_failed');
    expect(code(await put(...Array.from({ length: 101 }, (_, i) => ({ name: `r${i}` }))))).toBe(
      '422 validation_failed',
    );
    // Whoever may make no rows needs no column for them.
    expectStatus(await put({ name: 'a', create: { allow: false }, columns: { hidden: ['name'] } }), 200);
  });
});

describe('reading', () => {
  it('shows the rows that some rule lets be read, in lists, counts, groups, search, files and one by one', async () => {
    const { table, rows } = await deals();
    const { owner } = fixture;
    await putRules(owner, table, seesOpen);
    for (const who of [editor, viewer]) {
      expect(await names(who, table)).toEqual(['r0', 'r2']);
      expect((await get(who, `${path(table)}?count=exact`)).count?.value).toBe(2);
      expect(code(await who.get(path(table, rows[1].id)))).toBe('404 not_found');
      expectStatus(await who.get(path(table, rows[0].id)), 200);
      const groups = { groupBy: [{ field: 'status' }], aggregates: [{ as: 'sum', fn: 'sum', field: 'qty' }] };
      expect(expectStatus(await who.post<Page>(path(table, 'query'), groups), 200).data).toEqual([
        { group: { status: 'open' }, values: { sum: '2' } },
      ]);
      expect(await names(who, table, 'search=r1')).toEqual([]);
      expect((await who.get(`/tables/${table.id}/export`)).text).not.toContain('r1');
    }
    expect(await names(owner, table)).toHaveLength(4);
    await owner.del(path(table, rows[2].id));
    await owner.del(path(table, rows[3].id));
    expect(await names(editor, table, 'trashed=true')).toEqual(['r2']);
  });

  it('lets several rules add up, and nothing be hidden that one of them shows', async () => {
    const { table } = await deals();
    await putRules(
      fixture.owner,
      table,
      { ...seesOpen, columns: { hidden: ['notes', 'qty'] } },
      { name: 'mine', appliesTo: { memberIds: [editor.memberId] }, read: { filter: { field: 'qty', op: 'eq', value: 1 } }, columns: { hidden: ['notes'] } }, // prettier-ignore
    );
    expect(await names(editor, table)).toEqual(['r0', 'r1', 'r2']);
    expect(await names(viewer, table)).toEqual(['r0', 'r2']);
    const fieldsOf = async (who: Client) => Object.keys((await get(who, path(table))).data[0]?.fields ?? {});
    expect(await fieldsOf(editor)).toEqual(['name', 'qty', 'status', 'owner']);
    expect(await fieldsOf(viewer)).toEqual(['name', 'status', 'owner']);
  });

  it('knows no hidden column, nor what is computed from it, by any way', async () => {
    const { table, rows } = await deals();
    await putRules(fixture.owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    for (const key of ['notes', 'shout']) {
      const filter = { field: key, op: 'isNotNull' };
      for (const body of [
        { filter },
        { sort: [{ field: key }] },
        { fields: [key] },
        { groupBy: [{ field: key }] },
        { aggregates: [{ as: 'n', fn: 'max', field: key }] },
        { filter: { field: 'name', op: 'neq', valueField: key } },
      ])
        // prettier-ignore
        expect(await editor.post(path(table, 'query'), body)).toMatchObject({
          status: 422,
          text: expect.stringContaining('unknown_field'),
        });
      expect(code(await editor.patch(path(table, rows[0].id), { fields: { [key]: 'x' } }))).toBe(
        '422 validation_failed',
      );
    }
    expect(await names(editor, table, 'search=secret')).toEqual([]);
    const own = await get<Table>(editor, `/tables/${table.id}`);
    expect(own.columns.map(({ key }) => key)).toEqual(['name', 'qty', 'status', 'owner']);
    const listed = await get<{ data: Column[] }>(editor, `/tables/${table.id}/columns`);
    expect(listed.data).toHaveLength(4);
    const all = await get<{ data: Table[] }>(editor, `/bases/${table.baseId}/tables?limit=200`);
    expect(all.data.find(({ id }) => id === table.id)?.columns).toHaveLength(4);
    const check = { formula: '{notes}', tableId: table.id };
    expect((await editor.post('/formulas/check', check)).text).toContain('unknown');
  });

  it('tells of a row that has another version no more than is seen of it, also within a bulk call', async () => {
    const { table, rows } = await deals();
    await putRules(fixture.owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const ops = rows.slice(0, 2).map(({ id }) => ({ op: 'update', id, version: 7, fields: { qty: 9 } }));
    const { results } = expectStatus(
      await editor.post<{ results: readonly { status: number; error: { current?: Row } }[] }>(path(table, 'bulk'), {
        ...{ ops, mode: 'partial' },
      }),
      200,
    );
    const seen = await get<Row>(editor, path(table, rows[0].id));
    expect(Object.keys(seen.fields)).toEqual(['name', 'qty', 'status', 'owner']);
    expect(results.map(({ status, error }) => [status, error.current])).toEqual([
      [412, seen],
      [404, undefined],
    ]);
  });

  it('shows behind links, lookups, rollups and counts only what is seen there', async () => {
    const { owner } = fixture;
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const { table, rows } = await deals();
    const column = (of: Table, body: object) => owner.post(`/tables/${of.id}/columns`, body);
    expectStatus(await column(people, { name: 'Deals', type: 'link', options: { tableId: table.id } }), 201);
    for (const body of [
      { name: 'Names', type: 'lookup', options: { linkColumnId: 'deals', columnId: 'name' } },
      { name: 'Sum', type: 'rollup', options: { linkColumnId: 'deals', columnId: 'qty', fn: 'sum' } },
      { name: 'Count', type: 'count', options: { linkColumnId: 'deals' } },
      { name: 'Notes', type: 'lookup', options: { linkColumnId: 'deals', columnId: 'notes' } },
      { name: 'Twice', type: 'formula', options: { formula: '{count} * 2' } },
    ])
      expectStatus(await column(people, body), 201);
    const all = rows.map(({ id }) => id);
    const ada = await add(people, { name: 'Ada', deals: all });
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const seen = await get<Row>(editor, path(people, ada.id));
    const open = [all[0], all[2]];
    expect(seen.fields).toEqual({ name: 'Ada', deals: open, names: ['r0', 'r2'], sum: '2', count: 2, twice: '4' });
    expect((await get<Row>(owner, path(people, ada.id))).fields).toMatchObject({ count: 4, twice: '8' });
    const some = (value: string) => ({ link: 'deals', where: { field: 'name', op: 'eq', value } });
    const found = async (filter: object) =>
      expectStatus(await editor.post<Page>(path(people, 'query'), { filter }), 200).data.length;
    expect(await found(some('r0'))).toBe(1);
    expect(await found(some('r1'))).toBe(0);
    expect(await found({ field: 'count', op: 'gt', value: 2 })).toBe(0);
    expect(await found({ field: 'deals', op: 'hasAny', value: [all[1]] })).toBe(0);
    const expanded = await get(editor, `${path(people)}?expand=deals`);
    expect(JSON.stringify(expanded)).not.toContain('r1');
    // What is not seen is not lost when the list is changed.
    expect(code(await editor.patch(path(people, ada.id), { fields: { deals: [] } }))).toBe('422 validation_failed');
    expect(code(await editor.patch(path(people, ada.id), { fields: { deals: { $add: [all[1]] } } }))).toBe(
      '422 validation_failed',
    );
    const removed = await editor.patch<Row>(path(people, ada.id), { fields: { deals: { $remove: [all[0]] } } });
    expect(expectStatus(removed, 200).fields.deals).toEqual([all[2]]);
    expect((await get<Row>(owner, path(people, ada.id))).fields.deals).toEqual([all[1], all[2], all[3]]);
  });

  it('leads to the files of rows that are seen, and to no others', async () => {
    const { owner } = fixture;
    const table = await newTable([...COLUMNS, { name: 'Files', type: 'attachment' }]);
    const files = `/tables/${table.id}/attachments`;
    const uploaded = await owner.post<{ data: Attachment[] }>(files, form('seen', 'not seen'));
    const [seen, hidden] = expectStatus(uploaded, 201).data.map(({ id }) => id);
    await add(table, { status: 'open', files: [seen] });
    await add(table, { status: 'won', files: [hidden] });
    await putRules(owner, table, seesOpen);
    expectStatus(await editor.get(`${files}/${seen ?? ''}`), 200);
    expect(code(await editor.get(`${files}/${hidden ?? ''}`))).toBe('404 not_found');
    expectStatus(await owner.get(`${files}/${hidden ?? ''}`), 200);
    expectStatus(await editor.post(files, form('own')), 201);
  });

  it('is the same on a node that has heard of nothing', async () => {
    const { table } = await deals();
    const node = fixture.onEitherNode();
    const there = (who: MemberOf): Client => client(node(1).base, who.token);
    expect(await names(there(editor), table)).toHaveLength(4);
    await putRules(node(0), table, seesOpen);
    expect(await names(there(editor), table)).toEqual(['r0', 'r2']);
    await putRules(node(0), table);
    expect(await names(there(editor), table)).toHaveLength(4);
  });

  it('is closed where a whole table would be shown', async () => {
    const { table } = await deals();
    const closed = [`/tables/${table.id}/indexes/advice`];
    await putRules(fixture.owner, table, seesOpen);
    for (const at of closed) expect([at, code(await editor.get(at))]).toEqual([at, '403 ruled_out']);
    for (const at of closed) expectStatus(await fixture.owner.get(at), 200);
    await putRules(fixture.owner, table);
    for (const at of closed) expectStatus(await editor.get(at), 200);
  });

  it('are the indexes of columns that are seen, none that failed by a row that is not', async () => {
    const { owner } = fixture;
    const { table } = await deals();
    const index = async (...fields: string[]) =>
      expectStatus(await owner.post<{ id: string }>(`/tables/${table.id}/indexes`, { columns: fields.map((field) => ({ field })) }), 202).id; // prettier-ignore
    const [own, , mixed] = [await index('name'), await index('notes'), await index('name', 'notes')];
    await add(table, { name: 'twice', status: 'won', qty: 77 });
    await add(table, { name: 'twice', status: 'won', qty: 77 });
    const unique = { columns: [{ field: 'name' }, { field: 'qty' }], unique: true };
    const failing = expectStatus(await owner.post<{ id: string }>(`/tables/${table.id}/indexes`, unique), 202).id;
    type Listed = { readonly data: readonly { readonly id: string; readonly state: string }[] };
    const listed = async (who: Client): Promise<Listed['data']> =>
      (await get<Listed>(who, `/tables/${table.id}/indexes`)).data;
    await waitFor(async () => (await listed(owner)).some(({ id, state }) => id === failing && state === 'failed'));
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    expect((await listed(editor)).map(({ id }) => id)).toEqual([table.id, own]);
    expect((await listed(owner)).map(({ id }) => id)).toEqual(expect.arrayContaining([own, mixed, failing]));
    const first = await get<{ page: { limit: number; nextCursor: string } }>(
      editor,
      `/tables/${table.id}/indexes?limit=1`,
    );
    expect(first.page.limit).toBe(1);
    const rest = await get<Listed>(editor, `/tables/${table.id}/indexes?limit=1&cursor=${first.page.nextCursor}`);
    expect(rest.data.map(({ id }) => id)).toEqual([own]);
  });

  it('is what a base is as a template: without columns and rows that are not seen, and views that speak of them', async () => {
    const { owner, at } = fixture;
    const home = expectStatus(await owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: `Home ${table0++}` }), 201); // prettier-ignore
    const make = async (name: string, columns: readonly object[]) =>
      expectStatus(await owner.post<Table>(`/bases/${home.id}/tables`, { name, columns }), 201);
    const table = await make('Deals', [
      ...COLUMNS,
      { name: 'Loud', type: 'formula', options: { formula: 'UPPER({notes})' } },
    ]);
    const people = await make('People', [{ name: 'Name', type: 'text' }]);
    const column = async (of: Table, body: object) =>
      expectStatus(await owner.post(`/tables/${of.id}/columns`, body), 201);
    await column(people, { name: 'Deals', type: 'link', options: { tableId: table.id, inverseName: 'People' } });
    await column(people, { name: 'Names', type: 'lookup', options: { linkColumnId: 'deals', columnId: 'name' } });
    await column(people, { name: 'Noted', type: 'lookup', options: { linkColumnId: 'deals', columnId: 'notes' } });
    const [seen, unseen] = [
      await add(table, { name: 'seen', status: 'open', notes: 'secret', qty: 3 }),
      await add(table, { name: 'unseen', status: 'won', notes: 'secret' }),
    ];
    await add(people, { name: 'Ada', deals: [seen.id, unseen.id] });
    const viewOf = async (name: string, definition: object) =>
      expectStatus(
        await owner.post(`/workspaces/${at.workspace.id}/views`, { name: `${name} ${home.id}`, definition }),
        201,
      );
    await viewOf('plain', { source: { table: table.id }, columns: ['name'] });
    await viewOf('of secrets', { source: { table: table.id }, columns: ['name', 'notes'] });
    await viewOf('behind', { source: { table: people.id }, columns: ['name'], filter: { link: 'deals', where: { field: 'notes', op: 'eq', value: 'secret' } } }); // prettier-ignore
    // What may not be changed is seen all the same.
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'], readOnly: ['qty'] } });
    interface Document {
      readonly tables: readonly { readonly key: string; readonly order: readonly string[]; readonly columns: readonly { readonly key: string }[]; readonly rows: readonly { readonly fields: object }[] }[];
      readonly views: readonly { readonly name: string }[];
      readonly viewsLeftOut?: readonly { readonly view: string; readonly reason: string }[];
    } // prettier-ignore
    const told = await get<Document>(editor, `/bases/${home.id}/template?withRows=true`);
    const [deals1, people1] = told.tables;
    expect(deals1?.order).not.toEqual(expect.arrayContaining(['notes']));
    expect(deals1?.order).toEqual(expect.arrayContaining(['name', 'status', 'qty', 'people']));
    expect(people1?.order).toEqual(['name', 'deals', 'names']);
    expect(deals1?.rows.map(({ fields }) => fields)).toMatchObject([{ name: 'seen', qty: 3 }]);
    expect(people1?.rows.map(({ fields }) => fields)).toEqual([{ name: 'Ada', deals: ['deals_1'] }]);
    expect(told.views.map(({ name }) => name)).toEqual([`plain ${home.id}`]);
    expect(told.viewsLeftOut?.map(({ view, reason }) => [view.split(' ')[0], reason])).toEqual([
      ['of', 'broken'],
      ['behind', 'broken'],
    ]);
    expect(JSON.stringify(told)).not.toMatch(/secret"|notes|noted|loud|unseen/i);
    const whole = await get<Document>(owner, `/bases/${home.id}/template?withRows=true`);
    expect(whole.tables.map(({ rows }) => rows.length)).toEqual([2, 1]);
    expect(whole.views).toHaveLength(3);
    // And it makes a base.
    const made = await owner.post(`/workspaces/${at.workspace.id}/bases/from-template`, {
      name: `Made ${home.id}`,
      template: told,
    });
    expectStatus(made, 201);
  });
});

let table0 = 0;

describe('rules for each member', () => {
  it('know who asks, and what is known of that member', async () => {
    const { owner, at } = fixture;
    const { table, rows } = await deals();
    const members = `/workspaces/${at.workspace.id}/members/${editor.memberId}`;
    await owner.patch(path(table, rows[1].id), { fields: { owner: editor.user.id } });
    await putRules(
      owner,
      table,
      { name: 'mine', read: { filter: { field: 'owner', op: 'eq', value: { $me: true } } } },
      { name: 'by number', read: { filter: { not: { field: 'qty', op: 'in', value: [{ $attr: 'not_qty' }, 0] } } } },
    );
    // Without the attribute that rule says nothing at all, although it is negated.
    expect(await names(editor, table)).toEqual(['r1']);
    expect(await names(viewer, table)).toEqual([]);
    const patched = await owner.patch<{ attributes: object }>(members, { attributes: { not_qty: [1, 3] } });
    expect(expectStatus(patched, 200).attributes).toEqual({ not_qty: [1, 3] });
    expect(await names(editor, table)).toEqual(['r1', 'r2']);
    expect(code(await owner.patch(members, { attributes: { 'a b': 1 } }))).toBe('422 validation_failed');
    expect((await get<{ attributes?: object }>(viewer, members)).attributes).toBeUndefined();
    expectStatus(await owner.patch(members, { attributes: {} }), 200);
  });

  it('close, and say so, when a column that they speak of is gone', async () => {
    const { owner } = fixture;
    const { table } = await deals();
    await putRules(owner, table, seesOpen);
    const status = table.columns.find(({ key }) => key === 'status')?.id ?? '';
    expectStatus(await owner.del(`/tables/${table.id}/columns/${status}`), 204);
    // Also when another column takes the key.
    expectStatus(await owner.post(`/tables/${table.id}/columns`, { name: 'Status', type: 'text', default: 'open' }), 201); // prettier-ignore
    expect(await names(editor, table)).toEqual([]);
    expect((await get<Rules>(owner, `/tables/${table.id}/rules`)).problems).toHaveLength(1);
    expect(await names(owner, table)).toHaveLength(4);
  });

  it('can be explained, and looked at as the member, which is audited', async () => {
    const { owner, at } = fixture;
    const { table, rows } = await deals();
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'], readOnly: ['qty'] } });
    const live = await socket(fixture.app.base, viewer.token);
    await live.ask('subscribe', { channel: `workspace:${at.workspace.id}` });
    const explain = (query: string) => owner.get(`/tables/${table.id}/rules/explain?${query}`);
    expect((await explain(`memberId=${editor.memberId}&rowId=${rows[1].id}`)).body).toMatchObject({
      role: 'editor',
      rules: ['open'],
      reason: 'Rules decide: none of “open” lets the row be read.',
      columns: { hidden: ['notes', 'shout'], readOnly: ['qty'] },
      row: { read: false, update: false, delete: false },
    });
    expect((await explain(`memberId=${viewer.memberId}&rowId=${rows[0].id}`)).body).toMatchObject({
      row: { read: true, update: false, rules: [{ name: 'open', read: true, update: true, delete: true }] },
    });
    expect(code(await explain(`memberId=${rows[0].id}`))).toBe('404 not_found');
    expect(await names(owner, table, `as=${editor.memberId}`)).toEqual(['r0', 'r2']);
    expect(code(await owner.get(`${path(table, rows[1].id)}?as=${editor.memberId}`))).toBe('404 not_found');
    expect(expectStatus(await owner.post<Page>(`${path(table, 'query')}?as=${viewer.memberId}`, {}), 200).data).toHaveLength(2); // prettier-ignore
    expect(code(await editor.get(`${path(table)}?as=${viewer.memberId}`))).toBe('403 role_too_low');
    expect(code(await owner.get(`${path(table)}?as=x`))).toBe('422 validation_failed');
    const log = await owner.get<{ data: object[] }>(`/workspaces/${at.workspace.id}/audit-logs?action=rows.viewed_as`);
    expect(log.body.data).toHaveLength(3);
    // Members are not told who looks, nor who takes rows out.
    expectStatus(await owner.get(`/tables/${table.id}/export`), 200);
    expectStatus(await owner.patch(`/tables/${table.id}`, { description: 'the last' }), 200);
    await live.until(({ payload }) => JSON.stringify(payload).includes('table.updated'));
    expect(JSON.stringify(live.events)).not.toMatch(/viewed_as|exported/);
    live.close();
  });
});

describe('writing', () => {
  const strict = {
    name: 'own open rows',
    appliesTo: { roles: ['editor'] },
    read: { filter: { field: 'qty', op: 'lt', value: 3 } },
    update: { filter: OPEN },
    create: { check: OPEN },
    delete: { filter: { field: 'qty', op: 'eq', value: 2 } },
    columns: { hidden: ['notes'], readOnly: ['qty'] },
  };

  it('changes only rows that may be changed, as they are and as they become', async () => {
    const { table, rows } = await deals();
    const { owner } = fixture;
    await putRules(owner, table, strict);
    const patch = (i: number, fields: object, more: Record<string, string> = {}) =>
      editor.patch<Row>(path(table, rows[i]?.id ?? ''), { fields }, more);
    expect(code(await patch(3, { name: 'x' }))).toBe('404 not_found');
    expect(code(await patch(3, { what: 'x' }))).toBe('404 not_found');
    expect(code(await patch(1, { name: 'x' }))).toBe('403 ruled_out');
    expect(refusal(await patch(0, { qty: 7 }))).toEqual([422, 'validation_failed', '/fields/qty read_only']);
    expect(code(await patch(0, { status: 'won' }))).toBe('403 ruled_out');
    const done = expectStatus(await patch(0, { name: 'changed' }), 200);
    expect(done).toMatchObject({ version: 2, fields: { name: 'changed', qty: 0, status: 'open' } });
    expect(done.fields).not.toHaveProperty('notes');
    const stale = await patch(0, { name: 'late' }, { 'if-match': '"1"' });
    expect(code(stale)).toBe('412 version_mismatch');
    expect(stale.text).not.toContain('secret');
    expect(code(await editor.del(path(table, rows[3].id)))).toBe('404 not_found');
    expect(code(await editor.del(path(table, rows[0].id)))).toBe('403 ruled_out');
    expectStatus(await editor.del(path(table, rows[2].id)), 204);
    expectStatus(await editor.post(`${path(table, rows[2].id)}/restore`), 200);
    await owner.del(path(table, rows[3].id));
    expect(code(await editor.post(`${path(table, rows[3].id)}/restore`))).toBe('404 not_found');
    expect((await get<Row>(owner, path(table, rows[0].id))).fields).toMatchObject({ notes: 'secret 0' });
    await fixture.proveLog(table);
  });

  it('makes only rows that may be made, with the defaults of what is hidden', async () => {
    const { table } = await deals();
    await putRules(fixture.owner, table, strict);
    const create = (fields: object) => editor.post<Row>(path(table), { fields });
    expect(code(await create({ name: 'n', status: 'won' }))).toBe('403 ruled_out');
    expect(refusal(await create({ name: 'n', notes: 'x' }))).toEqual([
      422,
      'validation_failed',
      '/fields/notes unknown_field',
    ]);
    // A row without a quantity is none that the editor sees: it is made, and not shown.
    const made = await create({ name: 'n', status: 'open' });
    expect([made.status, made.text]).toEqual([201, '']);
    const rows = await fixture.list(table, 'filter=name.eq.n');
    expect(rows.data).toMatchObject([{ fields: { notes: 'secret default', status: 'open' } }]);
    await putRules(fixture.owner, table, { ...strict, create: { allow: false } });
    expect(code(await create({ name: 'm', status: 'open' }))).toBe('403 ruled_out');
  });

  it('does of a bulk call what may be done, or nothing', async () => {
    const { table, rows } = await deals();
    await putRules(fixture.owner, table, strict);
    const ops = [
      { op: 'update', id: rows[0].id, fields: { name: 'ok' } },
      { op: 'update', id: rows[1].id, fields: { name: 'not open' } },
      { op: 'update', id: rows[3].id, fields: { name: 'not seen' } },
      { op: 'update', id: rows[2].id, fields: { status: 'won' } },
      { op: 'create', fields: { name: 'new', status: 'won' } },
      { op: 'create', fields: { name: 'new', status: 'open' } },
    ];
    const bulk = (mode: string) => editor.post<Bulk>(path(table, 'bulk'), { mode, ops });
    expect(refusal(await bulk('atomic'))).toEqual([422, 'bulk_failed', '/ops/1 ruled_out', '/ops/2/id not_found']);
    const { results } = expectStatus(await bulk('partial'), 200);
    expect(results.map(({ status }) => status)).toEqual([200, 403, 404, 403, 403, 201]);
    expect(JSON.stringify(results)).not.toContain('secret');
    await fixture.proveLog(table);
  });

  it('changes by filter nothing but what is seen, and all of it or nothing', async () => {
    const { table, rows } = await deals();
    await putRules(fixture.owner, table, strict);
    const by = async (filter: object | null, set: object) => {
      const at = path(table, 'bulk-update');
      const dry = expectStatus(
        await editor.post<{ matched: number; confirmToken: string }>(at, { filter, set, dryRun: true }),
        200,
      );
      return [dry.matched, code(await editor.post(at, { filter, set, confirmToken: dry.confirmToken }))];
    };
    expect(await by(null, { name: 'all' })).toEqual([3, '403 ruled_out']);
    expect(await by(OPEN, { status: 'won' })).toEqual([2, '403 ruled_out']);
    expect(await by(OPEN, { name: 'open' })).toEqual([2, '200 ']);
    expect((await get<Row>(fixture.owner, path(table, rows[3].id))).version).toBe(1);
  });

  it('links to no row that is not seen, and does not tell that it is there', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    const people = await newTable([{ name: 'Name', type: 'text' }]);
    const link = { name: 'Deal', type: 'link', options: { tableId: table.id, multiple: false } };
    expectStatus(await owner.post(`/tables/${people.id}/columns`, link), 201);
    await putRules(owner, table, seesOpen);
    const create = (deal: string) => editor.post<Row>(path(people), { fields: { name: 'x', deal: [deal] } });
    const refused = await create(rows[1].id);
    expect(refusal(refused)).toEqual([422, 'validation_failed', '/fields/deal row_not_found']);
    expect(expectStatus(await create(rows[0].id), 201).fields.deal).toEqual([rows[0].id]);
  });
});

describe('a copy', () => {
  it('of a table, or of a base, shows nobody more than the original', async () => {
    const { owner, at } = fixture;
    const home = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: 'Ruled' }),
      201,
    );
    const table = expectStatus(
      await owner.post<Table>(`/bases/${home.id}/tables`, { name: 'Deals', columns: COLUMNS }),
      201,
    );
    for (const status of ['open', 'won']) await add(table, { name: status, status, notes: 'secret' });
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const copy = await owner.post<Table>(`/tables/${table.id}/duplicate`, { name: 'Copy', withRows: true });
    const base = await owner.post<{ id: string }>(`/bases/${home.id}/duplicate`, { name: 'Ruled too', withRows: true });
    const tables = await get<{ data: Table[] }>(owner, `/bases/${expectStatus(base, 201).id}/tables`);
    expect(tables.data).toHaveLength(2);
    for (const each of [expectStatus(copy, 201), ...tables.data]) {
      expect(await names(owner, each)).toEqual(['open', 'won']);
      expect(await names(editor, each)).toEqual(['open']);
      expect((await get<Table>(editor, `/tables/${each.id}`)).columns.map(({ key }) => key)).not.toContain('notes');
      expect((await get<Rules>(owner, `/tables/${each.id}/rules`)).problems).toEqual([]);
    }
  });
});

describe('what tells of all of a table', () => {
  it('is closed to those who see part of it', async () => {
    const { table } = await deals();
    const routes = ['verify', 'checkpoint'].map((what) => `/tables/${table.id}/history/${what}`);
    for (const route of routes) expectStatus(await editor.get(route), 200);
    await putRules(fixture.owner, table, seesOpen);
    for (const route of routes) expect([route, code(await editor.get(route))]).toEqual([route, '403 ruled_out']);
  });
});

describe('what lies two links away', () => {
  it('is seen as it is there, in lookups of lookups, formulas, quantifiers and joins', async () => {
    const { owner, at } = fixture;
    const { table: inner, rows } = await deals();
    const NAME = [{ name: 'Name', type: 'text' }];
    const [middle, outer] = [await newTable(NAME), await newTable(NAME)];
    const column = async (of: Table, body: object) =>
      expectStatus(await owner.post(`/tables/${of.id}/columns`, body), 201);
    await column(middle, { name: 'Deals', type: 'link', options: { tableId: inner.id } });
    await column(middle, { name: 'Names', type: 'lookup', options: { linkColumnId: 'deals', columnId: 'name' } });
    await column(outer, { name: 'Middle', type: 'link', options: { tableId: middle.id } });
    for (const body of [
      { name: 'Names', type: 'lookup', options: { linkColumnId: 'middle', columnId: 'names' } },
      { name: 'Ids', type: 'lookup', options: { linkColumnId: 'middle', columnId: 'deals' } },
      { name: 'Text', type: 'formula', options: { formula: 'JOIN({names}, "+")' } },
    ])
      await column(outer, body);
    const m = await add(middle, { name: 'm', deals: rows.map(({ id }) => id) });
    const o = await add(outer, { name: 'o', middle: [m.id] });
    const open = [rows[0].id, rows[2].id];
    expect((await get<Row>(editor, path(outer, o.id))).fields).toMatchObject({ names: ['r0', 'r1', 'r2', 'r3'] });
    await putRules(owner, inner, seesOpen);
    const seen = await get<Row>(editor, path(outer, o.id));
    expect(seen.fields).toMatchObject({ names: ['r0', 'r2'], ids: open, text: 'r0+r2' });
    const found = async (filter: object) =>
      expectStatus(await editor.post<Page>(path(middle, 'query'), { filter }), 200).data.length;
    const deal = (quantifier: string, where: object) => ({ link: 'deals', quantifier, where });
    // All that are seen are open, so nothing tells that others are not.
    expect(await found(deal('every', OPEN))).toBe(1);
    expect(await found(deal('none', { field: 'status', op: 'eq', value: 'won' }))).toBe(1);
    const definition = {
      source: { table: outer.id },
      as: 'o',
      joins: [{ type: 'left', as: 'd', source: { table: inner.id }, on: [{ left: 'o.ids', right: 'd._id' }] }],
      columns: ['d.name'],
    };
    const preview = await editor.post<Page>(`/workspaces/${at.workspace.id}/views/preview`, { definition });
    expect(JSON.stringify(expectStatus(preview, 200).data)).toContain('r2');
    expect(JSON.stringify(preview.body)).not.toMatch(/r1|r3/);
  });
});

describe('a view', () => {
  it('shows whoever looks what that member sees of its tables', async () => {
    const { owner, at } = fixture;
    const { table } = await deals();
    const definition = { source: { table: table.id }, visibility: 'workspace' };
    const made = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, { name: 'All', definition: { source: { table: table.id } }, visibility: definition.visibility }),
      201,
    ); // prettier-ignore
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const seen = await get(editor, `/views/${made.id}/data`);
    expect(seen.data).toHaveLength(2);
    expect(JSON.stringify(seen)).not.toContain('secret');
    expect((await get(owner, `/views/${made.id}/data`)).data).toHaveLength(4);
    expect((await get(owner, `/views/${made.id}/data?as=${viewer.memberId}`)).data).toHaveLength(2);
    expect(code(await editor.get(`/views/${made.id}/data?filter=notes.isNotNull`))).toMatch(/^422/);
    const explained = await editor.post(`/views/${made.id}/explain`, {});
    expectStatus(explained, 200);
    expect(explained.text).not.toMatch(/status|notes/);
  });
});

/** What a follower was told, in the order of the numbers, as a local copy of the rows. */
class Copy {
  readonly rows = new Map<string, Record<string, unknown>>();
  readonly seqs: number[] = [];

  apply({ name, payload }: SocketEvent): void {
    if (name !== 'data:update' && name !== 'schema:update') return;
    const { seq, created = [], updated = [], deleted = [] } = payload as Told;
    this.seqs.push(seq);
    for (const { id, fields } of created) this.rows.set(id, { ...fields });
    for (const { id, fields } of updated) this.rows.set(id, { ...this.rows.get(id), ...fields });
    for (const { id } of deleted) this.rows.delete(id);
  }
}
interface Told {
  readonly seq: number;
  readonly created?: readonly Row[];
  readonly updated?: readonly Row[];
  readonly deleted?: readonly { readonly id: string }[];
}

describe('those who follow a table', () => {
  const follow = async (who: MemberOf, table: Table, base = fixture.app.base) => {
    const live = await socket(base, who.token);
    const channel = `table:${table.id}`;
    return { live, channel, answer: await live.ask<{ ok: boolean; seq: number }>('subscribe', { channel }) };
  };
  const copyOf = (live: TestSocket): Copy => {
    const copy = new Copy();
    for (const event of live.events) copy.apply(event);
    return copy;
  };

  it('are told of rows that they see, as these come and go, and of no others', async () => {
    const { owner } = fixture;
    const { table, rows } = await deals();
    await putRules(owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    const { live, answer } = await follow(editor, table);
    expect(answer.ok).toBe(true);
    const patch = async (i: number, fields: object) =>
      expectStatus(await owner.patch<Row>(path(table, rows[i]?.id ?? ''), { fields }), 200);
    await patch(1, { name: 'unseen' });
    await patch(0, { name: 'seen', notes: 'secret note' });
    await patch(0, { notes: 'secret note only' });
    await patch(1, { status: 'open' });
    await patch(2, { status: 'won' });
    await patch(3, { qty: 9 });
    const made = await add(table, { name: 'new', status: 'open', notes: 'secret' });
    await add(table, { name: 'hidden one', status: 'won' });
    await owner.del(path(table, rows[0].id));
    await owner.del(path(table, rows[3].id));
    const last = (await fixture.list(table)).meta.seq;
    await live.until(({ payload }) => (payload as { seq?: number }).seq === last);
    const copy = copyOf(live);
    expect([...copy.rows.keys()].sort()).toEqual([rows[1].id, made.id].sort());
    expect(copy.rows.get(rows[1].id)).toMatchObject({ name: 'unseen', status: 'open' });
    expect(copy.seqs).toEqual(copy.seqs.map((_, i) => (copy.seqs[0] ?? 0) + i));
    const all = JSON.stringify(live.events);
    expect(all).not.toMatch(/secret|hidden one/);
    expect(all).not.toContain(rows[3].id);
    expect(all).toContain(rows[2].id);
    // The same by asking again and again.
    const changes = await editor.get(`/tables/${table.id}/changes?after=0`);
    expect(expectStatus(changes, 200)).toMatchObject({ meta: { seq: last } });
    expect(changes.text).not.toMatch(/secret|hidden one/);
    expect(changes.text).not.toContain(rows[3].id);
    live.close();
  });

  it('can go over a change of what a column holds', async () => {
    const { owner } = fixture;
    const table = await newTable([...COLUMNS, { name: 'Was', type: 'text' }, { name: 'Tags', type: 'multi_select', options: { choices: [{ label: 'A' }] } }]); // prettier-ignore
    const row = await add(table, { name: 'one', status: 'open', was: 'seven', tags: ['a'] });
    await owner.patch(path(table, row.id), { fields: { was: '7', tags: [] } });
    await putRules(owner, table, seesOpen);
    for (const [key, type] of [
      ['was', 'integer'],
      ['tags', 'text'],
    ] as const) {
      // prettier-ignore
      const at = `/tables/${table.id}/columns/${table.columns.find((column) => column.key === key)?.id ?? ''}/convert`;
      const tried = await owner.post<{ confirmToken: string }>(at, { to: { type }, dryRun: true });
      const { confirmToken } = expectStatus(tried, 200);
      expectStatus(await owner.post(at, { to: { type }, confirmToken }), 200);
    }
    const { data } = await get<{ data: Told[] }>(editor, `/tables/${table.id}/changes?after=1`);
    expect(data[0]?.updated).toEqual([{ id: row.id, version: 2, fields: { was: 7, tags: null } }]);
  });

  it.each(['the node that made them', 'a node that hears of nothing'])(
    'begin again when rules are others, on %s',
    async (where) => {
      const { owner } = fixture;
      const { table, rows } = await deals();
      const node = fixture.onEitherNode()(where === 'the node that made them' ? 0 : 1);
      const { live, channel } = await follow(editor, table, node.base);
      await putRules(owner, table, seesOpen);
      await owner.patch(path(table, rows[1].id), { fields: { name: 'must not be told' } });
      const { payload } = await live.until(({ name }) => name === 'control');
      expect(payload).toMatchObject({ type: 'reset', reason: 'rights_changed', channel });
      expect((await live.ask<{ ok: boolean }>('subscribe', { channel })).ok).toBe(true);
      const seen = await owner.patch(path(table, rows[0].id), { fields: { name: 'told' } });
      await live.until((event) => (event.payload as { seq?: number }).seq === Number(seen.headers.get('live-seq')));
      expect(JSON.stringify(live.events)).not.toContain('must not be told');
      expect(JSON.stringify(live.events)).toContain('told');
      live.close();
    },
  );
});
