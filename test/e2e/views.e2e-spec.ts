import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ViewUpkeep } from '../../src/modules/views/index.js';
import {
  databases,
  expectStatus,
  member,
  sql,
  startApp,
  waitFor,
  world,
  type Answer,
  type Client,
  type Person,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface View {
  readonly id: string;
  readonly name: string;
  readonly visibility: string;
  readonly ownerId: string;
  readonly definition: object;
  readonly settings: object;
  readonly version: number;
  readonly columns?: readonly { readonly key: string; readonly [more: string]: unknown }[];
  readonly problem?: ProblemBody;
  readonly daysLeft?: number;
}
interface Page<T> {
  readonly data: readonly T[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}
interface Data extends Page<{ readonly fields: Readonly<Record<string, unknown>> }> {
  readonly meta: { readonly tier: string; readonly sources: readonly object[] };
}

let pair: TestDatabases;
let app: TestApp;
let at: World;
let elsewhere: World;
let people: Readonly<Record<'admin' | 'editor' | 'viewer', Person>>;

beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  [at, elsewhere] = await Promise.all([world(app.base), world(app.base)]);
  const [admin, editor, viewer] = await Promise.all([member(at, 'admin'), member(at, 'editor'), member(at, 'viewer')]);
  people = { admin, editor, viewer };
  for (const [name, qty, status] of [
    ['Anna', 3, 'open'],
    ['Berta', 1, 'won'],
    ['Clara', 2, 'open'],
  ])
    await at.owner.post<Row>(`/tables/${at.table.id}/rows`, { fields: { name, qty, status } });
}, 120_000);

let made = 0;
const fresh = (): string => `View ${(made += 1)}`;
const path = (): string => `/workspaces/${at.workspace.id}/views`;
const ofDeals = (more: object = {}): object => ({ source: { table: at.table.id }, ...more });
const store = (as: Client, over: object = {}) =>
  as.post<View>(path(), { name: fresh(), definition: ofDeals(), ...over });
const view = async (over: object = {}, as: Client = at.owner): Promise<View> =>
  expectStatus(await store(as, over), 201);
const shown = async ({ id }: View, as: Client = at.owner): Promise<View> =>
  expectStatus(await as.get<View>(`/views/${id}`), 200);
const refused = (answer: Answer<unknown>): readonly unknown[] => {
  const { status, code, errors } = answer.body as ProblemBody;
  return [status, code, ...(errors ?? []).map(({ pointer, code: finding }) => `${pointer} ${finding}`)];
};
const names = async (as: Client, query = ''): Promise<readonly string[]> =>
  expectStatus(await as.get<Page<View>>(`${path()}?limit=1000${query}`), 200).data.map(({ name }) => name);
const fields = ({ data }: Data) => data.map((row) => row.fields);
const actions = async (id: string): Promise<readonly string[]> => {
  const rows = await sql<{ action: string; actor_name: string }>(
    pair.main,
    'select action, actor_name from audit_log where resource_id = $1 order by id',
    [id],
  );
  return rows.map(({ action, actor_name: name }) => (name === 'system' ? `${action} by system` : action));
};

