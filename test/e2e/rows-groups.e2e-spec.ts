import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, type Answer, type Column, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';

const rows = rowsFixture();
const { newTable, add, bulk } = rows;

interface Groups extends Omit<Page, 'data'> {
  readonly data: readonly {
    readonly group: Readonly<Record<string, unknown>>;
    readonly values: Readonly<Record<string, unknown>>;
  }[];
}

const ask = (table: Table, body: object): Promise<Answer<Groups>> =>
  rows.owner.post<Groups>(path(table, 'query'), body);
const groups = async (table: Table, body: object): Promise<Groups> => expectStatus(await ask(table, body), 200);
/** Each group and its values as one list. */
const flat = ({ data }: Groups): unknown[][] =>
  data.map(({ group, values }) => [...Object.values(group), ...Object.values(values)]);
const fill = async (table: Table, fields: readonly object[]): Promise<void> => {
  expectStatus(
    await bulk(
      table,
      fields.map((each) => ({ op: 'create', fields: { name: 'x', ...each } })),
    ),
    200,
  );
};

const n = { as: 'n', fn: 'count' };
const sum = (field: string) => ({ as: 'total', fn: 'sum', field });

let deals: Table;
beforeAll(async () => {
  deals = await newTable();
  await fill(deals, [
    { status: 'won', amount: '1000.00', due: '2026-03-31', seen: '2026-03-28T22:30:00Z', qty: 3, active: true },
    { status: 'open', amount: '0.10', due: '2026-03-01', seen: '2026-03-28T23:30:00Z', qty: 9_007_199_254_740_991 },
    { status: 'open', amount: '0.20', due: '2026-04-01', seen: '2026-03-29T21:30:00Z', qty: 9_007_199_254_740_991 },
    { status: 'open', amount: null, due: null, qty: 5 },
    { status: null, amount: '7.00', due: '2026-04-30', active: false },
  ]);
});

