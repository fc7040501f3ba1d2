import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { expectStatus, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';

const rows = rowsFixture();
const { newTable, add, list } = rows;

const names = ({ data }: Page) => data.map(({ fields }) => fields.name);
const ask = async (table: Table, body: object): Promise<Page> =>
  expectStatus(await rows.owner.post<Page>(path(table, 'query'), body), 200);

describe('a filter', () => {
  it('asks for what stands inside of JSON, by URL and by body alike', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Extra', type: 'json' },
    ]);
    const size = [{ w: 5, tags: ['a', 'b'] }, { w: '5' }, { w: 7.5, ok: true }, { w: null }];
    for (const [i, value] of size.entries()) await add(table, { name: `${i}`, extra: { size: value } });
    await add(table, { name: 'none' });
    for (const [text, leaf, expected] of [
      ['extra["size"]["w"].eq.5', { path: ['size', 'w'], op: 'eq', value: 5 }, ['0']],
      ['extra["size"]["w"].eq."5"', { path: ['size', 'w'], op: 'eq', value: '5' }, ['1']],
      ['extra["size"]["w"].neq.5', { path: ['size', 'w'], op: 'neq', value: 5 }, ['1', '2', '3', 'none']],
      ['extra["size"]["w"].gt.5', { path: ['size', 'w'], op: 'gt', value: 5 }, ['2']],
      ['extra["size"]["tags"][0].contains.A', { path: ['size', 'tags', '0'], op: 'contains', value: 'A' }, ['0']],
      ['extra["size"]["ok"].in.(true,x)', { path: ['size', 'ok'], op: 'in', value: [true, 'x'] }, ['2']],
      ['extra["size"]["w"].isNull', { path: ['size', 'w'], op: 'isNull' }, ['3', 'none']],
    ] as const) {
      expect([text, names(await list(table, `filter=${encodeURIComponent(text)}`))]).toEqual([text, expected]);
      expect([text, names(await ask(table, { filter: { field: 'extra', ...leaf } }))]).toEqual([text, expected]);
    }
  });

  it('is refused when it is huge or endlessly nested, before anything is done with it', async () => {
    const table = await newTable();
    const values = Array(1000).fill('x');
    const many = { and: Array.from({ length: 100 }, () => ({ field: 'name', op: 'in', value: values })) };
    expect(refusal(await rows.owner.post(path(table, 'query'), { filter: many })).slice(0, 3)).toEqual([
      422,
      'filter_invalid',
      '/filter/and/10 too_many_values',
    ]);
    const text = `${'not('.repeat(5_000)}name.isNull`;
    expect(refusal(await rows.owner.get(`${path(table)}?filter=${text.slice(0, 12_000)}`)).slice(0, 2)).toEqual([
      422,
      'filter_invalid',
    ]);
    const nested = `{"filter":${'{"not":'.repeat(100_000)}null${'}'.repeat(100_000)}}`;
    const answer = await fetch(`${rows.app.base}/api/v1${path(table, 'query')}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rows.owner.token}`, 'content-type': 'application/json' },
      body: nested,
    });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'malformed_json']);
  });
});