describe('views', () => {
  it('are made, read, listed, changed and deleted', async () => {
    const definition = ofDeals({
      filter: { field: 'qty', op: 'gte', value: 2 },
      sort: [{ field: 'qty' }],
      columns: ['name', 'qty'],
    });
    const answer = await at.owner.post<View>(path(), { name: ' Open  ', description: 'All of it', definition });
    const { id } = expectStatus(answer, 201);
    expect([answer.headers.get('location'), answer.headers.get('etag')]).toEqual([`/api/v1/views/${id}`, '"1"']);
    expect(answer.body).toEqual({
      ...{ id, workspaceId: at.workspace.id, name: 'Open', description: 'All of it', visibility: 'workspace' },
      ...{ ownerId: at.owner.user.id, definition, settings: { layout: { type: 'grid' } }, version: 1 },
      ...{ createdAt: expect.any(String), createdBy: at.owner.user.id },
      ...{ updatedAt: expect.any(String), updatedBy: at.owner.user.id },
    });
    expect(await shown(answer.body)).toEqual({
      ...answer.body,
      columns: [
        { key: 'name', name: 'Name', type: 'text', options: {}, list: false },
        { key: 'qty', name: 'Qty', type: 'integer', options: {}, list: false },
      ],
    });
    expect(await names(people.viewer)).toContain('Open');
    const changed = await people.editor.patch<View>(`/views/${id}`, { name: 'Large', description: null });
    expect(expectStatus(changed, 200)).toMatchObject({ name: 'Large', description: null, definition, version: 2 });
    expect([changed.body.ownerId, changed.headers.get('etag')]).toEqual([at.owner.user.id, '"2"']);
    expectStatus(await people.editor.del(`/views/${id}`), 204);
    expect(refused(await at.owner.get(`/views/${id}`))).toEqual([404, 'not_found']);
    expect(refused(await at.owner.get(`/views/${id}/data`))).toEqual([404, 'not_found']);
    expect(await names(at.owner)).not.toContain('Large');
    expect(await actions(id)).toEqual(['view.created', 'view.updated', 'view.deleted']);
  });

  it('answer with rows and groups of what they show, and tell how', async () => {
    const { id } = await view({
      definition: ofDeals({
        filter: { field: 'qty', op: 'gte', value: 2 },
        sort: [{ field: 'qty' }],
        columns: ['name', 'qty'],
      }),
    });
    const data = expectStatus(await people.viewer.get<Data>(`/views/${id}/data?limit=1`), 200);
    expect(fields(data)).toEqual([{ name: 'Clara', qty: 2 }]);
    expect(data.meta).toMatchObject({ tier: 'push-down', sources: [{ connection: null, rows: 1 }] });
    const next = await people.viewer.get<Data>(`/views/${id}/data?limit=1&cursor=${data.page.nextCursor ?? ''}`);
    expect(fields(expectStatus(next, 200))).toEqual([{ name: 'Anna', qty: 3 }]);
    const asked = { filter: { field: 'name', op: 'startsWith', value: 'A' }, fields: ['name'] };
    const posted = await people.viewer.post<Data>(`/views/${id}/data`, asked);
    expect(fields(expectStatus(posted, 200))).toEqual([{ name: 'Anna' }]);
    const groups = await people.viewer.post<{ data: readonly object[] }>(`/views/${id}/data`, {
      aggregates: [{ as: 'total', fn: 'sum', field: 'qty' }],
    });
    expect(expectStatus(groups, 200).data).toMatchObject([{ values: { total: '5' } }]);
    const explained = await people.viewer.post<{ sources: readonly { text: string }[] }>(`/views/${id}/explain`, {});
    expect(expectStatus(explained, 200)).toMatchObject({ tier: 'push-down', rows: 2, sources: [{ name: 'mini-DB' }] });
    expect(explained.body.sources[0]?.text).toContain('select');
    const hidden = { filter: { field: 'status', op: 'eq', value: 'open' } };
    expect(refused(await people.viewer.post(`/views/${id}/data`, hidden))).toEqual([
      ...[422, 'filter_invalid', '/filter/field unknown_field'],
    ]);
  });

  it.each(['a\0b', 'a\ud800b', '', 'a\nb'])('have no computed column of the name %j', async (name) => {
    const answer = await store(at.owner, { definition: ofDeals({ computed: [{ key: 'k', name, formula: '1' }] }) });
    expect(refused(answer)).toEqual([422, 'validation_failed', '/definition/computed/0/name is_name']);
  });

  it('join a list that is computed with what it holds', async () => {
    const marks = {
      name: 'Marks',
      type: 'multi_select',
      options: { choices: [{ label: 'Anna' }, { label: 'Clara' }] },
    };
    const list = { name: 'List', type: 'formula', options: { formula: 'UNIQUE({marks})' } };
    const table = await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: fresh(), columns: [marks, list] });
    const { id } = expectStatus(table, 201);
    expectStatus(await at.owner.post<Row>(`/tables/${id}/rows`, { fields: { marks: ['Anna', 'Clara'] } }), 201);
    const names = { name: 'Name', type: 'formula', options: { formula: 'LOWER({text})' } };
    const others = await at.owner.post<Table>(`/bases/${at.base.id}/tables`, {
      name: fresh(),
      columns: [{ name: 'Text', type: 'text' }, names],
    });
    const other = expectStatus(others, 201).id;
    for (const text of ['ANNA', 'Berta', 'clara'])
      expectStatus(await at.owner.post<Row>(`/tables/${other}/rows`, { fields: { text } }), 201);
    const definition = {
      source: { table: id },
      as: 'd',
      joins: [{ type: 'inner', as: 'c', source: { table: other }, on: [{ left: 'd.list', right: 'c.name' }] }],
      sort: [{ field: 'c.text' }],
      columns: ['c.text'],
    };
    const data = await at.owner.post<Data>(`/workspaces/${at.workspace.id}/views/preview`, { definition });
    expect(fields(expectStatus(data, 200))).toEqual([{ text: 'ANNA' }, { text: 'clara' }]);
  });

  it('of groups have subtotals, unless they leave groups out', async () => {
    const grouped = {
      groupBy: [{ field: 'status' }, { field: 'name' }],
      aggregates: [{ as: 'total', fn: 'sum', field: 'qty' }],
    };
    interface Rolled {
      readonly data: readonly object[];
      readonly subtotals?: readonly object[];
    }
    const ask = (id: string, body: object) => people.viewer.post<Rolled & ProblemBody>(`/views/${id}/data`, body);
    const groups = await view({ definition: ofDeals(grouped) });
    const page = expectStatus(await ask(groups.id, { rollup: true, page: { limit: 1 } }), 200);
    expect(page.subtotals).toMatchObject([{ level: 0, group: {} }, { level: 1, group: { status: 'open' }, values: { total: '5' } }]); // prettier-ignore
    const listed = await people.viewer.get<Rolled>(`/views/${groups.id}/data?rollup=true&limit=1`);
    expect(expectStatus(listed, 200).subtotals).toEqual(page.subtotals);
    expect(expectStatus(await ask(groups.id, {}), 200).subtotals).toBeUndefined();
    const none = { filter: { field: 'total', op: 'gt', value: 1000 }, rollup: true };
    expect(expectStatus(await ask(groups.id, none), 200)).toMatchObject({ data: [], subtotals: [{ level: 0 }] });
    const having = { field: 'total', op: 'gt', value: 1 };
    const some = await view({ definition: ofDeals({ ...grouped, having }) });
    expect(refused(await ask(some.id, { rollup: true }))).toEqual([
      422,
      'validation_failed',
      '/rollup not_with_having',
    ]);
    const rows = await view({ definition: ofDeals({}) });
    expect(refused(await ask(rows.id, { rollup: true }))).toEqual([
      422,
      'validation_failed',
      '/rollup only_with_groups',
    ]);
    expect(refused(await ask(rows.id, { rollup: 1 }))).toEqual([422, 'validation_failed', '/rollup is_boolean']);
    const rolled = expectStatus(await ask(rows.id, { ...grouped, having, rollup: true }), 200);
    expect(rolled.subtotals).toMatchObject([{ level: 0 }, { level: 1, group: { status: 'open' } }]);
  });

  it('of groups let nobody at the rows behind', async () => {
    const { id } = await view({
      definition: ofDeals({
        groupBy: [{ field: 'status' }],
        aggregates: [{ as: 'total', fn: 'sum', field: 'qty' }],
        sort: [{ field: 'total' }],
      }),
    });
    const ask = (body: object) => people.viewer.post<{ data: readonly object[] }>(`/views/${id}/data`, body);
    expect(expectStatus(await ask({}), 200).data).toMatchObject([
      { group: { status: 'won' }, values: { total: '1' } },
      { group: { status: 'open' }, values: { total: '5' } },
    ]);
    const large = { filter: { field: 'total', op: 'gt', value: 1 } };
    expect(expectStatus(await ask(large), 200).data).toMatchObject([{ group: { status: 'open' } }]);
    const refusal = (at: string) => [422, 'validation_failed', `/${at} not_with_groups`];
    expect(refused(await ask({ groupBy: [{ field: 'name' }] }))).toEqual(refusal('groupBy'));
    expect(refused(await ask({ aggregates: [{ as: 'n', fn: 'max', field: 'amount' }] }))).toEqual(refusal('groupBy'));
    expect(refused(await ask({ fields: ['name'] }))).toEqual(refusal('fields'));
    expect(refused(await ask({ search: 'Anna' }))).toEqual(refusal('search'));
    const names = { filter: { field: 'name', op: 'eq', value: 'Anna' } };
    expect(refused(await ask(names)).slice(0, 2)).toEqual([422, 'filter_invalid']);
    expect(refused(await ask({ sort: [{ field: 'name' }] })).slice(0, 2)).toEqual([422, 'sort_invalid']);
    const explain = await people.viewer.post(`/views/${id}/explain`, { groupBy: [{ field: 'name' }] });
    expect(refused(explain)).toEqual(refusal('groupBy'));
  });

  it('are looked at when they are stored: nothing is that does not fit its sources', async () => {
    const judged = async (definition: unknown) => refused(await at.owner.post(path(), { name: fresh(), definition }));
    const at422 = (...errors: readonly string[]) => [422, 'validation_failed', ...errors];
    expect(await judged(undefined)).toEqual(at422('/definition is_object'));
    expect(await judged({ source: { table: randomUUID() } })).toEqual(at422('/definition/source/table unknown_table'));
    expect(await judged({ source: { table: elsewhere.table.id } })).toEqual(
      at422('/definition/source/table unknown_table'),
    );
    expect(await judged({ source: { connection: randomUUID(), object: 'a.b' } })).toEqual(
      at422('/definition/source/connection unknown_connection'),
    );
    expect(await judged(ofDeals({ columns: ['nmae'] }))).toEqual(at422('/definition/columns/0 unknown_field'));
    expect(await judged(ofDeals({ secret: 1 }))).toEqual(at422('/definition/secret unknown_property'));
    expect(await judged(JSON.parse(`{"source":{"table":"${at.table.id}"},"__proto__":{"a":1}}`))).toEqual([
      ...[400, 'malformed_json'],
    ]);
    const doubled = Array.from({ length: 40 }, (_, i) => ({
      key: `f${i}`,
      name: `F${i}`,
      formula: i === 0 ? '{qty} + {qty}' : `{f${i - 1}} + {f${i - 1}}`,
    }));
    expect((await judged(ofDeals({ computed: doubled }))).slice(0, 3)).toEqual([
      ...[422, 'formula_invalid', '/definition/computed/11/formula too_complex'],
    ]);
    const sum = Array(450).fill('{qty}').join(' + ');
    const long = (i: number) => ({ key: `f${i}`, name: `F${i}`, formula: i === 0 ? sum : '{f0} + {f0} + {f0}' });
    expect(await judged(ofDeals({ computed: Array.from({ length: 50 }, (_, i) => long(i)) }))).toEqual([
      ...[422, 'formula_invalid', '/definition/computed too_complex'],
    ]);
    const join = { as: 'b', source: { table: at.table.id } };
    expect(await judged(ofDeals({ joins: [join] }))).toEqual(at422('/definition/joins/0/on list_size'));
    const on = [{ left: 'name', right: 'name' }];
    const twice = { joins: [{ ...join, on }], columns: ['b.name', 'name'] };
    expect(await judged(ofDeals(twice))).toEqual(at422('/definition/columns/1 ambiguous_field'));
    const meant = [
      [{ filter: { field: 'name', op: 'eq', value: 'x' } }, 'filter_invalid', '/definition/filter/field'],
      [{ sort: [{ field: 'name', dir: 'asc' }] }, 'sort_invalid', '/definition/sort/0'],
      [{ groupBy: [{ field: 'name' }], columns: undefined }, 'validation_failed', '/definition/groupBy/0/field'],
    ] as const;
    for (const [part, code, pointer] of meant)
      expect(await judged(ofDeals({ joins: [{ ...join, on }], ...part }))).toEqual([
        ...[422, code, `${pointer} ambiguous_field`],
      ]);
    expect(await judged(ofDeals({ joins: Array.from({ length: 50 }, () => ({ ...join, on })) }))).toEqual(
      at422('/definition/joins too_many'),
    );
    expect(await judged(ofDeals({ filter: { field: 'nmae', op: 'eq', value: 1 } }))).toEqual([
      ...[422, 'filter_invalid', '/definition/filter/field unknown_field'],
    ]);
    let deep: object = { field: 'name', op: 'eq', value: 'x' };
    for (let i = 0; i < 40; i++) deep = { not: deep };
    expect((await judged(ofDeals({ filter: deep }))).slice(0, 2)).toEqual([422, 'filter_invalid']);
    const many = { field: 'name', op: 'in', value: ['x'.repeat(250_000)] };
    expect((await judged(ofDeals({ filter: many }))).slice(0, 2)).toEqual(at422());
  });

  it('have names of their own, in any letter case', async () => {
    const { name, id } = await view();
    expect(refused(await store(people.editor, { name: name.toUpperCase() }))).toEqual([
      ...[409, 'name_taken', '/name name_taken'],
    ]);
    const other = await view();
    expect(refused(await at.owner.patch(`/views/${other.id}`, { name }))).toEqual([
      ...[409, 'name_taken', '/name name_taken'],
    ]);
    const both = await Promise.all([1, 2].map(() => store(at.owner, { name: `${name} twice` })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expectStatus(await at.owner.del(`/views/${id}`), 204);
    expectStatus(await store(at.owner, { name }), 201);
    expect(refused(await at.owner.post(`/views/${id}/restore`, {}))).toEqual([409, 'name_taken', '/name name_taken']);
  });

  it('are changed by editors and read by viewers, and lead nowhere from another workspace', async () => {
    expect(refused(await store(people.viewer))).toEqual([403, 'role_too_low']);
    const { id } = await view();
    expect(refused(await people.viewer.patch(`/views/${id}`, { name: fresh() }))).toEqual([403, 'role_too_low']);
    expect(refused(await elsewhere.owner.get(`/views/${id}`))).toEqual([404, 'not_found']);
    expect(refused(await elsewhere.owner.get(`/views/${id}/data`))).toEqual([404, 'not_found']);
  });

  it('are as many as the installation allows, those in the trash not counted', async () => {
    const small = await startApp({ databases: pair, env: { VIEWS_MAX_PER_WORKSPACE: '2' } });
    const there = await world(small.base);
    const made: string[] = [];
    const add = async () => {
      const definition = { source: { table: there.table.id } };
      const answer = await there.owner.post<View>(`/workspaces/${there.workspace.id}/views`, {
        name: fresh(),
        definition,
      });
      if (answer.status === 201) made.push(answer.body.id);
      return answer;
    };
    expect([(await add()).status, (await add()).status]).toEqual([201, 201]);
    expect(refused(await add())).toEqual([422, 'limit_reached']);
    const copy = await there.owner.post(`/views/${made[0] ?? ''}/duplicate`, { name: fresh() });
    expect(refused(copy)).toEqual([422, 'limit_reached']);
    expectStatus(await there.owner.del(`/views/${made[0] ?? ''}`), 204);
    expectStatus(await add(), 201);
    expect(refused(await there.owner.post(`/views/${made[0] ?? ''}/restore`, {}))).toEqual([422, 'limit_reached']);
  });

  it('are made once under one idempotency key', async () => {
    const body = { name: fresh(), definition: ofDeals() };
    const key = { 'idempotency-key': randomUUID() };
    const [first, again] = [await at.owner.post<View>(path(), body, key), await at.owner.post<View>(path(), body, key)];
    expect(expectStatus(again, 201)).toEqual(expectStatus(first, 201));
    expect((await names(at.owner)).filter((name) => name === body.name)).toHaveLength(1);
  });

  it('are changed by whoever saw the last version, where that is asked for', async () => {
    const { id } = await view();
    const patch = (body: object, tag: string) => people.editor.patch<View>(`/views/${id}`, body, { 'if-match': tag });
    expectStatus(await patch({ name: fresh() }, '"1"'), 200);
    const late = await patch({ name: fresh() }, '"1"');
    expect([...refused(late), late.headers.get('etag')]).toEqual([412, 'version_mismatch', '"2"']);
    expect(refused(await patch({}, '"1"'))).toEqual([412, 'version_mismatch']);
    expect(refused(await patch({}, 'x'))).toEqual([400, 'bad_request']);
    expect(refused(await people.editor.del(`/views/${id}`, { 'if-match': '"1"' }))).toEqual([412, 'version_mismatch']);
    expectStatus(await people.editor.del(`/views/${id}`, { 'if-match': '"2"' }), 204);
  });

  it('tell what is missing when a source has changed, and answer nothing then', async () => {
    const columns = [
      { name: 'Name', type: 'text' },
      { name: 'Price', type: 'integer' },
    ];
    const table = expectStatus(
      await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: fresh(), columns }),
      201,
    );
    const made = await view({
      definition: { source: { table: table.id }, filter: { field: 'price', op: 'gt', value: 1 }, columns: ['name'] },
    });
    expect((await shown(made)).columns?.map(({ key }) => key)).toEqual(['name']);
    expectStatus(await at.owner.del(`/tables/${table.id}/columns/${table.columns[1]?.id ?? ''}`), 204);
    const finding = '/definition/filter/field unknown_field';
    const broken = await shown(made);
    expect(broken).toMatchObject({ id: made.id, definition: made.definition, problem: { code: 'view_broken' } });
    expect(broken.columns).toBeUndefined();
    expect(broken.problem?.errors?.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([finding]);
    expect(refused(await at.owner.get(`/views/${made.id}/data`))).toEqual([409, 'view_broken', finding]);
    expect(refused(await at.owner.post(`/views/${made.id}/data`, {}))).toEqual([409, 'view_broken', finding]);
    expect(refused(await at.owner.post(`/views/${made.id}/explain`, {}))).toEqual([409, 'view_broken', finding]);
    expect(expectStatus(await at.owner.patch<View>(`/views/${made.id}`, { name: fresh() }), 200).version).toBe(2);
    expectStatus(await at.owner.del(`/tables/${table.id}`), 204);
    expect((await shown(made)).problem?.errors?.[0]?.code).toBe('unknown_table');
    expect(refused(await at.owner.get(`/views/${made.id}/data`)).slice(0, 2)).toEqual([409, 'view_broken']);
  });
});

