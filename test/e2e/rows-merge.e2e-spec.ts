import { describe, expect, it } from '@jest/globals';
import { expectStatus, signup, sleep, type Column, type ProblemBody, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, tag } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, bulk, list, proveLog, onEitherNode } = fixture;

const patch = (table: Table, { id }: Row, body: object, headers = {}) =>
  fixture.owner.patch<Row & ProblemBody & { current: Row }>(path(table, id), body, headers);
const TAGS = {
  name: 'Tags',
  type: 'multi_select',
  options: { choices: [{ label: 'Red' }, { label: 'Blue' }, { label: 'Green' }] },
};

describe('a change of a row that others changed meanwhile', () => {
  it('overwrites unless it says otherwise', async () => {
    const table = await newTable();
    const row = await add(table, { qty: 1 });
    for (const body of [
      { fields: { qty: 2 } },
      { fields: { qty: 3 }, baseVersion: 1 },
      { fields: { qty: 4 }, baseVersion: 1, onConflict: 'overwrite' },
    ])
      expectStatus(await patch(table, row, body), 200);
    expect((await list(table)).data).toMatchObject([{ version: 4, fields: { qty: 4 } }]);
  });

  it('with reject is refused with the row as it is', async () => {
    const table = await newTable();
    const row = await add(table, { qty: 1 });
    const reject = (fields: object, baseVersion: number) =>
      patch(table, row, { fields, baseVersion, onConflict: 'reject' });
    expect(expectStatus(await reject({ qty: 2 }, 1), 200).version).toBe(2);
    const refused = await reject({ notes: 'x' }, 1);
    expect(refusal(refused)).toEqual([409, 'merge_conflict']);
    expect(refused.body.current).toMatchObject({ id: row.id, version: 2, fields: { qty: 2 } });
    expect(tag(refused)).toBe('"2"');
    expect(refusal(await reject({ qty: 9 }, 1))).toEqual([409, 'merge_conflict', '/fields/qty changed_since']);
    await proveLog(table);
  });

  it('with merge is refused only where they changed the same field to something else', async () => {
    const table = await newTable();
    const row = await add(table, { qty: 1, amount: '1.50' });
    expectStatus(await patch(table, row, { fields: { qty: 2, amount: '2.50' } }), 200);
    const merge = (fields: object, baseVersion = 1) => patch(table, row, { fields, baseVersion, onConflict: 'merge' });
    expect(expectStatus(await merge({ notes: 'mine' }), 200)).toMatchObject({
      version: 3,
      fields: { qty: 2, amount: '2.50', notes: 'mine' },
    });
    expect(refusal(await merge({ qty: 9, active: true, amount: 2.5 }))).toEqual([
      409,
      'merge_conflict',
      '/fields/qty changed_since',
    ]);
    expect((await list(table)).data[0]).toMatchObject({ version: 3, fields: { active: null } });
    // What both made of it is the same: nothing is lost.
    expect(expectStatus(await merge({ qty: 2, active: true }), 200).version).toBe(4);
    expectStatus(await merge({ qty: 9 }, 2), 200);
    // Operators go on from what there is.
    expect(expectStatus(await merge({ qty: { $inc: 1 } }), 200).fields.qty).toBe(10);
    // A version that there has not been yet is nothing to merge with.
    expect(refusal(await merge({ notes: 'x' }, 99))).toEqual([409, 'merge_conflict']);
    await proveLog(table);
  });

  it('of both ends of a link at once is one change of both', async () => {
    const companies = await newTable([{ name: 'Name', type: 'text' }]);
    const deals = await newTable([{ name: 'Name', type: 'text' }]);
    const options = { tableId: companies.id, inverseName: 'Deals' };
    expectStatus(
      await fixture.owner.post(`/tables/${deals.id}/columns`, { name: 'Company', type: 'link', options }),
      201,
    );
    const [company, a, b] = [await add(companies, {}), await add(deals, {}), await add(deals, {})];
    expectStatus(await patch(deals, a, { fields: { company: [company.id] } }), 200);
    // The link is a field of the company, too, and was changed since.
    const merge = (fields: object) => patch(companies, company, { fields, baseVersion: 1, onConflict: 'merge' });
    expect(refusal(await merge({ deals: [b.id] }))).toEqual([409, 'merge_conflict', '/fields/deals changed_since']);
    expectStatus(await merge({ name: 'Acme' }), 200);
    expect(expectStatus(await merge({ deals: { $add: [b.id] } }), 200).fields.deals).toEqual([a.id, b.id]);
    await proveLog(companies);
    await proveLog(deals);
  });

  it.each<[object, string]>([
    [{ fields: {}, onConflict: 'merge' }, '/baseVersion required'],
    [{ fields: {}, onConflict: 'reject' }, '/baseVersion required'],
    [{ fields: {}, onConflict: 'guess', baseVersion: 1 }, '/onConflict is_in'],
    [{ fields: {}, baseVersion: 0 }, '/baseVersion not_a_version'],
    [{ fields: {}, baseVersion: '1' }, '/baseVersion not_a_version'],
    [{ fields: {}, baseVersion: 1.5 }, '/baseVersion not_a_version'],
    [{ fields: {}, baseVersion: 1e12 }, '/baseVersion not_a_version'],
    [{ fields: {}, version: 1 }, '/version unknown_property'],
  ])('refuses %j', async (body, finding) => {
    const table = await newTable();
    expect(refusal(await patch(table, await add(table, {}), body))).toEqual([422, 'validation_failed', finding]);
  });

  it('may demand a version, too, and then that comes first', async () => {
    const table = await newTable();
    const row = await add(table, { qty: 1 });
    expectStatus(await patch(table, row, { fields: { qty: 2 } }), 200);
    const merge = { fields: { qty: 3 }, baseVersion: 1, onConflict: 'merge' };
    const stale = await patch(table, row, merge, { 'if-match': '"1"' });
    expect([stale.status, stale.body.current.version]).toEqual([412, 2]);
    expect(refusal(await patch(table, row, merge, { 'if-match': '"2"' })).slice(0, 2)).toEqual([409, 'merge_conflict']);
    expect(refusal(await patch(table, { ...row, id: table.id }, merge))).toEqual([404, 'not_found']);
  });

  it('from many at once on two nodes loses none that merged', async () => {
    const table = await newTable(Array.from({ length: 12 }, (_, i) => ({ name: `F${i}`, type: 'integer' })));
    const row = expectStatus(await fixture.owner.post<Row>(path(table), { fields: {} }), 201);
    const node = onEitherNode();
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        node(i).patch<Row>(path(table, row.id), {
          fields: { [`f${i % 12}`]: i },
          baseVersion: 1,
          onConflict: 'merge',
        }),
      ),
    );
    const won = answers.flatMap(({ status }, i) => (status === 200 ? [i] : []));
    expect(won.map((i) => i % 12).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    const [now] = (await list(table)).data;
    expect(now?.fields).toEqual(Object.fromEntries(won.map((i) => [`f${i % 12}`, i])));
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(12);
    await proveLog(table);
  });
});