describe('groups of rows', () => {
  it('are in the order of their keys, null first, with what was asked of each', async () => {
    const answer = await groups(deals, {
      groupBy: [{ field: 'status' }],
      aggregates: [sum('amount'), n],
      count: 'exact',
    });
    expect(answer).toEqual({
      data: [
        { group: { status: null }, values: { total: '7.00', n: 1 } },
        { group: { status: 'open' }, values: { total: '0.30', n: 3 } },
        { group: { status: 'won' }, values: { total: '1000.00', n: 1 } },
      ],
      page: { limit: 50 },
      count: { mode: 'exact', value: 3, relation: 'exact' },
      meta: { schemaVersion: 1, epoch: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown, seq: 1 },
    });
  });

  it('are made on two levels, and of spans of the calendar', async () => {
    const body = { groupBy: [{ field: 'status' }, { field: 'due', bucket: 'month' }], aggregates: [n] };
    expect(flat(await groups(deals, body))).toEqual([
      [null, '2026-04-01', 1],
      ['open', null, 1],
      ['open', '2026-03-01', 1],
      ['open', '2026-04-01', 1],
      ['won', '2026-03-01', 1],
    ]);
    const twice = {
      groupBy: [
        { field: 'due', bucket: 'year' },
        { field: 'due', bucket: 'quarter', as: 'quarter' },
      ],
    };
    expect((await groups(deals, twice)).data.map(({ group }) => group)).toEqual([
      { due: null, quarter: null },
      { due: '2026-01-01', quarter: '2026-01-01' },
      { due: '2026-01-01', quarter: '2026-04-01' },
    ]);
  });

  it('begin their days in the time zone that was asked for, and in UTC without one', async () => {
    const body = { groupBy: [{ field: 'seen', bucket: 'day' }], aggregates: [n], having: { field: 'seen', op: 'isNotNull' } };
    expect(flat(await groups(deals, body))).toEqual([['2026-03-28', 2], ['2026-03-29', 1]]);
    expect(flat(await groups(deals, { ...body, tz: 'Europe/Berlin' }))).toEqual([['2026-03-28', 1], ['2026-03-29', 2]]);
    const created = { groupBy: [{ field: 'seen', bucket: 'hour' }], having: { field: 'seen', op: 'before', value: '2026-03-29' } };
    expect(flat(await groups(deals, created))).toEqual([['2026-03-28T22:00:00.000Z'], ['2026-03-28T23:00:00.000Z']]);
  }); // prettier-ignore

  it('know every function, exactly', async () => {
    const fns = ['count', 'countDistinct', 'sum', 'avg', 'min', 'max'];
    const of = async (field: string, ...names: string[]) =>
      (await groups(deals, { aggregates: names.map((fn) => ({ as: fn, fn, field })) })).data;
    expect(await of('amount', ...fns)).toEqual([
      {
        group: {},
        values: { count: 4, countDistinct: 4, sum: '1007.30', avg: '251.825', min: '0.10', max: '1000.00' },
      },
    ]);
    expect(await of('qty', ...fns)).toEqual([
      {
        group: {},
        values: {
          count: 4, countDistinct: 3, sum: '18014398509481990', avg: '4503599627370497.5', min: 3, max: 9_007_199_254_740_991,
        }, // prettier-ignore
      },
    ]);
    expect(await of('status', 'count', 'countDistinct', 'min', 'max')).toEqual([
      { group: {}, values: { count: 4, countDistinct: 2, min: 'open', max: 'won' } },
    ]);
    expect(await of('seen', 'min', 'max')).toEqual([
      { group: {}, values: { min: '2026-03-28T22:30:00.000Z', max: '2026-03-29T21:30:00.000Z' } },
    ]);
  });

  it.each([
    ['large', ['1000000000001', '0', '0'], '333333333333.6666666667'],
    ['very large', ['100000000000000000000', '1'], '50000000000000000000.5'],
    ['small', ['0.00000000014', '-0.00000000014', '0.0000000004'], '0.0000000001'],
    ['negative', ['-20000000000', '0', '0'], '-6666666666.6666666667'],
  ])('have averages of ten digits behind the point, also of %s numbers', async (_what, values, avg) => {
    const table = await newTable([{ name: 'D', type: 'decimal' }]);
    expectStatus(await bulk(table, values.map((d) => ({ op: 'create', fields: { d } }))), 200); // prettier-ignore
    const { data } = await groups(table, { aggregates: [{ as: 'avg', fn: 'avg', field: 'd' }] });
    expect(data).toEqual([{ group: {}, values: { avg } }]);
  });

  it('are of the rows that pass the filter, and are filtered and sorted by what they come to', async () => {
    const body = { groupBy: [{ field: 'status' }], aggregates: [sum('amount'), n] };
    const filter = { field: 'amount', op: 'gt', value: '0.1' };
    expect(flat(await groups(deals, { ...body, filter }))).toEqual([[null, '7.00', 1], ['open', '0.20', 1], ['won', '1000.00', 1]]);
    const having = { and: [{ field: 'total', op: 'lt', value: 100 }, { not: { field: 'status', op: 'isNull' } }] };
    expect(flat(await groups(deals, { ...body, having }))).toEqual([['open', '0.30', 3]]);
    expect(flat(await groups(deals, { ...body, having: { field: 'n', op: 'gt', valueField: 'total' } }))).toEqual([['open', '0.30', 3]]);
    const sort = [{ field: 'n' }, { field: 'total', dir: 'desc' }];
    expect(flat(await groups(deals, { ...body, sort }))).toEqual([['won', '1000.00', 1], [null, '7.00', 1], ['open', '0.30', 3]]);
    expect(flat(await groups(deals, { ...body, having: null, filter: null, sort: [{ field: 'status', dir: 'desc' }] }))).toHaveLength(3);
  }); // prettier-ignore

  it('of an empty table are one where nothing is grouped by, and none otherwise', async () => {
    const empty = await newTable();
    expect((await groups(empty, { aggregates: [n, sum('amount')] })).data).toEqual([{ group: {}, values: { n: 0, total: '0.00' } }]);
    expect(await groups(empty, { groupBy: [{ field: 'status' }], count: 'exact' })).toMatchObject({ data: [], count: { value: 0 } });
  }); // prettier-ignore

  it('do not count rows in the trash', async () => {
    const table = await newTable();
    await fill(table, [{ qty: 1 }]);
    const gone = await add(table, { qty: 2 });
    expectStatus(await rows.owner.del(path(table, gone.id)), 204);
    expect((await groups(table, { aggregates: [n] })).data).toEqual([{ group: {}, values: { n: 1 } }]);
  });
});