describe('the own filter of a view', () => {
  interface Linked {
    readonly deals: Table;
    readonly firms: Table;
    readonly lands: Table;
  }
  /** Deals of firms of countries; what a firm is called loudly, and a deal by its country. */
  async function linked(): Promise<Linked> {
    const table = async (name: string, columns: readonly object[]) =>
      expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `${name} ${fresh()}`, columns: [{ name: 'Name', type: 'text' }, ...columns] }), 201); // prettier-ignore
    const [deals, firms, lands] = [
      await table('deals', [{ name: 'Qty', type: 'integer' }]),
      await table('firms', [{ name: 'Loud', type: 'formula', options: { formula: 'UPPER({name}) & "!"' } }]),
      await table('lands', [{ name: 'Tax', type: 'integer' }]),
    ];
    const column = async (of: Table, name: string, type: string, options: object) =>
      expectStatus(await at.owner.post(`/tables/${of.id}/columns`, { name, type, options }), 201);
    await column(deals, 'Firm', 'link', { tableId: firms.id, inverseName: 'Deals' });
    await column(firms, 'Land', 'link', { tableId: lands.id, multiple: false });
    await column(firms, 'Land name', 'lookup', { linkColumnId: 'land', columnId: 'name' });
    await column(firms, 'Title', 'formula', { formula: '{loud} & " " & {land_name}' });
    const row = async (of: Table, fields: object) =>
      expectStatus(await at.owner.post<Row>(`/tables/${of.id}/rows`, { fields }), 201).id;
    const [de, fr] = [await row(lands, { name: 'DE', tax: 19 }), await row(lands, { name: 'FR', tax: 20 })];
    const [acme, zoo] = [await row(firms, { name: 'Acme', land: [de] }), await row(firms, { name: 'Zoo', land: [fr] })];
    for (const [name, qty, firm] of [
      ['a', 1, [acme]],
      ['b', 2, [zoo]],
      ['c', 3, [acme, zoo]],
      ['d', 4, []],
    ] as const)
      await row(deals, { name, qty, firm });
    return { deals, firms, lands };
  }
  const preview = (definition: object, more: object = {}) =>
    at.owner.post<Data & ProblemBody>(`/workspaces/${at.workspace.id}/views/preview`, { definition, ...more });
  const rowsOf = async (definition: object) => fields(expectStatus(await preview(definition), 200)).map(({ name }) => name); // prettier-ignore
  const firm = (quantifier: string, where: object) => ({ link: 'firm', quantifier, where });

  it('asks for what lies behind links, and for what formulas and lookups make of it there', async () => {
    const { deals } = await linked();
    const of = (filter: object) => ({
      source: { table: deals.id },
      filter,
      columns: ['name'],
      sort: [{ field: 'name' }],
    });
    const loud = { field: 'loud', op: 'eq', value: 'ACME!' };
    expect(await rowsOf(of(firm('some', loud)))).toEqual(['a', 'c']);
    expect(await rowsOf(of(firm('every', loud)))).toEqual(['a', 'd']);
    expect(await rowsOf(of(firm('none', loud)))).toEqual(['b', 'd']);
    expect(await rowsOf(of(firm('some', { field: 'title', op: 'contains', value: '! fr' })))).toEqual(['b', 'c']);
    const taxed = firm('some', { link: 'land', where: { field: 'tax', op: 'gt', value: 19 } });
    expect(await rowsOf(of({ and: [taxed, { field: 'qty', op: 'lt', value: 3 }] }))).toEqual(['b']);
    const grouped = { source: { table: deals.id }, filter: firm('some', loud), groupBy: [], aggregates: [{ as: 'sum', fn: 'sum', field: 'qty' }] }; // prettier-ignore
    expect(expectStatus(await preview(grouped), 200).data).toMatchObject([{ values: { sum: '4' } }]);
  });

  it('asks for it of each place of a join, of a row that is not there as of one without links', async () => {
    const { deals, firms } = await linked();
    const joined = (filter: object) => ({
      ...{ source: { table: deals.id }, as: 'd', filter, sort: [{ field: 'd.name' }, { field: 'f.name' }] },
      joins: [{ type: 'left', as: 'f', source: { table: firms.id }, on: [{ left: 'd.firm', right: 'f._id' }] }],
      columns: [{ field: 'd.name', as: 'name' }, { field: 'f.name', as: 'firm' }],
    }); // prettier-ignore
    const french = (quantifier: string) => ({ link: 'f.land', quantifier, where: { field: 'name', op: 'eq', value: 'FR' } }); // prettier-ignore
    expect(await rowsOf(joined(french('some')))).toEqual(['b', 'c']);
    expect(await rowsOf(joined(french('none')))).toEqual(['a', 'c', 'd']);
    expect(await rowsOf(joined({ and: [french('every'), firm('none', { field: 'name', op: 'eq', value: 'Acme' })] }))).toEqual(['b', 'd']); // prettier-ignore
  });

  it('alone does: what a view shows is all that a request can speak of', async () => {
    const { deals } = await linked();
    const where = { field: 'loud', op: 'eq', value: 'ACME!' };
    for (const columns of [undefined, ['name', 'firm']]) {
      const definition = { source: { table: deals.id }, ...(columns ? { columns } : {}), filter: firm('some', where) };
      const { id } = await view({ definition });
      expect(refused(await at.owner.post(`/views/${id}/data`, { filter: firm('some', where) }))).toEqual([422, 'filter_invalid', '/filter/link behind_a_link']); // prettier-ignore
      expect(refused(await at.owner.get(`/views/${id}/data?filter=some(firm,loud.eq.x)`))).toEqual([422, 'filter_invalid', '/filter/link behind_a_link']); // prettier-ignore
    }
    const of = (filter: object) => preview({ source: { table: deals.id }, filter });
    expect(refused(await of(firm('some', { field: 'nope', op: 'eq', value: 1 })))).toEqual([422, 'filter_invalid', '/definition/filter/where/field unknown_field']); // prettier-ignore
    expect(refused(await of({ link: 'name', where }))).toEqual([422, 'filter_invalid', '/definition/filter/link not_a_link']); // prettier-ignore
  });

  it('is broken when a column behind a link is gone, and takes no other for it that has its key', async () => {
    const { deals, firms } = await linked();
    const { id } = await view({ definition: { source: { table: deals.id }, filter: firm('some', { field: 'loud', op: 'eq', value: 'ACME!' }) } }); // prettier-ignore
    expect(expectStatus(await at.owner.get<Data>(`/views/${id}/data`), 200).data).toHaveLength(2);
    const loud = firms.columns.find(({ key }) => key === 'loud');
    expectStatus(await at.owner.del(`/tables/${firms.id}/columns/${loud?.id ?? ''}`), 204);
    const finding = '/definition/filter/where/field unknown_field';
    expect(refused(await at.owner.get(`/views/${id}/data`))).toEqual([409, 'view_broken', finding]);
    expectStatus(await at.owner.post(`/tables/${firms.id}/columns`, { name: 'Loud', type: 'text' }), 201);
    expect(refused(await at.owner.get(`/views/${id}/data`))).toEqual([409, 'view_broken', finding]);
  });
});

