import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  expectStatus,
  socket,
  world,
  type Column,
  type ProblemBody,
  type Row,
  type Table,
  type TestSocket,
} from '../harness/index.js';
import { loggedChanges } from '../support/changes.js';
import { path, refusal, rowsFixture, tag, type Page } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, bulk, list, proveLog } = fixture;

const NAME = { name: 'Name', type: 'text' };
const COUNTRY = { name: 'Country', type: 'single_select', options: { choices: [{ label: 'DE' }, { label: 'FR' }] } };
const addColumn = (table: Table, body: object) => fixture.owner.post<Column>(`/tables/${table.id}/columns`, body);
const column = async (table: Table, body: object): Promise<Column> => expectStatus(await addColumn(table, body), 201);
const fresh = async ({ id }: Table): Promise<Table> =>
  expectStatus(await fixture.owner.get<Table>(`/tables/${id}`), 200);
const row = async (table: Table, id: string): Promise<Row> =>
  expectStatus(await fixture.owner.get<Row>(path(table, id)), 200);
const patch = (table: Table, id: string, fields: object) => fixture.owner.patch<Row>(path(table, id), { fields });
const linkTo = (table: Table, more: object = {}) => ({ tableId: table.id, ...more });

/** Deals that lead to companies, the companies that show them as `deals`. */
async function crm(link: object = {}) {
  const companies = await newTable([NAME, COUNTRY, { name: 'Revenue', type: 'decimal', options: { scale: 2 } }]);
  const deals = await newTable([NAME, { name: 'Amount', type: 'integer' }]);
  await column(deals, {
    name: 'Company',
    type: 'link',
    options: linkTo(companies, { inverseName: 'Deals', ...link }),
  });
  return { companies: await fresh(companies), deals: await fresh(deals) };
}
type Crm = Awaited<ReturnType<typeof crm>>;

/** Adds what is computed through `company` to the deals. */
async function compute({ companies, deals }: Crm, names: readonly object[]): Promise<Table> {
  for (const each of names) await column(deals, each);
  expect((await fresh(companies)).columns).toHaveLength(companies.columns.length);
  return fresh(deals);
}

const names = async (table: Table, query: string): Promise<unknown[]> =>
  (await list(table, query)).data.map(({ fields }) => fields.name);
const named = async (table: Table, filter: object): Promise<unknown[]> =>
  expectStatus(
    await fixture.owner.post<Page>(path(table, 'query'), { filter, sort: [{ field: 'name' }] }),
    200,
  ).data.map(({ fields }) => fields.name);