describe('groups by lists and by what is computed from links', () => {
  it('are one for each list, for lookups, rollups, links and times of the row', async () => {
    const country = { name: 'Country', type: 'multi_select', options: { choices: [{ label: 'DE' }, { label: 'FR' }] } };
    const companies = await newTable([{ name: 'Name', type: 'text' }, country]);
    const table = await newTable([{ name: 'Name', type: 'text' }, { name: 'Amount', type: 'integer' }, { name: 'Made', type: 'created_at' }]); // prettier-ignore
    const column = async (to: Table, body: object) =>
      expectStatus(await rows.owner.post<Column>(`/tables/${to.id}/columns`, body), 201);
    await column(table, { name: 'Company', type: 'link', options: { tableId: companies.id, inverseName: 'Deals' } });
    await column(table, {
      name: 'Countries',
      type: 'lookup',
      options: { linkColumnId: 'company', columnId: 'country' },
    });
    await column(companies, {
      name: 'Sales',
      type: 'rollup',
      options: { linkColumnId: 'deals', columnId: 'amount', fn: 'sum' },
    });
    await column(companies, {
      name: 'Amounts',
      type: 'lookup',
      options: { linkColumnId: 'deals', columnId: 'amount' },
    });
    const company = async (name: string, list: string[]): Promise<Row> => add(companies, { name, country: list });
    const [both, swapped, none] = [
      await company('a', ['de', 'fr']),
      await company('b', ['fr', 'de']),
      await company('c', []),
    ];
    for (const [amount, to] of [
      [1, [both.id]],
      [2, [both.id]],
      [3, [swapped.id]],
      [4, []],
    ] as const)
      // prettier-ignore
      await add(table, { amount, company: to });

    expect(flat(await groups(companies, { groupBy: [{ field: 'country' }], aggregates: [n] }))).toEqual([[[], 1], [['de', 'fr'], 1], [['fr', 'de'], 1]]); // prettier-ignore
    const byLookup = { groupBy: [{ field: 'countries' }], aggregates: [sum('amount')] };
    expect(flat(await groups(table, byLookup))).toEqual([[[], '4'], [['de', 'fr'], '3'], [['fr', 'de'], '3']]); // prettier-ignore
    const having = { field: 'countries', op: 'isExactly', value: ['FR', 'DE'] };
    expect(flat(await groups(table, { ...byLookup, having }))).toHaveLength(2);
    expect(new Set(flat(await groups(table, { groupBy: [{ field: 'company' }], aggregates: [n] })))).toEqual(
      new Set([[[], 1], [[both.id], 2], [[swapped.id], 1]]),
    ); // prettier-ignore
    expect(flat(await groups(companies, { groupBy: [{ field: 'sales' }], aggregates: [n] }))).toEqual([['0', 1], ['3', 2]]); // prettier-ignore
    const ofLists = [
      { as: 'cells', fn: 'count', field: 'amounts' },
      { as: 'different', fn: 'countDistinct', field: 'country' },
      { as: 'most', fn: 'max', field: 'amounts' },
      { as: 'sales', fn: 'sum', field: 'sales' },
      sum('amounts'),
    ];
    expect((await groups(companies, { aggregates: ofLists })).data[0]?.values).toEqual({
      cells: 2, different: 2, most: 3, sales: '6', total: '6',
    }); // prettier-ignore
    const byYear = { groupBy: [{ field: 'made', bucket: 'year' }], aggregates: [n] };
    expect((await groups(table, byYear)).data.map(({ values }) => values)).toEqual([{ n: 4 }]);
    expect(none.fields.country).toEqual([]);
  });
});