describe('versions of a view', () => {
  interface Version {
    readonly version: number;
    readonly name: string;
    readonly createdBy: string;
  }
  const versions = async (id: string, query = '') =>
    expectStatus(await people.viewer.get<Page<Version>>(`/views/${id}/versions${query}`), 200);
  const back = (id: string, version: number, tag?: string) =>
    people.editor.post<View>(`/views/${id}/versions/${version}/restore`, {}, tag ? { 'if-match': tag } : {});

  it('keep what it was with each change, by whom and when, and bring it back as a new version', async () => {
    const first = await view({ definition: ofDeals({ columns: ['name'] }) });
    const layout = { type: 'grid', columns: [{ key: 'qty', width: 120 }] };
    const changed = await people.editor.patch<View>(`/views/${first.id}`, {
      ...{ name: `${first.name} b`, definition: ofDeals({ columns: ['qty'] }), settings: { layout } },
    });
    expectStatus(changed, 200);
    expect((await versions(first.id)).data).toEqual([
      { version: 2, name: `${first.name} b`, createdAt: expect.any(String), createdBy: people.editor.user.id },
      { version: 1, name: first.name, createdAt: expect.any(String), createdBy: at.owner.user.id },
    ]);
    expect((await people.viewer.get(`/views/${first.id}/versions/1`)).body).toMatchObject({
      ...{ version: 1, name: first.name, description: null, definition: first.definition, settings: first.settings },
    });
    expect(refused(await back(first.id, 1, '"1"'))).toEqual([412, 'version_mismatch']);
    const restored = expectStatus(await back(first.id, 1, '"2"'), 200);
    expect(restored).toMatchObject({
      ...first,
      version: 3,
      updatedAt: expect.any(String),
      updatedBy: people.editor.user.id,
    });
    const data = await people.viewer.get<Data>(`/views/${first.id}/data?limit=1`);
    expect(Object.keys(fields(expectStatus(data, 200))[0] ?? {})).toEqual(['name']);
    expect(await actions(first.id)).toEqual(['view.created', 'view.updated', 'view.updated']);
    for (const version of ['4', '0', '-1', 'x', '99999999999'])
      expect(refused(await people.viewer.get(`/views/${first.id}/versions/${version}`))).toEqual([404, 'not_found']);
  });

  it('come in pages, the last hundred of them, and a change of nothing makes none', async () => {
    const { id, name, definition } = await view();
    expect(expectStatus(await people.editor.patch<View>(`/views/${id}`, { name, definition }), 200).version).toBe(1);
    for (let i = 2; i <= 103; i++)
      expectStatus(await people.editor.patch(`/views/${id}`, { description: `${i}` }), 200);
    const [newer, all] = [await versions(id, '?limit=60'), await versions(id, '?limit=1000')];
    const older = await versions(id, `?limit=60&cursor=${newer.page.nextCursor ?? ''}`);
    const numbers = [...newer.data, ...older.data].map(({ version }) => version);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => 103 - i));
    expect(all.data.map(({ version }) => version)).toEqual(numbers);
    expect([older.page.nextCursor, all.page.nextCursor]).toEqual([undefined, undefined]);
    expect(refused(await people.viewer.get(`/views/${id}/versions/3`))).toEqual([404, 'not_found']);
    const cursor = Buffer.from('v0').toString('base64url');
    expect(refused(await people.viewer.get(`/views/${id}/versions?cursor=${cursor}`))).toEqual([400, 'cursor_invalid']);
  });

  it('come one after the other when several change it at once', async () => {
    const { id } = await view();
    const patches = Array.from({ length: 8 }, (_, i) =>
      people.editor.patch<View>(`/views/${id}`, { description: `${i}` }),
    );
    const answers = (await Promise.all(patches)).map((answer) => expectStatus(answer, 200).version);
    expect(answers.sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await versions(id)).data).toHaveLength(9);
  });

  it('are not brought back when their sources have gone, or their name', async () => {
    const columns = [
      { name: 'Name', type: 'text' },
      { name: 'Price', type: 'integer' },
    ];
    const table = expectStatus(
      await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: fresh(), columns }),
      201,
    );
    const made = await view({ definition: { source: { table: table.id }, columns: ['price'] } });
    const later = { name: fresh(), definition: { source: { table: table.id }, columns: ['name'] } };
    expectStatus(await people.editor.patch(`/views/${made.id}`, later), 200);
    const heir = await view({ name: made.name });
    expect(refused(await back(made.id, 1))).toEqual([409, 'name_taken', '/name name_taken']);
    expectStatus(await at.owner.del(`/views/${heir.id}`), 204);
    expectStatus(await at.owner.del(`/tables/${table.id}/columns/${table.columns[1]?.id ?? ''}`), 204);
    expect(refused(await back(made.id, 1))).toEqual([409, 'view_broken', '/definition/columns/0 unknown_field']);
    expect((await shown(made)).version).toBe(2);
  });
});