describe('operators', () => {
  it('add to numbers exactly, from nothing as from 0, and leave no trace where nothing changes', async () => {
    const table = await newTable([
      { name: 'Whole', type: 'integer' },
      { name: 'Exact', type: 'decimal' },
      { name: 'Price', type: 'currency' },
      { name: 'Share', type: 'percent' },
      { name: 'Stars', type: 'rating', options: { max: 5 } },
      { name: 'Spent', type: 'duration' },
    ]);
    const row = expectStatus(await fixture.owner.post<Row>(path(table), { fields: { price: '0.10', stars: 2 } }), 201);
    const fields = {
      whole: { $inc: -3 },
      exact: { $inc: '0.00000000000000000000000000000000000001' },
      price: { $inc: 0.2 },
      share: { $inc: '1e-3' },
      stars: { $inc: 1 },
      spent: { $inc: 90 },
    };
    const changed = expectStatus(await patch(table, row, { fields }), 200);
    expect(changed.fields).toEqual({
      whole: -3,
      exact: '0.00000000000000000000000000000000000001',
      price: '0.30',
      share: '0.001',
      stars: 3,
      spent: 90,
    });
    const same = await patch(table, row, { fields: { whole: { $inc: 0 }, price: { $inc: '0.00' } } });
    expect([expectStatus(same, 200).version, tag(same)]).toEqual([2, '"2"']);
    await proveLog(table);
  });

  it('add to lists and take from them', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      TAGS,
      { name: 'Team', type: 'user', options: { multiple: true } },
    ]);
    const me = fixture.owner.user.id;
    const row = await add(table, { tags: ['red', 'blue'] });
    const change = async (fields: object): Promise<Row['fields']> =>
      expectStatus(await patch(table, row, { fields }), 200).fields;
    expect(await change({ tags: { $add: ['Green', 'red'], $remove: ['blue'] }, team: { $add: [me] } })).toEqual({
      name: 'x',
      tags: ['red', 'green'],
      team: [me],
    });
    expect(await change({ tags: { $remove: ['red', 'green', 'blue'] } })).toMatchObject({ tags: [] });
    expect(expectStatus(await patch(table, row, { fields: { team: { $add: [me] } } }), 200).version).toBe(3);
    const stranger = (await signup(fixture.owner.base)).user.id;
    expect(refusal(await patch(table, row, { fields: { team: { $add: [stranger] } } }))).toEqual([
      422,
      'validation_failed',
      '/fields/team not_a_member',
    ]);
    await proveLog(table);
  });

  it.each<[string, unknown, string]>([
    ['qty', { $inc: 'x' }, 'not_a_number'],
    ['qty', { $inc: null }, 'not_a_number'],
    ['qty', { $inc: 1.5 }, 'not_an_integer'],
    ['qty', { $inc: '1e400' }, 'not_a_number'],
    ['qty', { $inc: Number.MAX_SAFE_INTEGER }, 'out_of_range'],
    ['qty', { $inc: 1, $mul: 2 }, 'unknown_change'],
    ['qty', { $set: 1 }, 'unknown_change'],
    ['amount', { $inc: '0.001' }, 'too_many_digits'],
    ['amount', { $inc: '9'.repeat(37) }, 'out_of_range'],
    ['name', { $inc: 1 }, 'no_changes'],
    ['due', { $inc: 1 }, 'no_changes'],
    ['tags', { $add: 'red' }, 'list_expected'],
    ['tags', { $add: ['mauve'] }, 'not_a_choice'],
    ['tags', { $add: ['red'], $remove: ['red'] }, 'added_and_removed'],
    ['tags', { $inc: 1 }, 'unknown_change'],
  ])('refuse for %s %j', async (key, value, code) => {
    const table = await newTable([...(await core()), TAGS]);
    const row = await add(table, { qty: 1, amount: '1.00' });
    const answer = await patch(table, row, { fields: { [key]: value } });
    expect(refusal(answer)).toEqual([422, 'validation_failed', `/fields/${key} ${code}`]);
    expect((await list(table)).data).toMatchObject([{ version: 1 }]);
  });

  it('are values for JSON columns, and nothing for new rows', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Extra', type: 'json' },
      { name: 'N', type: 'integer' },
    ]);
    const row = await add(table, { extra: { $inc: 1 } });
    expect(row.fields.extra).toEqual({ $inc: 1 });
    const refused = await fixture.owner.post(path(table), { fields: { n: { $inc: 1 } } });
    expect(refusal(refused)).toEqual([422, 'validation_failed', '/fields/n not_an_integer']);
  });

  it('of many at once on two nodes are all counted', async () => {
    const table = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'N', type: 'integer' },
    ]);
    const row = await add(table, {});
    const node = onEitherNode();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => node(i).patch<Row>(path(table, row.id), { fields: { n: { $inc: 1 } } })),
    );
    const seen = answers.map((answer) => expectStatus(answer, 200).fields.n as number);
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    await proveLog(table);
  });

  it('work in bulk, also where an upsert makes the row', async () => {
    const table = await newTable([
      { name: 'Page', type: 'text', unique: true },
      { name: 'Views', type: 'integer' },
      { name: 'Stars', type: 'rating', options: { max: 5 } },
      TAGS,
    ]);
    const visit = (page: string, fields = {}) => ({
      op: 'upsert',
      matchOn: ['page'],
      fields: { page, views: { $inc: 1 }, tags: { $add: ['red'] }, ...fields },
    });
    expectStatus(await bulk(table, [visit('a'), visit('b')]), 200);
    const { results } = expectStatus(
      await bulk(table, [visit('a'), visit('c'), visit('b', { stars: { $inc: 3 } })]),
      200,
    );
    expect(results.map(({ row }) => [row?.fields.page, row?.fields.views, row?.fields.stars])).toEqual([
      ['a', 2, null],
      ['c', 1, null],
      ['b', 2, 3],
    ]);
    const [a, b] = [results[0]?.id, results[2]?.id];
    const more = { views: { $inc: 10 }, tags: { $remove: ['red'] } };
    const update = (id: string | undefined, fields: object) => ({ op: 'update', id, fields });
    expect(expectStatus(await bulk(table, [update(a, more)]), 200).results[0]?.row?.fields).toMatchObject({
      views: 12,
      tags: [],
    });
    const ops = [
      update(a, { views: { $inc: 1 } }),
      update(b, { stars: { $inc: 3 } }),
      update(table.id, { views: { $inc: 1 } }),
    ];
    expect(refusal(await bulk(table, ops))).toEqual([
      422,
      'bulk_failed',
      '/ops/1/fields/stars out_of_range',
      '/ops/2/id not_found',
    ]);
    const partly = expectStatus(await bulk(table, ops, 'partial'), 200);
    expect(partly.results.map(({ status, error }) => [status, error?.code])).toEqual([
      [200, undefined],
      [422, 'validation_failed'],
      [404, 'not_found'],
    ]);
    expect(partly.results[0]?.row?.fields.views).toBe(13);
    await proveLog(table);
  });
});