describe('paging', () => {
  const cursorsOf = ({ page }: Page) => [page.prevCursor !== undefined, page.nextCursor !== undefined];

  it('goes forth and back, by URL and by body, and ends on either side', async () => {
    const table = await newTable();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await add(table, { name });
    const query = 'sort=-name&limit=2';
    const first = await list(table, query);
    const second = await list(table, `${query}&cursor=${first.page.nextCursor}`);
    const third = await list(table, `${query}&cursor=${second.page.nextCursor}`);
    expect([names(first), names(second), names(third)]).toEqual([['e', 'd'], ['c', 'b'], ['a']]);
    expect([first, second, third].map(cursorsOf)).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ]);
    const backInTheMiddle = await list(table, `${query}&cursor=${third.page.prevCursor}`);
    expect([names(backInTheMiddle), cursorsOf(backInTheMiddle)]).toEqual([
      ['c', 'b'],
      [true, true],
    ]);
    const { prevCursor: cursor } = backInTheMiddle.page;
    const back = await ask(table, { sort: [{ field: 'name', dir: 'desc' }], page: { limit: 2, cursor } });
    expect([names(back), cursorsOf(back)]).toEqual([
      ['e', 'd'],
      [false, true],
    ]);
    expect(names(await list(table, `${query}&cursor=${back.page.nextCursor}`))).toEqual(['c', 'b']);
    expect(refusal(await rows.owner.get(`${path(table)}?sort=name&cursor=${cursor}`))).toEqual([
      400,
      'cursor_mismatch',
    ]);
  });

  it('leads out of a page that is empty by now, to the row that it was asked from', async () => {
    const table = await newTable();
    const made: Row[] = [];
    for (const name of ['a', 'b', 'c', 'd']) made.push(await add(table, { name }));
    const [a, , c, d] = made;
    const query = 'sort=name&limit=1';
    const first = await list(table, query);
    const second = await list(table, `${query}&cursor=${first.page.nextCursor}`);
    const third = await list(table, `${query}&cursor=${second.page.nextCursor}`);
    for (const row of [a, c, d]) expectStatus(await rows.owner.del(path(table, must(row, 'made').id)), 204);
    const beyond = await list(table, `${query}&cursor=${third.page.nextCursor}`);
    expect([names(beyond), cursorsOf(beyond)]).toEqual([[], [true, false]]);
    const second2 = await list(table, `${query}&cursor=${second.page.nextCursor}`);
    expect([names(second2), cursorsOf(second2)]).toEqual([[], [true, false]]);
    expect(names(await list(table, `${query}&cursor=${second2.page.prevCursor}`))).toEqual(['b']);
    const before = await list(table, `${query}&cursor=${second.page.prevCursor}`);
    expect([names(before), cursorsOf(before)]).toEqual([[], [false, true]]);
    expect(names(await list(table, `${query}&cursor=${before.page.nextCursor}`))).toEqual(['b']);
  });
});