describe('pages of groups', () => {
  const asked = { groupBy: [{ field: 'qty' }], aggregates: [n], sort: [{ field: 'n', dir: 'desc' }] };

  it('show every group that was there all along once and in order, while rows change', async () => {
    const table = await newTable();
    const wanted = Array.from({ length: 23 }, (_, i) => i);
    await fill(
      table,
      wanted.flatMap((qty) => Array.from({ length: 1 + (qty % 3) }, () => ({ qty }))),
    );
    const found: unknown[][] = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const page = await groups(table, { ...asked, page: { limit: 4, ...(cursor ? { cursor } : {}) } });
      expect(page.page.limit).toBe(4);
      found.push(...flat(page));
      cursor = page.page.nextCursor;
      // Its group comes last of all.
      await add(table, { qty: 1_000 + found.length });
    }
    const old = found
      .map(([qty, count]) => ({ qty: Number(qty), count: Number(count) }))
      .filter(({ qty }) => qty < 1_000);
    expect(old).toEqual(
      wanted.map((qty) => ({ qty, count: 1 + (qty % 3) })).toSorted((a, b) => b.count - a.count || b.qty - a.qty),
    );
  });

  it('have the size that was asked for, within bounds', async () => {
    expect((await groups(deals, { ...asked, page: { limit: 5_000 } })).page).toEqual({ limit: 1_000 });
    expect((await groups(deals, asked)).page).toEqual({ limit: 50 });
  });

  it('refuse the cursor of another question', async () => {
    const { nextCursor: cursor = '' } = (await groups(deals, { ...asked, page: { limit: 1 } })).page;
    const page = { limit: 1, cursor };
    for (const other of [
      { groupBy: [{ field: 'status' }] },
      { groupBy: [{ field: 'qty', as: 'q' }] },
      { aggregates: [n, sum('qty')] },
      { aggregates: [{ ...n, field: 'qty' }] },
      { having: { field: 'n', op: 'gt', value: 0 } },
      { filter: { field: 'qty', op: 'gt', value: 0 } },
      { sort: [{ field: 'n' }] },
    ])
      expect(refusal(await ask(deals, { ...asked, ...other, page }))).toEqual([400, 'cursor_mismatch']);
    expect(refusal(await rows.owner.get(`${path(deals)}?cursor=${cursor}`))).toEqual([400, 'cursor_mismatch']);
    expect(refusal(await ask(deals, { ...asked, page: { cursor: 'x' } }))).toEqual([400, 'cursor_invalid']);
    const byDay = { groupBy: [{ field: 'seen', bucket: 'day' }], tz: 'Europe/Berlin' };
    const { nextCursor: other = '' } = (await groups(deals, { ...byDay, page: { limit: 1 } })).page;
    expect(flat(await groups(deals, { ...byDay, page: { cursor: other } }))).toEqual([['2026-03-28'], ['2026-03-29']]);
    expect(refusal(await ask(deals, { ...byDay, tz: 'UTC', page: { cursor: other } }))).toEqual([
      400,
      'cursor_mismatch',
    ]);
  });
});