describe('an answer without the rows', () => {
  it('leaves the log as whole as another: new rows are told with what is looked up through their links', async () => {
    // In this order: the rows that are linked with are written behind the new ones, which show when that was.
    const deals = await newTable([{ name: 'Name', type: 'text' }]);
    const companies = await newTable([
      { name: 'Name', type: 'text' },
      { name: 'Touched', type: 'updated_at' },
    ]);
    const column = async (body: object): Promise<Column> =>
      expectStatus(await fixture.owner.post<Column>(`/tables/${deals.id}/columns`, body), 201);
    const link = await column({ name: 'Company', type: 'link', options: { tableId: companies.id } });
    const options = { linkColumnId: link.id, columnId: companies.columns[1]?.id };
    await column({ name: 'Beside', type: 'lookup', options });
    const acme = await add(companies, { name: 'acme' });
    const shown: unknown[] = [];
    for (const prefer of ['return=representation', 'return=minimal']) {
      const fields = { name: 'd', company: [acme.id] };
      expectStatus(await fixture.owner.post(path(deals), { fields }, { prefer }), 201);
      const [newest] = (await list(deals, 'sort=-name&limit=1&filter=name.eq.d')).data;
      shown.push(newest?.fields.beside);
      await sleep(5);
    }
    const { data } = expectStatus(
      await fixture.owner.get<{ data: { created?: Row[] }[] }>(`/tables/${deals.id}/changes`),
      200,
    );
    const told = data.flatMap(({ created = [] }) => created.map(({ fields }) => fields.beside));
    expect(new Set(told.map(String)).size).toBe(2);
    expect(told).toEqual(shown);
  });

  it('is given to whoever prefers it, and says the same otherwise', async () => {
    const table = await newTable();
    const minimal = { prefer: 'respond-async, return=minimal' };
    const made = await fixture.owner.post(path(table), { fields: { name: 'a', qty: 1 } }, minimal);
    expect([made.status, made.text, made.headers.get('preference-applied'), tag(made)]).toEqual([
      201,
      '',
      'return=minimal',
      '"1"',
    ]);
    const id = made.headers.get('location')?.split('/').at(-1) ?? '';
    const changed = await fixture.owner.patch(path(table, id), { fields: { qty: { $inc: 1 } } }, minimal);
    expect([changed.status, changed.text, tag(changed), changed.headers.get('live-seq')]).toEqual([
      204,
      '',
      '"2"',
      '2',
    ]);
    const ops = [
      { op: 'create', fields: { name: 'b' } },
      { op: 'update', id, fields: { qty: 2 } },
      { op: 'update', id: table.id, fields: { qty: 3 } },
    ];
    const many = await fixture.owner.post<{ results: object[] }>(
      path(table, 'bulk'),
      { mode: 'partial', ops },
      minimal,
    );
    expect(expectStatus(many, 200).results).toEqual([
      { index: 0, status: 201, id: expect.any(String) },
      { index: 1, status: 200, id },
      { index: 2, status: 404, id: table.id, error: expect.objectContaining({ code: 'not_found' }) },
    ]);
    const stale = await fixture.owner.patch<{ current: Row }>(
      path(table, id),
      { fields: { qty: 5 } },
      { ...minimal, 'if-match': '"1"' },
    );
    expect([stale.status, stale.body.current.fields.qty]).toEqual([412, 2]);
    await proveLog(table);
  });
});

/** Columns of every core type, as the fixture makes them. */
async function core(): Promise<object[]> {
  const { columns } = await newTable();
  return columns.map(({ name, type, required, unique, options }: Column) => ({
    name,
    type,
    required,
    unique,
    options,
  }));
}