describe('a new link', () => {
  it('shows in both tables, each end with the id of the other', async () => {
    const { companies, deals } = await crm();
    const [own, inverse] = [deals.columns.at(-1), companies.columns.at(-1)];
    expect(own).toMatchObject({ key: 'company', type: 'link', options: { tableId: companies.id, multiple: true } });
    expect(inverse).toMatchObject({ key: 'deals', type: 'link', options: { tableId: deals.id, multiple: true } });
    expect(own?.options.inverseColumnId).toBe(inverse?.id);
    expect(inverse?.options.inverseColumnId).toBe(own?.id);
  });

  it('is called like its table on the other side unless a name is given, with a number when that is taken', async () => {
    const [a, b] = [await newTable([NAME]), await newTable([NAME])];
    for (const name of ['One', 'Two']) await column(b, { name, type: 'link', options: linkTo(a) });
    expect((await fresh(a)).columns.map(({ name }) => name)).toEqual(['Name', b.name, `${b.name} 2`]);
  });

  it.each([
    ['taken in another case', 'NAME', [409, 'name_taken', '/options/inverseName name_taken']],
    ['empty', '', [422, 'validation_failed', '/options/inverseName is_name']],
    ['blank', ' \t ', [422, 'validation_failed', '/options/inverseName is_name']],
    ['no text', 7, [422, 'validation_failed', '/options/inverseName is_name']],
    ['null', null, [422, 'validation_failed', '/options/inverseName is_name']],
    ['with a control character', 'a\u0007b', [422, 'validation_failed', '/options/inverseName is_name']],
    ['too long', 'x'.repeat(256), [422, 'validation_failed', '/options/inverseName is_name']],
  ])('is refused when the name of its other end is %s, and leaves nothing behind', async (_, inverseName, expected) => {
    const [a, b] = [await newTable([NAME]), await newTable([NAME])];
    const body = { name: 'Link', type: 'link', options: linkTo(a, { inverseName }) };
    expect(refusal(await addColumn(b, body))).toEqual(expected);
    expect([(await fresh(a)).columns.length, (await fresh(b)).columns.length]).toEqual([1, 1]);
    expect((await fresh(b)).schemaVersion).toBe(b.schemaVersion);
  });

  it.each(['"; drop table x; --', '你好', '😀', "o'hara\\", 'a$b%c', 'select', '_id', 'x'.repeat(255)])(
    'works when the name of its other end is %j',
    async (inverseName) => {
      const [a, b] = [await newTable([NAME]), await newTable([NAME])];
      await column(b, { name: inverseName, type: 'link', options: linkTo(a, { inverseName }) });
      const [at, bt] = [await fresh(a), await fresh(b)];
      const [own, inverse] = [bt.columns.at(-1), at.columns.at(-1)];
      expect([own?.name, inverse?.name]).toEqual([inverseName, inverseName]);
      expect(inverse?.key).toMatch(/^[a-z][a-z0-9_]{0,47}$/);
      const target = await add(at, {});
      const source = await add(bt, { [own?.key ?? '']: [target.id] });
      expect((await row(at, target.id)).fields[inverse?.key ?? '']).toEqual([source.id]);
    },
  );

  it('may lead to its own table, and tells parents from children', async () => {
    const table = await newTable([NAME]);
    await column(table, {
      name: 'Parent',
      type: 'link',
      options: linkTo(table, { multiple: false, inverseName: 'Children' }),
    });
    const people = await fresh(table);
    expect(people.columns.map(({ key }) => key)).toEqual(['name', 'parent', 'children']);
    const root = await add(people, { name: 'root' });
    const leaf = await add(people, { name: 'leaf', parent: root.id });
    const both = (await list(people, 'sort=name')).data.map(({ fields, version }) => ({ ...fields, version }));
    expect(both).toEqual([
      { name: 'leaf', parent: [root.id], children: [], version: 1 },
      { name: 'root', parent: [], children: [leaf.id], version: 2 },
    ]);
    expectStatus(await patch(people, root.id, { parent: root.id }), 200);
    expect((await row(people, root.id)).fields).toMatchObject({ parent: [root.id], children: [leaf.id, root.id] });
    await proveLog(people);
    expectStatus(await fixture.owner.del(path(people, root.id)), 204);
    expect((await row(people, leaf.id)).fields).toEqual({ name: 'leaf', parent: [], children: [] });
    await proveLog(people);
  });

  it('may be made with its own table, and may not lead to a table of another base or workspace', async () => {
    const target = await newTable([NAME]);
    const { workspace, owner } = fixture.at;
    const base = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${workspace.id}/bases`, { name: 'B' }),
      201,
    );
    const body = { name: 'Other', columns: [NAME, { name: 'Link', type: 'link', options: linkTo(target) }] };
    const stranger = await world(fixture.app.base);
    expect((await owner.post(`/bases/${base.id}/tables`, body)).status).toBe(404);
    expect((await stranger.owner.post(`/bases/${stranger.base.id}/tables`, body)).status).toBe(404);
    const mine = await newTable(body.columns);
    for (const tableId of [stranger.table.id, randomUUID()])
      expect((await addColumn(mine, { name: 'Far', type: 'link', options: { tableId } })).status).toBe(404);
    expect(refusal(await addColumn(mine, { name: 'Far', type: 'link', options: { tableId: 'x' } }))).toEqual([
      422,
      'validation_failed',
      '/options invalid_option',
    ]);
    expect((await fresh(target)).columns.map(({ name }) => name)).toEqual(['Name', mine.name]);
  });

  it.each([
    ['required', { required: true }],
    ['unique', { unique: true }],
    ['default', { default: [] }],
  ])('cannot have %s', async (member, more) => {
    const table = await newTable([NAME]);
    expect(refusal(await addColumn(table, { name: 'L', type: 'link', options: linkTo(table), ...more }))).toEqual([
      422,
      'validation_failed',
      `/${member} invalid_option`,
    ]);
  });
});

describe('writing links', () => {
  it('keeps the order given, once each, and changes both ends in one version', async () => {
    const { companies, deals } = await crm();
    const [a, b, c] = [await add(companies, {}), await add(companies, {}), await add(companies, {})];
    const deal = await add(deals, { company: [c.id, a.id, c.id] });
    expect(deal).toMatchObject({ version: 1, fields: { company: [c.id, a.id] } });
    const changed = await patch(deals, deal.id, { company: [b.id, a.id, c.id] });
    expect([tag(changed), changed.body.fields.company]).toEqual(['"2"', [b.id, a.id, c.id]]);
    expect([(await row(companies, a.id)).version, (await row(companies, b.id)).version]).toEqual([2, 2]);
    expect(tag(await patch(deals, deal.id, { company: [b.id, a.id, c.id] }))).toBe('"2"');
    expect((await patch(deals, deal.id, { company: null })).body.fields.company).toEqual([]);
    expect((await row(companies, b.id)).fields.deals).toEqual([]);
    await Promise.all([proveLog(companies), proveLog(deals)]);
  });

  it('logs both ends, in full up to a hundred links, of more what came and went', async () => {
    const { companies, deals } = await crm();
    const company = await add(companies, {});
    const ids: string[] = [];
    for (let i = 0; i < 101; i += 101) {
      const { results } = (
        await bulk(
          deals,
          Array.from({ length: 101 }, () => ({ op: 'create', fields: {} })),
        )
      ).body;
      ids.push(...results.map(({ id }) => id ?? ''));
    }
    const logged = async () => (await loggedChanges(fixture.app.config.miniDb, companies)).at(-1);
    expectStatus(await patch(companies, company.id, { deals: ids.slice(0, 100) }), 200);
    expect(await logged()).toMatchObject({ before: { deals: [] }, after: { deals: ids.slice(0, 100) } });
    expectStatus(await patch(deals, ids[100] ?? '', { company: company.id }), 200);
    expect(await logged()).toMatchObject({
      before: { deals: { $add: [], $remove: [ids[100]] } },
      after: { deals: { $add: [ids[100]], $remove: [] } },
    });
    expect((await row(companies, company.id)).fields.deals).toEqual(ids);
    const deal = (await loggedChanges(fixture.app.config.miniDb, deals)).at(-1);
    expect(deal).toMatchObject({ rowId: ids[100], before: { company: [] }, after: { company: [company.id] } });
  });

  it('refuses rows that are not there, are in the trash or of another table, each with its place', async () => {
    const { companies, deals } = await crm();
    const [gone, deal] = [await add(companies, {}), await add(deals, {})];
    expectStatus(await fixture.owner.del(path(companies, gone.id)), 204);
    const foreign = await world(fixture.app.base);
    const theirs = expectStatus(
      await foreign.owner.post<Row>(path(foreign.table), { fields: { name: 'theirs' } }),
      201,
    );
    for (const id of [randomUUID(), gone.id, deal.id, theirs.id])
      for (const answer of [
        await fixture.owner.post(path(deals), { fields: { company: [id] } }),
        await patch(deals, deal.id, { company: [id], name: 'changed' }),
      ])
        expect(refusal(answer)).toEqual([422, 'validation_failed', '/fields/company row_not_found']);
    for (const company of ['x', 7, {}, [['x']], true])
      expect((await patch(deals, deal.id, { company })).status).toBe(422);
    expect(refusal(await patch(deals, deal.id, { company: [null] }))).toEqual([
      422,
      'validation_failed',
      '/fields/company null_not_allowed',
    ]);
    expect(await row(deals, deal.id)).toMatchObject({ version: 1, fields: { name: 'x', company: [] } });
    expect((await list(deals)).data).toHaveLength(1);
  });

  it('moves a row whose other end can have one only, and tells the row that lost it', async () => {
    const { companies, deals } = await crm({ multiple: false });
    const company = await add(companies, {});
    const [first, second, deal] = [await add(companies, {}), company, await add(deals, { company: company.id })];
    expect(refusal(await patch(deals, deal.id, { company: [first.id, second.id] }))).toEqual([
      422,
      'validation_failed',
      '/fields/company one_row_expected',
    ]);
    expectStatus(await patch(companies, first.id, { deals: [deal.id] }), 200);
    expect((await row(companies, second.id)).fields.deals).toEqual([]);
    expect(await row(companies, second.id)).toMatchObject({ version: 3 });
    expect(await row(deals, deal.id)).toMatchObject({ version: 2, fields: { company: [first.id] } });
    const twice = [first, second].map(({ id }) => ({ op: 'update', id, fields: { deals: [deal.id] } }));
    expect(refusal(await bulk(companies, twice))).toEqual([422, 'bulk_failed', '/ops/1/fields/deals row_linked_twice']);
    const swap = [
      { op: 'update', id: first.id, fields: { deals: [] } },
      { op: 'update', id: second.id, fields: { deals: [deal.id] } },
    ];
    expectStatus(await bulk(companies, swap), 200);
    expect((await row(deals, deal.id)).fields.company).toEqual([second.id]);
    await Promise.all([proveLog(companies), proveLog(deals)]);
  });

  it('unlinks a deleted row, in the same transaction as the deletion', async () => {
    const { companies, deals } = await crm();
    const [a, b] = [await add(companies, {}), await add(companies, {})];
    const deal = await add(deals, { company: [a.id, b.id] });
    expectStatus(await fixture.owner.del(path(companies, a.id)), 204);
    expect(await row(deals, deal.id)).toMatchObject({ version: 2, fields: { company: [b.id] } });
    expectStatus(
      await bulk(deals, [
        { op: 'create', fields: { company: b.id } },
        { op: 'delete', id: deal.id },
      ]),
      200,
    );
    expect((await row(companies, b.id)).fields.deals).not.toContain(deal.id);
    expect((await row(companies, b.id)).fields.deals).toHaveLength(1);
    await Promise.all([proveLog(companies), proveLog(deals)]);
  });

  it('lists every bad link of a bulk call by its place, and does the others when it may', async () => {
    const { companies, deals } = await crm();
    const company = await add(companies, {});
    const deal = await add(deals, {});
    const ops = [
      { op: 'create', fields: { company: company.id } },
      { op: 'update', id: deal.id, fields: { company: [company.id, randomUUID()] } },
      { op: 'create', fields: { company: 'nonsense' } },
      { op: 'create', fields: { company: [randomUUID(), randomUUID()] } },
      { op: 'upsert', matchOn: ['name'], fields: { name: 'new', company: company.id } },
    ];
    const refused = await bulk(deals, ops);
    expect(refused.status).toBe(422);
    expect((refused.body.errors ?? []).map(({ pointer }) => pointer)).toEqual([
      '/ops/1/fields/company',
      '/ops/2/fields/company',
      '/ops/3/fields/company',
      '/ops/3/fields/company',
    ]);
    const sound = ops.filter((_, i) => i !== 2);
    expect(refusal(await bulk(deals, sound))).toEqual([
      422,
      'bulk_failed',
      '/ops/1/fields/company row_not_found',
      '/ops/2/fields/company row_not_found',
      '/ops/2/fields/company row_not_found',
    ]);
    expect((await list(deals)).data).toHaveLength(1);
    const { summary, results } = expectStatus(await bulk(deals, ops, 'partial'), 200);
    expect([summary.ok, results.map(({ status }) => status)]).toEqual([2, [201, 422, 422, 422, 201]]);
    expect(results.flatMap(({ error }) => (error?.errors ?? []).map(({ pointer }) => pointer))).toEqual([
      '/ops/1/fields/company',
      '/ops/2/fields/company',
      '/ops/3/fields/company',
      '/ops/3/fields/company',
    ]);
    expect((await row(companies, company.id)).fields.deals).toEqual([results[0]?.id, results[4]?.id]);
    await Promise.all([proveLog(companies), proveLog(deals)]);
  });

  it('tells the rooms of both tables of one write', async () => {
    const { companies, deals } = await crm();
    const company = await add(companies, {});
    const live: TestSocket = await socket(fixture.app.base, fixture.owner.accessToken);
    for (const { id } of [companies, deals]) {
      const joined = await live.ask<{ ok: boolean; error?: ProblemBody }>('subscribe', { channel: `table:${id}` });
      expect(joined).toMatchObject({ ok: true });
    }
    const deal = await add(deals, { company: company.id });
    const told = async ({ id }: Table) =>
      (
        await live.until(
          ({ name, payload }) => name === 'data:update' && (payload as { channel?: string }).channel === `table:${id}`,
        )
      ).payload as { created: Row[]; updated: Row[]; changeSet: string };
    const [here, there] = [await told(deals), await told(companies)];
    expect(here.created[0]).toMatchObject({ id: deal.id, fields: { company: [company.id] } });
    expect(there.updated[0]).toMatchObject({ id: company.id, version: 2, fields: { deals: [deal.id] } });
    expect(there.changeSet).toBe(here.changeSet);
  });
});

describe('columns computed from links', () => {
  const through = (columnId: string, more: object = {}) => ({ linkColumnId: 'company', columnId, ...more });
  const lookup = (name: string, columnId: string) => ({ name, type: 'lookup', options: through(columnId) });
  const rollup = (name: string, columnId: string, fn: string) => ({
    name,
    type: 'rollup',
    options: through(columnId, { fn }),
  });

  it('show the linked rows in the order of the link, and nothing of no rows', async () => {
    const tables = await crm();
    const deals = await compute(tables, [
      lookup('Countries', 'country'),
      lookup('Again', tables.companies.columns[1]?.id ?? ''),
      rollup('Total', 'revenue', 'sum'),
      rollup('Mean', 'revenue', 'avg'),
      rollup('Least', 'revenue', 'min'),
      rollup('Most', 'revenue', 'max'),
      rollup('Known', 'revenue', 'count'),
      rollup('Kinds', 'country', 'countDistinct'),
      rollup('Names', 'name', 'concat'),
      { name: 'Number', type: 'count', options: { linkColumnId: 'company' } },
    ]);
    const a = await add(tables.companies, { name: 'a', country: 'DE', revenue: '10.00' });
    const b = await add(tables.companies, { name: 'b', country: 'FR', revenue: 20.5 });
    const c = await add(tables.companies, { name: null });
    const full = await add(deals, { company: [b.id, c.id, a.id] });
    expect(full.fields).toMatchObject({
      countries: ['fr', 'de'],
      again: ['fr', 'de'],
      total: '30.50',
      mean: '15.25',
      least: '10.00',
      most: '20.50',
      known: 2,
      kinds: 2,
      names: 'b, a',
      number: 3,
    });
    expect((await add(deals, {})).fields).toMatchObject({
      countries: [],
      total: '0.00',
      mean: null,
      least: null,
      most: null,
      known: 0,
      kinds: 0,
      names: null,
      number: 0,
    });
    expectStatus(await patch(tables.companies, a.id, { revenue: null, country: 'FR' }), 200);
    const now = await row(deals, full.id);
    expect(now.fields).toMatchObject({ countries: ['fr', 'fr'], total: '20.50', kinds: 1 });
    expect(now.version).toBe(1);
  });

  it.each([
    ['decimal', { scale: 2 }, '1.50', ['0.00', '1.50']],
    ['decimal', {}, '1.50', ['0', '1.5']],
    ['decimal', { scale: 0 }, '1', ['0', '1']],
    ['currency', {}, '1.5', ['0.00', '1.50']],
    ['percent', { scale: 4 }, '0.5', ['0.0000', '0.5000']],
    ['integer', {}, 7, ['0', '7']],
    ['rating', {}, 3, ['0', '3']],
    ['duration', {}, 90, [0, 90]],
  ])('sum up nothing in the form of something: %s %j', async (type, options, value, expected) => {
    const companies = await newTable([NAME, { name: 'Value', type, options }]);
    const deals = await newTable([NAME]);
    await column(deals, { name: 'Company', type: 'link', options: linkTo(companies) });
    await column(deals, rollup('Sum', 'value', 'sum'));
    await column(companies, {
      name: 'Back',
      type: 'rollup',
      options: { linkColumnId: deals.key, columnId: 'sum', fn: 'sum' },
    });
    const company = await add(companies, { value });
    const sums = [await add(deals, {}), await add(deals, { company: company.id })].map(({ fields }) => fields.sum);
    expect(sums).toEqual(expected);
    const backs = [await row(companies, company.id), await add(companies, {})].map(({ fields }) => fields.back);
    expect(backs).toEqual(expected.toReversed());
  });

  it('are one value through a link to one row', async () => {
    const tables = await crm({ multiple: false });
    const deals = await compute(tables, [lookup('Country', 'country')]);
    const company = await add(tables.companies, { country: 'DE' });
    await add(deals, { name: 'one', company: company.id });
    await add(deals, { name: 'none' });
    expect((await list(deals, 'sort=name')).data.map(({ fields }) => fields.country)).toEqual([null, 'de']);
    expect(await names(deals, 'filter=country.eq.de')).toEqual(['one']);
    expect(await names(deals, 'filter=country.neq.de')).toEqual(['none']);
    expect(refusal(await fixture.owner.get(`${path(deals)}?filter=country.hasAny.(de)`))[0]).toBe(422);
  });

  it('cannot be written, required, unique or given a default', async () => {
    const tables = await crm();
    const deals = await compute(tables, [lookup('Countries', 'country'), rollup('Total', 'revenue', 'sum')]);
    await column(deals, { name: 'N', type: 'count', options: { linkColumnId: 'company' } });
    const fields = { countries: ['de'], total: '1', n: null };
    const expected = ['/fields/countries read_only', '/fields/total read_only', '/fields/n read_only'];
    expect(refusal(await fixture.owner.post(path(deals), { fields }))).toEqual([422, 'validation_failed', ...expected]);
    expect(refusal(await patch(deals, (await add(deals, {})).id, fields)).slice(2)).toEqual(expected);
    for (const [member, value] of Object.entries({ required: true, unique: true, default: 1 }))
      expect(refusal(await addColumn(deals, { ...lookup('X', 'country'), [member]: value })).slice(1)).toEqual([
        'validation_failed',
        `/${member} invalid_option`,
      ]);
  });

  it.each([
    ['a sum of texts', 'name', 'sum', '/options/fn invalid_option'],
    ['an average of choices', 'country', 'avg', '/options/fn invalid_option'],
    ['the least of links', 'deals', 'min', '/options/fn invalid_option'],
    ['a text of links', 'deals', 'concat', '/options/fn invalid_option'],
    ['no function', 'revenue', 'median', '/options invalid_option'],
    ['a column that is not there', 'nothing', 'sum', '/options/columnId unknown_column'],
  ])('cannot be %s', async (_, columnId, fn, finding) => {
    const { deals } = await crm();
    expect(refusal(await addColumn(deals, rollup('R', columnId, fn)))).toEqual([422, 'validation_failed', finding]);
  });

  it('lead through a link of their own table only', async () => {
    const { companies, deals } = await crm();
    const own = deals.columns.at(-1)?.id ?? '';
    for (const [linkColumnId, code] of [
      ['name', 'not_a_link'],
      ['nothing', 'unknown_column'],
    ] as const)
      expect(refusal(await addColumn(deals, { name: 'C', type: 'count', options: { linkColumnId } }))).toEqual([
        422,
        'validation_failed',
        `/options/linkColumnId ${code}`,
      ]);
    expect(refusal(await addColumn(companies, { name: 'C', type: 'count', options: { linkColumnId: own } }))[2]).toBe(
      '/options/linkColumnId unknown_column',
    );
  });

  it('filter and sort', async () => {
    const tables = await crm();
    const deals = await compute(tables, [
      lookup('Countries', 'country'),
      rollup('Total', 'revenue', 'sum'),
      { name: 'Number', type: 'count', options: { linkColumnId: 'company' } },
    ]);
    const de = await add(tables.companies, { name: 'de', country: 'DE', revenue: 10 });
    const fr = await add(tables.companies, { name: 'fr', country: 'FR', revenue: 5 });
    await add(deals, { name: 'a', company: [de.id] });
    await add(deals, { name: 'b', company: [de.id, fr.id] });
    await add(deals, { name: 'c', company: [fr.id] });
    await add(deals, { name: 'd' });
    const where = { field: 'country', op: 'eq', value: 'de' };
    expect(await named(deals, { link: 'company', quantifier: 'some', where })).toEqual(['a', 'b']);
    expect(await named(deals, { link: 'company', quantifier: 'every', where })).toEqual(['a', 'd']);
    expect(await named(deals, { link: 'company', quantifier: 'none', where })).toEqual(['c', 'd']);
    const back = { link: 'deals', quantifier: 'some', where: { field: 'name', op: 'eq', value: 'c' } };
    expect(await named(deals, { link: 'company', quantifier: 'some', where: back })).toEqual(['b', 'c']);
    for (const [filter, expected] of [
      ['some(company,country.eq.de)', ['a', 'b']],
      ['every(company,country.eq.de)', ['a', 'd']],
      ['none(company,country.eq.de)', ['c', 'd']],
      [`company.hasAny.(${fr.id})`, ['b', 'c']],
      [`company.isExactly.(${fr.id},${de.id})`, ['b']],
      ['company.isEmpty', ['d']],
      ['countries.hasAll.(de,fr)', ['b']],
      ['countries.hasNone.(de)', ['c', 'd']],
      ['countries.isEmpty', ['d']],
      ['total.gt.5', ['a', 'b']],
      ['total.eq.0.00', ['d']],
      ['number.gte.2', ['b']],
    ] as const)
      expect([filter, await names(deals, `sort=name&filter=${encodeURIComponent(filter)}`)]).toEqual([
        filter,
        expected,
      ]);
    expect(await names(deals, 'sort=-total')).toEqual(['b', 'a', 'c', 'd']);
    expect(await names(deals, 'sort=-number,name')).toEqual(['b', 'a', 'c', 'd']);
    expect(await names(deals, 'sort=countries')).toEqual(['d', 'a', 'b', 'c']);
    for (const filter of [
      'company.eq.x',
      'some(company,nothing.eq.1)',
      'some(name,name.eq.x)',
      'some(company,)',
      'countries.isNull',
      'company.isNotNull',
    ])
      expect([filter, (await fixture.owner.get(`${path(deals)}?filter=${encodeURIComponent(filter)}`)).status]).toEqual(
        [filter, filter === 'some(company,)' ? 400 : 422],
      );
  });

  it('cannot be matched on by an upsert, as lists cannot', async () => {
    const tables = await crm();
    const deals = await compute(tables, [lookup('Countries', 'country'), rollup('Total', 'revenue', 'sum')]);
    for (const key of ['company', 'countries', 'total'])
      expect(refusal(await bulk(deals, [{ op: 'upsert', matchOn: [key], fields: { name: 'x' } }])).slice(0, 2)).toEqual(
        [422, 'bulk_failed'],
      );
    expect((await list(deals)).data).toEqual([]);
  });
});