describe('a question for groups', () => {
  const by = [{ field: 'status' }];
  const many = (count: number, entry: (i: number) => object) => Array.from({ length: count }, (_, i) => entry(i));
  const total = sum('amount');

  it.each<[object, string]>([
    [{ groupBy: [] }, '/groupBy nothing_asked'], [{ having: { field: 'n', op: 'gt', value: 1 } }, '/groupBy nothing_asked'], [{ groupBy: null }, '/groupBy is_array'],
    [{ groupBy: ['status'] }, '/groupBy/0 is_object'], [{ groupBy: [{}] }, '/groupBy/0/field is_string'], [{ groupBy: [{ field: 'nope' }] }, '/groupBy/0/field unknown_field'],
    [{ groupBy: [{ field: '_id' }] }, '/groupBy/0/field unknown_field'], [{ groupBy: [{ field: 'status', by: 1 }] }, '/groupBy/0/by unknown_property'],
    [{ groupBy: [{ field: 'due', bucket: 'hour' }] }, '/groupBy/0/bucket bucket_not_allowed'], [{ groupBy: [{ field: 'status', bucket: 'day' }] }, '/groupBy/0/bucket bucket_not_allowed'],
    [{ groupBy: [{ field: 'due', bucket: 'decade' }] }, '/groupBy/0/bucket unknown_bucket'], [{ groupBy: [{ field: 'due', bucket: 1 }] }, '/groupBy/0/bucket is_string'],
    [{ groupBy: [...by, ...by] }, '/groupBy/1/field duplicate_key'], [{ groupBy: [...by, { field: 'qty', as: 'status' }] }, '/groupBy/1/as duplicate_key'],
    [{ groupBy: many(6, (i) => ({ field: 'qty', as: `q${i}` })) }, '/groupBy too_many'], [{ groupBy: [{ field: 'qty', as: '1q' }] }, '/groupBy/0/as invalid_name'],
    [{ groupBy: [{ field: 'qty', as: '' }] }, '/groupBy/0/as invalid_name'], [{ groupBy: [{ field: 'qty', as: 'a b' }] }, '/groupBy/0/as invalid_name'], [{ groupBy: [{ field: 'qty', as: 'q'.repeat(65) }] }, '/groupBy/0/as invalid_name'],
    [{ aggregates: [{ fn: 'count' }] }, '/aggregates/0/as is_string'], [{ aggregates: [{ as: 'x' }] }, '/aggregates/0/fn is_string'], [{ aggregates: [{ as: 'x', fn: 'median' }] }, '/aggregates/0/fn unknown_function'],
    [{ aggregates: [{ as: 'x', fn: 'concat', field: 'name' }] }, '/aggregates/0/fn unknown_function'], [{ aggregates: [{ as: 'x', fn: 'sum' }] }, '/aggregates/0/field field_missing'],
    [{ aggregates: [n, { as: 'x', fn: 'sum', field: 'name' }] }, '/aggregates/1/fn not_applicable'], [{ aggregates: [{ as: 'x', fn: 'min', field: 'active' }] }, '/aggregates/0/fn not_applicable'],
    [{ aggregates: [{ as: 'x', fn: 'sum', field: 'nope' }] }, '/aggregates/0/field unknown_field'], [{ aggregates: [n, n] }, '/aggregates/1/as duplicate_key'], [{ aggregates: {} }, '/aggregates is_array'],
    [{ groupBy: by, aggregates: [{ ...n, as: 'status' }] }, '/aggregates/0/as duplicate_key'], [{ aggregates: many(21, (i) => ({ ...n, as: `n${i}` })) }, '/aggregates too_many'], [{ aggregates: [{ ...n, where: 1 }] }, '/aggregates/0/where unknown_property'],
    [{ aggregates: [total], having: { field: 'amount', op: 'gt', value: 1 } }, '/having/field unknown_field'], [{ aggregates: [total], having: {} }, '/having field_missing'],
    [{ aggregates: [total], having: { and: [{ field: 'total', op: 'contains', value: '1' }] } }, '/having/and/0/op unknown_operator'], [{ aggregates: [total], having: { field: 'total', op: 'gt', value: 'x' } }, '/having/value not_a_number'],
    [{ aggregates: [n], having: { field: 'n', op: 'gt', value: '1' } }, '/having/value not_an_integer'], [{ groupBy: by, having: { field: 'status', op: 'eq', value: 'nope' } }, '/having/value not_a_choice'],
    [{ groupBy: by, having: { link: 'status', where: {} } }, '/having/where field_missing'], [{ groupBy: by, having: { link: 'status', where: { field: 'n', op: 'isNull' } } }, '/having/link not_a_link'],
    [{ groupBy: by, sort: [{ field: 'name' }] }, '/sort/0 unknown_field'], [{ groupBy: by, sort: [{ field: 'status' }, { field: 'status' }] }, '/sort/1 duplicate_key'],
    [{ aggregates: many(6, (i) => ({ ...n, as: `n${i}` })), sort: many(6, (i) => ({ field: `n${i}` })) }, '/sort too_many_keys'],
    [{ groupBy: by, fields: ['name'] }, '/fields not_with_groups'], [{ groupBy: by, search: 'x' }, '/search not_with_groups'], [{ groupBy: by, expand: ['company'] }, '/expand not_with_groups'],
    [{ groupBy: by, tz: 'Mars/Olympus' }, '/tz unknown_time_zone'], [{ groupBy: by, tz: '+02:00' }, '/tz unknown_time_zone'], [{ groupBy: by, tz: 'CET' }, '/tz unknown_time_zone'], [{ groupBy: by, tz: 2 }, '/tz unknown_time_zone'],
    [{ groupBy: by, page: { offset: 1 } }, '/page/offset unknown_property'], [{ groupBy: by, page: { limit: 0 } }, '/page/limit min'], [{ groupBy: by, count: 'all' }, '/count is_in'], [{ groupBy: by, rollup: true }, '/rollup unknown_property'],
  ])('%j is refused', async (body, finding) => {
    expect(refusal(await ask(deals, body))).toEqual([422, expect.any(String), finding]);
  }); // prettier-ignore

  it('is refused for columns that cannot be compared', async () => {
    const table = await newTable([
      { name: 'Extra', type: 'json' },
      { name: 'Files', type: 'attachment' },
    ]);
    for (const field of ['extra', 'files'])
      expect(refusal(await ask(table, { groupBy: [{ field }] }))[2]).toBe('/groupBy/0/field not_groupable');
    const count = { as: 'n', fn: 'count', field: 'files' };
    expect(flat(await groups(table, { aggregates: [count] }))).toEqual([[0]]);
  });

  it('is not there in a URL', async () => {
    for (const name of ['groupBy', 'aggregates', 'having'])
      expect(refusal(await rows.owner.get(`${path(deals)}?${name}=status`))).toEqual([
        422,
        'validation_failed',
        `/${name} unknown_property`,
      ]);
  });

  it('names members as it likes, those of every object in JavaScript too', async () => {
    const body = { groupBy: [{ field: 'status', as: '__proto__' }], aggregates: [{ ...n, as: 'constructor' }] };
    const text = JSON.stringify(
      (await groups(deals, { ...body, having: { field: 'constructor', op: 'gt', value: 2 } })).data,
    );
    expect(text).toBe('[{"group":{"__proto__":"open"},"values":{"constructor":3}}]');
  });
});