describe('days', () => {
  const now = new Date();
  const columns = [
    { name: 'Name', type: 'text' },
    { name: 'Seen', type: 'datetime' },
    { name: 'Due', type: 'date' },
  ];

  it('are those of the time zone that is asked for, by URL and by body', async () => {
    const table = await newTable(columns);
    for (const seen of ['2026-03-28T22:30:00Z', '2026-03-28T23:30:00Z', '2026-03-29T21:30:00Z', '2026-03-29T22:30:00Z'])
      await add(table, { name: seen.slice(8, 13), seen });
    const on = { field: 'seen', op: 'on', value: '2026-03-29' };
    for (const [tz, expected] of [
      ['UTC', ['29T21', '29T22']],
      ['Europe/Berlin', ['28T23', '29T21']],
      ['America/New_York', ['29T21', '29T22']],
      ['Asia/Kolkata', ['28T22', '28T23']],
    ] as const) {
      const url = `filter=seen.on.2026-03-29&tz=${encodeURIComponent(tz)}`;
      expect([tz, names(await list(table, url))]).toEqual([tz, expected]);
      expect([tz, names(await ask(table, { filter: on, tz }))]).toEqual([tz, expected]);
    }
    const query = 'filter=seen.after.2026-03-28&limit=1';
    const { page } = await list(table, `${query}&tz=Europe/Berlin`);
    expect(refusal(await rows.owner.get(`${path(table)}?${query}&cursor=${page.nextCursor}`))).toEqual([
      400,
      'cursor_mismatch',
    ]);
  });

  it('are those of the workspace otherwise, from its change on', async () => {
    // One of them is always at another day than UTC, the other at the same.
    const [far, near] = now.getUTCHours() < 11 ? ['Etc/GMT+12', 'Etc/GMT-12'] : ['Etc/GMT-14', 'Etc/GMT+11'];
    const table = await newTable(columns);
    const day = (offset: number) => new Date(now.getTime() + offset * 86_400_000).toISOString().slice(0, 10);
    for (const offset of [-1, 0, 1]) await add(table, { name: day(offset), due: day(offset) });
    const today = async () => names(await list(table, 'filter=due.eq.@today'));
    const workspace = `/workspaces/${rows.at.workspace.id}`;
    expect(await today()).toEqual([day(0)]);
    const changed = await rows.owner.patch<{ timeZone: string; name: string }>(workspace, { timeZone: far });
    expect(expectStatus(changed, 200)).toMatchObject({ name: 'Acme', timeZone: far });
    expect(await today()).toEqual([day(now.getUTCHours() < 11 ? -1 : 1)]);
    expect(names(await list(table, 'filter=due.eq.@today&tz=UTC'))).toEqual([day(0)]);
    expectStatus(await rows.owner.patch(workspace, { timeZone: near, name: 'Acme' }), 200);
    expect(await today()).toEqual([day(0)]);
    expectStatus(await rows.owner.patch(workspace, { timeZone: 'UTC' }), 200);
  });

  it('are refused in a time zone that is none', async () => {
    const { table } = rows.at;
    for (const tz of ['Mars/Olympus', '+02:00', '', 'Europe/Berlin%00', 'x'.repeat(64)])
      expect(refusal(await rows.owner.get(`${path(table)}?tz=${encodeURIComponent(tz)}`))).toEqual([
        422,
        'validation_failed',
        '/tz unknown_time_zone',
      ]);
    for (const tz of [null, 2, ['UTC'], 'Mars/Olympus']) {
      expect(refusal(await rows.owner.post(path(table, 'query'), { tz }))).toEqual([
        422,
        'validation_failed',
        '/tz unknown_time_zone',
      ]);
      expect(refusal(await rows.owner.patch(`/workspaces/${rows.at.workspace.id}`, { timeZone: tz }))).toEqual([
        422,
        'validation_failed',
        '/timeZone unknown_time_zone',
      ]);
    }
  });
});