describe('copies of a view', () => {
  it('belong to whoever makes them, and are seen by whom the original is', async () => {
    const original = await view({ definition: ofDeals({ columns: ['name'] }), description: 'Original' });
    const copy = await people.editor.post<View>(`/views/${original.id}/duplicate`, { name: fresh() });
    const { name, ...rest } = expectStatus(copy, 201);
    expect(copy.headers.get('location')).toBe(`/api/v1/views/${rest.id}`);
    expect(rest).toMatchObject({
      ...{ ownerId: people.editor.user.id, version: 1, definition: original.definition, settings: original.settings },
    });
    expect([rest.id === original.id, name === original.name]).toEqual([false, false]);
    expectStatus(await people.viewer.get(`/views/${rest.id}/data`), 200);
    expect(refused(await at.owner.post(`/views/${original.id}/duplicate`, { name: original.name }))).toEqual([
      ...[409, 'name_taken', '/name name_taken'],
    ]);
    expect(refused(await at.owner.post(`/views/${original.id}/duplicate`, {}))).toEqual([
      ...[422, 'validation_failed', '/name is_name'],
    ]);
  });
});

describe('settings of a view', () => {
  const definition = () => ofDeals({ columns: ['name', 'qty', 'due', 'status'] });
  const judged = async (settings: unknown) => {
    const answer = await store(at.owner, { definition: definition(), settings });
    return answer.status === 201 ? answer.body.settings : refused(answer);
  };
  const layout = (given: object) => judged({ layout: given });

  it('are kept as they were sent, for every layout', async () => {
    const color = { filter: { field: 'qty', op: 'gt', value: 2 }, color: '#ffcc00' };
    for (const given of [
      {
        type: 'grid',
        columns: [
          { key: 'qty', width: 120, pinned: 'left', wrap: true },
          { key: 'name', hidden: true },
        ],
        rowHeight: 'tall',
        frozenColumns: 1,
        colorBy: { conditions: [color] },
      },
      { type: 'grid', colorBy: { field: 'status' } },
      { type: 'kanban', stackBy: 'status', cardFields: ['name', 'due'], hideEmptyStacks: true },
      { type: 'calendar', start: 'due', end: 'due', title: 'name' },
      { type: 'gallery', coverFit: 'contain', cardFields: ['name'] },
    ])
      expect(await layout(given)).toEqual({ layout: given });
  });

  it('speak of what the view shows and of nothing else, in members that are known', async () => {
    const at422 = (...errors: readonly string[]) => [422, 'validation_failed', ...errors];
    expect(await judged({})).toEqual(at422('/settings/layout is_object'));
    expect(await judged([])).toEqual(at422('/settings is_object'));
    expect(await judged({ layout: { type: 'grid' }, x: 1 })).toEqual(at422('/settings/x unknown_property'));
    expect(await layout({ type: 'form' })).toEqual(at422('/settings/layout/type is_in'));
    expect(await layout({ type: 'grid', stackBy: 'status' })).toEqual(
      at422('/settings/layout/stackBy unknown_property'),
    );
    expect(await layout({ type: 'kanban' })).toEqual(at422('/settings/layout/stackBy is_string'));
    expect(await layout({ type: 'kanban', stackBy: 'amount' })).toEqual(
      at422('/settings/layout/stackBy unknown_field'),
    );
    expect(await layout({ type: 'calendar', start: 'name' })).toEqual(at422('/settings/layout/start wrong_type'));
    expect(await layout({ type: 'gallery', coverFit: 'x' })).toEqual(at422('/settings/layout/coverFit is_in'));
    expect(await layout({ type: 'gallery', cardFields: ['name', 'name'] })).toEqual(
      at422('/settings/layout/cardFields/1 duplicate_key'),
    );
    const columns = (...given: readonly unknown[]) => layout({ type: 'grid', columns: given });
    expect(await columns({ key: 'name', width: 39 })).toEqual(at422('/settings/layout/columns/0/width out_of_range'));
    expect(await columns({ key: 'name' }, { key: 'name' })).toEqual(
      at422('/settings/layout/columns/1/key duplicate_key'),
    );
    expect(await columns({ key: 'amount' })).toEqual(at422('/settings/layout/columns/0/key unknown_field'));
    expect(await columns({ key: 'name', pinned: 'right' })).toEqual(at422('/settings/layout/columns/0/pinned is_in'));
    expect(await columns({ key: 'name', hidden: 1 })).toEqual(at422('/settings/layout/columns/0/hidden is_boolean'));
    const colors = (colorBy: unknown) => layout({ type: 'grid', colorBy });
    expect(await colors({})).toEqual(at422('/settings/layout/colorBy invalid_colors'));
    const by = (filter: object, color: string) => colors({ conditions: [{ filter, color }] });
    expect(await by({ field: 'qty', op: 'gt', value: 2 }, 'red')).toEqual(
      at422('/settings/layout/colorBy/conditions/0/color is_color'),
    );
    expect(await by({ field: 'amount', op: 'gt', value: 2 }, '#000000')).toEqual([
      ...[422, 'filter_invalid', '/settings/layout/colorBy/conditions/0/filter/field unknown_field'],
    ]);
  });

  it('of groups speak of their keys and aggregates', async () => {
    const groups = ofDeals({ groupBy: [{ field: 'status' }], aggregates: [{ as: 'total', fn: 'sum', field: 'qty' }] });
    const asked = (key: string) =>
      store(at.owner, { definition: groups, settings: { layout: { type: 'grid', columns: [{ key }] } } });
    expect((await asked('status')).status).toBe(201);
    expect((await asked('total')).status).toBe(201);
    expect(refused(await asked('qty'))).toEqual([
      ...[422, 'validation_failed', '/settings/layout/columns/0/key unknown_field'],
    ]);
  });

  it('are changed alone, and stay when only the definition changes', async () => {
    const { id } = await view({
      definition: definition(),
      settings: { layout: { type: 'kanban', stackBy: 'status' } },
    });
    const calendar = { layout: { type: 'calendar', start: 'due' } };
    const changed = await people.editor.patch<View>(`/views/${id}`, { settings: calendar });
    expect(expectStatus(changed, 200)).toMatchObject({ settings: calendar, definition: definition(), version: 2 });
    const narrower = await people.editor.patch<View>(`/views/${id}`, { definition: ofDeals({ columns: ['name'] }) });
    expect(expectStatus(narrower, 200)).toMatchObject({ settings: calendar, version: 3 });
    const titled = { layout: { type: 'calendar', start: 'due', title: 'name' } };
    expect(refused(await people.editor.patch(`/views/${id}`, { settings: titled }))).toEqual([
      ...[422, 'validation_failed', '/settings/layout/start unknown_field'],
    ]);
  });
});