describe('a search', () => {
  it('finds words wherever they are, in any letter case, by URL and by body', async () => {
    const table = await newTable();
    await add(table, { name: 'Acme Berlin', notes: 'first call' });
    await add(table, { name: 'Acme Paris', notes: 'Berlin branch', status: 'won' });
    await add(table, { name: 'Zoo "50%"', status: 'open' });
    for (const [search, expected] of [
      ['ACME berlin', ['Acme Berlin', 'Acme Paris']],
      ['acme call', ['Acme Berlin']],
      ['acme  won', ['Acme Paris']],
      ['"50%"', ['Zoo "50%"']],
      ['acme zoo', []],
      ['_', []],
    ] as const) {
      expect([search, names(await list(table, `search=${encodeURIComponent(search)}`))]).toEqual([search, expected]);
      expect([search, names(await ask(table, { search }))]).toEqual([search, expected]);
    }
    const { page } = await list(table, 'search=acme&limit=1');
    expect(names(await list(table, `search=acme&limit=1&cursor=${page.nextCursor}`))).toEqual(['Acme Paris']);
    expect(refusal(await rows.owner.get(`${path(table)}?search=zoo&cursor=${page.nextCursor}`))).toEqual([
      400,
      'cursor_mismatch',
    ]);
  });

  it('finds what formulas make of a row, and what lookups and rollups show of others', async () => {
    const firms = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Size', type: 'single_select', options: { choices: [{ label: 'Quite small' }, { label: 'Big' }] } },
    ]);
    const [acme, zoo] = [await add(firms, { name: 'Acme', size: 'Big' }), await add(firms, { name: 'Zoo', size: 'Quite small' })]; // prettier-ignore
    const deals = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Qty', type: 'integer' },
    ]);
    const column = async (of: Table, name: string, type: string, options: object) =>
      expectStatus(await rows.owner.post(`/tables/${of.id}/columns`, { name, type, options }), 201);
    await column(deals, 'Firm', 'link', { tableId: firms.id, inverseName: 'Deals', multiple: false });
    await column(deals, 'Code', 'formula', { formula: 'LEFT({name}, 1) & "-" & {qty}' });
    await column(deals, 'Firm name', 'lookup', { linkColumnId: 'firm', columnId: 'name' });
    await column(deals, 'Firm size', 'lookup', { linkColumnId: 'firm', columnId: 'size' });
    await column(deals, 'Both', 'formula', { formula: '{firm_name} & "/" & {code}' });
    await column(firms, 'Codes', 'lookup', { linkColumnId: 'deals', columnId: 'code' });
    await column(firms, 'All', 'rollup', { linkColumnId: 'deals', columnId: 'name', fn: 'concat' });
    for (const [name, qty, firm] of [
      ['one', 7, acme],
      ['two', 8, acme],
      ['three', 9, zoo],
    ] as const)
      await add(deals, { name, qty, firm: [firm.id] });
    const found = async (of: Table, search: string) => {
      const [listed, asked] = [await list(of, `search=${encodeURIComponent(search)}`), await ask(of, { search })];
      expect(names(asked)).toEqual(names(listed));
      const definition = { source: { table: of.id } };
      const view = await rows.owner.post<Page>(`/workspaces/${rows.at.workspace.id}/views`, { name: `${of.name} ${search}`, definition }); // prettier-ignore
      const { id } = expectStatus(view, 201) as unknown as { id: string };
      const shown = await rows.owner.get<Page>(`/views/${id}/data?search=${encodeURIComponent(search)}`);
      expect(names(expectStatus(shown, 200))).toEqual(names(listed));
      return names(listed);
    };
    expect(await found(deals, 'O-7')).toEqual(['one']);
    expect(await found(deals, 'acme t-')).toEqual(['two']);
    expect(await found(deals, 'ACME/T-8')).toEqual(['two']);
    expect(await found(firms, 't-8')).toEqual(['Acme']);
    expect(await found(firms, 'one, two')).toEqual(['Acme']);
    expect(await found(firms, 'o-7t-8')).toEqual([]);
    expect(await found(deals, 'nothing')).toEqual([]);
    // Of a choice the label is known, here as there.
    expect(names(await list(deals, 'search=quite'))).toEqual(['three']);
  });

  it('finds nothing where there is no text', async () => {
    const table = await newTable([{ name: 'Qty', type: 'integer' }]);
    expectStatus(await rows.owner.post(path(table), { fields: { qty: 5 } }), 201);
    expect((await list(table, 'search=5')).data).toEqual([]);
  });
});