describe('private views', () => {
  it('are seen by their owner only, whatever roles others have', async () => {
    const { editor, admin, viewer } = people;
    const own = await view({ visibility: 'private' }, editor);
    const mine = await shown(own, editor);
    expect([mine.visibility, mine.ownerId]).toEqual(['private', editor.user.id]);
    expectStatus(await editor.get(`/views/${own.id}/data`), 200);
    const nothing = await at.owner.get<ProblemBody>(`/views/${randomUUID()}`);
    for (const other of [at.owner, admin, viewer]) {
      const answers = [
        await other.get(`/views/${own.id}`),
        await other.get(`/views/${own.id}/data`),
        await other.post(`/views/${own.id}/data`, {}),
        await other.post(`/views/${own.id}/explain`, {}),
        await other.patch(`/views/${own.id}`, { name: fresh() }),
        await other.del(`/views/${own.id}`),
        await other.post(`/views/${own.id}/duplicate`, { name: fresh() }),
        await other.get(`/views/${own.id}/versions`),
        await other.get(`/views/${own.id}/versions/1`),
        await other.post(`/views/${own.id}/versions/1/restore`, {}),
      ];
      expect(answers.map(refused)).toEqual(answers.map(() => [404, 'not_found']));
      expect((answers[0]?.body as ProblemBody).detail).toBe(nothing.body.detail);
      expect(await names(other)).not.toContain(own.name);
    }
    expect(await names(editor)).toContain(own.name);
    expectStatus(await editor.del(`/views/${own.id}`), 204);
    expect(refused(await admin.post(`/views/${own.id}/restore`, {}))).toEqual([404, 'not_found']);
    expect(await names(admin, '&trashed=true')).not.toContain(own.name);
    expect(await names(editor, '&trashed=true')).toContain(own.name);
    expectStatus(await editor.post(`/views/${own.id}/restore`, {}), 200);
  });

  it('take no name from others, and tell nobody their own', async () => {
    const { name } = await view({ visibility: 'private' }, people.editor);
    expectStatus(await store(people.admin, { name, visibility: 'private' }), 201);
    const shared = await view({ name });
    expect(refused(await store(people.editor, { name, visibility: 'private' }))).toEqual([
      ...[409, 'name_taken', '/name name_taken'],
    ]);
    expect(refused(await people.editor.patch(`/views/${shared.id}`, { visibility: 'private' }))).toEqual([
      ...[422, 'validation_failed', '/visibility not_owner'],
    ]);
  });

  it('show admins no more in the audit log than that there are such', async () => {
    const { id, name } = await view({ visibility: 'private' }, people.editor);
    const entries = await sql(pair.main, 'select * from audit_log where resource_id = $1', [id]);
    expect(entries).toHaveLength(1);
    expect(JSON.stringify(entries)).not.toContain(name);
    expect(JSON.stringify(entries)).not.toContain('definition');
  });

  it('go to the trash when their owner leaves, and those of the workspace stay', async () => {
    const leaver = await member(at, 'editor');
    const [own, shared] = [await view({ visibility: 'private' }, leaver), await view({}, leaver)];
    const listed = await at.owner.get<Page<{ id: string; user: { id: string } }>>(
      `/workspaces/${at.workspace.id}/members?limit=1000`,
    );
    const membership = listed.body.data.find(({ user }) => user.id === leaver.user.id);
    expectStatus(await at.owner.del(`/workspaces/${at.workspace.id}/members/${membership?.id ?? ''}`), 204);
    await waitFor(async () => (await actions(own.id)).includes('view.deleted by system'));
    expect(await actions(own.id)).toEqual(['view.created', 'view.deleted by system']);
    expect((await shown(shared)).ownerId).toBe(leaver.user.id);
  });
});

describe('the upkeep of views', () => {
  const sweep = () => app.app.get(ViewUpkeep).sweep();
  const age = (id: string, days: number) =>
    sql(pair.main, 'update views set deleted_at = now() - make_interval(days => $2) where id = $1', [id, days]);

  it('purges what has been in the trash for long enough, and nothing before', async () => {
    const [old, young] = [await view(), await view()];
    for (const { id } of [old, young]) expectStatus(await at.owner.del(`/views/${id}`), 204);
    await age(old.id, 31);
    await age(young.id, 29);
    expect(await sweep()).toEqual({ purged: 1, orphaned: 0 });
    expect(await sweep()).toEqual({ purged: 0, orphaned: 0 });
    expect(await sql(pair.main, 'select 1 from view_versions where view_id = $1', [old.id])).toEqual([]);
    expect(await actions(old.id)).toEqual(['view.created', 'view.deleted', 'view.purged by system']);
    expect(refused(await at.owner.post(`/views/${old.id}/restore`, {}))).toEqual([404, 'not_found']);
    const { data } = (await at.owner.get<Page<View>>(`${path()}?trashed=true&limit=1000`)).body;
    expect(data.find(({ id }) => id === young.id)?.daysLeft).toBe(1);
    expectStatus(await at.owner.post(`/views/${young.id}/restore`, {}), 200);
    expect(await names(at.owner)).toContain(young.name);
  });

  it('finds private views whose owner left unheard, but not those of a workspace in the trash', async () => {
    const leaver = await member(at, 'editor');
    const own = await view({ visibility: 'private' }, leaver);
    await sql(pair.main, 'delete from workspace_members where user_id = $1', [leaver.user.id]);
    const place = expectStatus(await leaver.post<{ id: string }>('/workspaces', { name: 'Own' }), 201);
    const base = expectStatus(await leaver.post<{ id: string }>(`/workspaces/${place.id}/bases`, { name: 'B' }), 201);
    const columns = [{ name: 'Name', type: 'text' }];
    const table = expectStatus(await leaver.post<Table>(`/bases/${base.id}/tables`, { name: 'T', columns }), 201);
    const kept = await leaver.post<View>(`/workspaces/${place.id}/views`, {
      ...{ name: 'Mine', visibility: 'private', definition: { source: { table: table.id } } },
    });
    expectStatus(await leaver.del(`/workspaces/${place.id}`), 204);
    expect(await sweep()).toEqual({ purged: 0, orphaned: 1 });
    expect(await actions(own.id)).toEqual(['view.created', 'view.deleted by system']);
    expect(await actions(expectStatus(kept, 201).id)).toEqual(['view.created']);
  });
});