describe('expanded links', () => {
  interface Expanded extends Row {
    readonly expanded: Readonly<Record<string, readonly { readonly id: string; readonly title: string | null }[]>>;
  }
  const expanded = ({ data }: Page) => data.map((row) => (row as Expanded).expanded);

  it('name the rows that they lead to, in their order, by URL and by body', async () => {
    const companies = await newTable([
      { name: 'Size', type: 'integer' },
      { name: 'Name', type: 'text' },
    ]);
    const tags = await newTable([
      { name: 'Kinds', type: 'multi_select', options: { choices: [{ label: 'Hot "one"' }, { label: 'Old' }] } },
    ]);
    const deals = await newTable([{ name: 'Name', type: 'text' }]);
    for (const link of [
      { name: 'Companies', type: 'link', options: { tableId: companies.id, inverseName: 'Deals' } },
      { name: 'Tag', type: 'link', options: { tableId: tags.id, multiple: false } },
    ])
      expectStatus(await rows.owner.post(`/tables/${deals.id}/columns`, link), 201);
    const made = async (table: Table, fields: object) =>
      expectStatus(await rows.owner.post<Row>(path(table), { fields }), 201).id;
    const [acme, zoo] = [await made(companies, { name: 'Acme "Ltd"' }), await made(companies, { name: 'Zoo' })];
    const [nameless, tag, bare] = [
      await made(companies, {}),
      await made(tags, { kinds: ['Old', 'Hot "one"'] }),
      await made(tags, {}),
    ];
    await made(deals, { name: 'a', companies: [zoo, nameless, acme], tag });
    await made(deals, { name: 'b', companies: [], tag: bare });
    const page = await list(deals, 'expand=companies,tag&fields=name&sort=name');
    expect(expanded(page)).toEqual([
      {
        companies: [
          { id: zoo, title: 'Zoo' },
          { id: nameless, title: null },
          { id: acme, title: 'Acme "Ltd"' },
        ],
        tag: [{ id: tag, title: 'Old, Hot "one"' }],
      },
      { companies: [], tag: [{ id: bare, title: null }] },
    ]);
    expect(Object.keys(page.data[0]?.fields ?? {})).toEqual(['name']);
    const asked = await ask(deals, { expand: ['companies', 'tag'], fields: ['name'], sort: [{ field: 'name' }] });
    expect(asked.data).toEqual(page.data);
    expect((await list(deals)).data.some((row) => 'expanded' in row)).toBe(false);
    // Also from the other end, and after the structure there has changed.
    expectStatus(await rows.owner.post(`/tables/${deals.id}/columns`, { name: 'More', type: 'text' }), 201);
    const back = await list(companies, 'expand=deals&filter=name.eq.Zoo');
    expect(expanded(back)).toEqual([{ deals: [{ id: page.data[0]?.id, title: 'a' }] }]);
    expect(refusal(await rows.owner.post(path(deals, 'query'), { expand: ['tag', 'tag'] }))).toEqual([
      422,
      'validation_failed',
      '/expand duplicate_key',
    ]);
  });
});

describe('the trash', () => {
  let table: Table;
  const made = new Map<string, Row>();
  beforeAll(async () => {
    table = await newTable();
    for (const name of ['a', 'b', 'c', 'd', 'e']) made.set(name, await add(table, { name }));
    for (const name of ['d', 'b', 'e'])
      expectStatus(await rows.owner.del(path(table, must(made.get(name), 'made').id)), 204);
  });

  it('is listed with who deleted a row and when, by URL and by body', async () => {
    const page = await list(table, 'trashed=true&count=exact');
    expect([names(page), page.count?.value]).toEqual([['b', 'd', 'e'], 3]);
    for (const row of page.data)
      expect(row).toMatchObject({ version: 2, deletedBy: rows.owner.user.id, deletedAt: row.updatedAt });
    expect((await ask(table, { trashed: true, count: 'exact' })).data).toEqual(page.data);
  });

  it('is filtered, sorted and paged like rows that are there', async () => {
    const query = 'trashed=true&sort=-name&filter=name.neq.d&limit=1';
    const first = await list(table, query);
    const second = await list(table, `${query}&cursor=${first.page.nextCursor}`);
    expect([names(first), names(second), second.page.nextCursor]).toEqual([['e'], ['b'], undefined]);
    expect(
      refusal(await rows.owner.get(`${path(table)}?sort=-name&filter=name.neq.d&cursor=${first.page.nextCursor}`)),
    ).toEqual([400, 'cursor_mismatch']);
  });

  it('is nothing of the list without trashed', async () => {
    for (const page of [await list(table), await list(table, 'trashed=false'), await ask(table, { trashed: false })]) {
      expect(names(page)).toEqual(['a', 'c']);
      expect(page.data.some((row) => 'deletedAt' in row)).toBe(false);
    }
  });

  it('is asked for with true or false', async () => {
    expect(refusal(await rows.owner.get(`${path(table)}?trashed=yes`))).toEqual([
      422,
      'validation_failed',
      '/trashed is_in',
    ]);
    expect(refusal(await rows.owner.post(path(table, 'query'), { trashed: 'true' }))).toEqual([
      422,
      'validation_failed',
      '/trashed is_boolean',
    ]);
  });
});
