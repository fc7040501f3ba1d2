import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  databases,
  expectStatus,
  member,
  sql,
  startNode,
  world,
  type ProblemBody,
  type Row,
  type Table,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

interface Base {
  readonly id: string;
  readonly name: string;
}
interface View {
  readonly id: string;
  readonly name: string;
  readonly visibility: string;
  readonly ownerId: string;
  readonly definition: { readonly source: { readonly table: string } };
  readonly problem?: ProblemBody;
}
interface List<T> {
  readonly data: readonly T[];
}
interface Template {
  readonly views: readonly (object & { readonly name: string })[];
  readonly viewsLeftOut?: readonly object[];
}

let pair: TestDatabases;
let node: TestNode;
beforeAll(async () => {
  pair = await databases();
  node = await startNode({ databases: pair });
}, 120_000);

const FORMAT = 'live-tables/template@1';
const use = <T = Base>({ owner, workspace }: World, body: object) =>
  owner.post<T>(`/workspaces/${workspace.id}/bases/from-template`, body);
const exported = async ({ owner }: World, base: Base): Promise<Template> =>
  expectStatus(await owner.get<Template>(`/bases/${base.id}/template`), 200);
const viewsOf = async ({ owner, workspace }: World): Promise<readonly View[]> =>
  expectStatus(await owner.get<List<View>>(`/workspaces/${workspace.id}/views?limit=1000`), 200).data;
const tablesOf = async ({ owner }: World, base: Base): Promise<readonly Table[]> =>
  expectStatus(await owner.get<List<Table>>(`/bases/${base.id}/tables`), 200).data;
const store = async ({ owner, workspace }: World, body: object): Promise<View> =>
  expectStatus(await owner.post<View>(`/workspaces/${workspace.id}/views`, body), 201);
const shown = async ({ owner }: World, view: View | undefined): Promise<readonly object[]> =>
  expectStatus(await owner.post<List<Row>>(`/views/${view?.id}/data`, {}), 200).data.map(({ fields }) => fields);
const actions = async (id: string): Promise<readonly unknown[]> =>
  (await sql<{ action: string }>(pair.main, 'select action from audit_log where resource_id = $1', [id])).map(
    ({ action }) => action,
  );

/** Views of all kinds over the table of a new world, and one that reads a table of another base, too. */
async function withViews(): Promise<World> {
  const at = await world(node.base);
  const source = { table: at.table.id };
  for (const [name, qty] of [
    ['Anna', 3],
    ['Berta', 1],
  ])
    expectStatus(await at.owner.post(`/tables/${at.table.id}/rows`, { fields: { name, qty } }), 201);
  await store(at, {
    name: 'Many',
    description: 'More than two',
    definition: {
      source,
      as: 'd',
      computed: [{ key: 'twice', name: 'Twice', formula: '{d.qty} * 2' }],
      filter: { field: 'd.qty', op: 'gt', value: 2 },
      sort: [{ field: 'twice', dir: 'desc' }],
      columns: ['d.name', { field: 'd.qty', as: 'pieces' }, 'twice'],
    },
    settings: { layout: { type: 'grid', columns: [{ key: 'pieces', width: 90 }], rowHeight: 'tall' } },
  });
  await store(at, {
    name: 'Pairs',
    definition: {
      ...{ source, as: 'a' },
      joins: [{ type: 'inner', as: 'b', source, on: [{ left: 'a.qty', right: 'b.qty' }] }],
      columns: ['a.name', { field: 'b.name', as: 'other' }],
    },
  });
  await store(at, {
    name: 'Per status',
    definition: { source, groupBy: [{ field: 'status' }], aggregates: [{ as: 'n', fn: 'count' }] },
  });
  await store(at, { name: 'Mine', visibility: 'private', definition: { source } });
  return at;
}

/** A table of another base of the same workspace. */
async function elsewhere(at: World): Promise<Table> {
  const { owner, workspace } = at;
  const base = expectStatus(await owner.post<Base>(`/workspaces/${workspace.id}/bases`, { name: 'Other' }), 201);
  const columns = [{ name: 'Name', type: 'text' }];
  return expectStatus(await owner.post<Table>(`/bases/${base.id}/tables`, { name: 'Names', columns }), 201);
}

describe('views in the document of a base', () => {
  it('are the same after an export, an import and an export, with their settings', async () => {
    const at = await withViews();
    const document = await exported(at, at.base);
    expect(document.views).toMatchObject([
      {
        name: 'Many',
        description: 'More than two',
        definition: { source: { table: 'deals' }, columns: ['d.name', { field: 'd.qty', as: 'pieces' }, 'twice'] },
        settings: { layout: { rowHeight: 'tall' } },
      },
      { name: 'Pairs', definition: { joins: [{ source: { table: 'deals' } }] } },
      { name: 'Per status' },
    ]);
    expect(document).not.toHaveProperty('viewsLeftOut');
    const there = await world(node.base);
    const base = expectStatus(await use(there, { name: 'CRM 2', template: document }), 201);
    expect(await exported(there, base)).toEqual({ ...document, name: 'CRM 2' });
    const [table] = await tablesOf(there, base);
    const [many, pairs, grouped] = await viewsOf(there);
    expect(many).toMatchObject({ visibility: 'workspace', ownerId: there.owner.user.id, version: 1 });
    expect(await actions(many?.id ?? '')).toEqual(['view.created']);
    for (const [name, qty] of [
      ['Clara', 5],
      ['Dora', 2],
    ])
      expectStatus(await there.owner.post(`/tables/${table?.id}/rows`, { fields: { name, qty, status: 'won' } }), 201);
    expect(await shown(there, many)).toEqual([{ name: 'Clara', pieces: 5, twice: '10' }]);
    expect(await shown(there, pairs)).toHaveLength(2);
    const { data } = expectStatus(await there.owner.post<List<object>>(`/views/${grouped?.id}/data`, {}), 200);
    expect(data).toEqual([{ group: { status: 'won' }, values: { n: 2 } }]);
    // A version that can be read and restored, as of every view.
    expectStatus(await there.owner.get(`/views/${many?.id}/versions/1`), 200);
  });

  it('are named after the base, too, where the workspace has a view of the name', async () => {
    const at = await withViews();
    const template = await exported(at, at.base);
    const name = 'CRM 2';
    expectStatus(await use(at, { name, template: { ...template, views: template.views.slice(0, 1) } }), 201);
    await store(at, { name: 'MANY (crm 3)', definition: { source: { table: at.table.id } } });
    expectStatus(await use(at, { name: 'CRM 3', template: { ...template, views: template.views.slice(0, 1) } }), 201);
    const names = (await viewsOf(at)).map((view) => view.name);
    expect(names).toEqual(expect.arrayContaining(['Many', 'Many (CRM 2)', 'Many (CRM 3) 2']));
  });

  it('are left out and told where they read something else, name somebody, or are broken', async () => {
    const at = await withViews();
    const other = await elsewhere(at);
    const source = { table: at.table.id };
    await store(at, {
      name: 'Both',
      definition: {
        ...{ source, as: 'd' },
        joins: [{ as: 'o', source: { table: other.id }, on: [{ left: 'd.name', right: 'o.name' }] }],
      },
    });
    await store(at, { name: 'Of others', definition: { source: { table: other.id } } });
    const { user } = at.owner;
    const who = { field: 'created_by', op: 'eq', value: user.id };
    const person = { name: 'Who', type: 'created_by' };
    expectStatus(await at.owner.post(`/tables/${at.table.id}/columns`, person), 201);
    const { columns } = expectStatus(await at.owner.get<Table>(`/tables/${at.table.id}`), 200);
    const key = columns.at(-1)?.key;
    await store(at, { name: 'By me', definition: { source, filter: { ...who, field: key } } });
    await store(at, {
      name: 'By whom it is',
      definition: { source, filter: { ...who, field: key, value: { $me: true } } },
    });
    await store(at, {
      name: 'Coloured',
      definition: { source },
      settings: {
        layout: { type: 'grid', colorBy: { conditions: [{ filter: { ...who, field: key }, color: '#ffcc00' }] } },
      },
    });
    const extra = expectStatus(
      await at.owner.post<{ id: string; key: string }>(`/tables/${at.table.id}/columns`, {
        name: 'Gone',
        type: 'text',
      }),
      201,
    );
    await store(at, { name: 'Broken', definition: { source, columns: [extra.key] } });
    await store(at, {
      name: 'Stale',
      definition: { source },
      settings: { layout: { type: 'grid', columns: [{ key: extra.key }] } },
    });
    expectStatus(await at.owner.del(`/tables/${at.table.id}/columns/${extra.id}`), 204);
    const document = await exported(at, at.base);
    expect(document.views.map(({ name }) => name)).toEqual([
      'Many',
      'Pairs',
      'Per status',
      'By whom it is',
      'Coloured',
      'Stale',
    ]);
    expect(document.viewsLeftOut).toEqual([
      { view: 'Both', part: 'view', reason: 'other_sources' },
      { view: 'By me', part: 'view', reason: 'names_ids' },
      { view: 'Coloured', part: 'settings', reason: 'names_ids' },
      { view: 'Broken', part: 'view', reason: 'broken' },
      { view: 'Stale', part: 'settings', reason: 'broken' },
    ]);
    expect(JSON.stringify(document)).not.toContain(user.id);
    // What is told is no hindrance to whoever uses the document.
    expectStatus(await use(await world(node.base), { name: 'There', template: document }), 201);
  });

  const view = (over: object) => ({ name: 'V', definition: { source: { table: 'a' } }, ...over });
  const over = (definition: object) => view({ definition: { source: { table: 'a' }, ...definition } });
  it.each([
    ['none', [1], '/template/views/0', 'is_object'],
    ['an unknown member', [view({ visibility: 'private' })], '/template/views/0/visibility', 'unknown_property'],
    ['no name', [view({ name: '' })], '/template/views/0/name', 'is_name'],
    ['one name twice', [view({}), view({ name: 'v' })], '/template/views/1/name', 'name_taken'],
    [
      'an unknown table',
      [view({}), view({ name: 'W', definition: { source: { table: 'b' } } })],
      '/template/views/1/definition/source/table',
      'unknown_table',
    ],
    [
      'a table of the prototype',
      [view({ definition: { source: { table: '__proto__' } } })],
      '/template/views/0/definition/source/table',
      'unknown_table',
    ],
    [
      'a connection',
      [view({ definition: { source: { connection: 'c', object: 'o' } } })],
      '/template/views/0/definition/source',
      'not_portable',
    ],
    [
      'a person',
      [over({ filter: { field: 'n', op: 'eq', value: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' } })],
      '/template/views/0/definition',
      'not_portable',
    ],
    ['an unknown column', [over({ columns: ['n', 'm'] })], '/template/views/0/definition/columns/1', 'unknown_field'],
    [
      'a filter that does not fit',
      [over({ filter: { field: 'z', op: 'eq', value: 'x' } })],
      '/template/views/0/definition/filter/field',
      'unknown_field',
    ],
    [
      'a formula that is none',
      [over({ computed: [{ key: 'k', formula: '{n} +' }] })],
      '/template/views/0/definition/computed/0/formula',
      undefined,
    ],
    [
      'settings of what it does not show',
      [view({ settings: { layout: { type: 'kanban', stackBy: 'z' } } })],
      '/template/views/0/settings/layout/stackBy',
      'unknown_field',
    ],
  ])('are refused that have %s, and nothing is made', async (_, views, pointer, code) => {
    const at = await world(node.base);
    const tables = [{ name: 'A', columns: [{ name: 'N', type: 'text' }] }];
    const answer = await use<ProblemBody>(at, { name: 'Bad', template: { format: FORMAT, tables, views } });
    expect(expectStatus(answer, 422).errors).toContainEqual(
      expect.objectContaining({ pointer, ...(code === undefined ? {} : { code }) }),
    );
    expect(await viewsOf(at)).toEqual([]);
    const { data } = expectStatus(await at.owner.get<List<Base>>(`/workspaces/${at.workspace.id}/bases`), 200);
    expect(data.map(({ name }) => name)).toEqual(['CRM']);
  });

  it('are at most 200', async () => {
    const at = await world(node.base);
    const views = Array.from({ length: 201 }, (_, i) => view({ name: `V ${i}` }));
    const tables = [{ name: 'A', columns: [{ name: 'N', type: 'text' }] }];
    const answer = await use<ProblemBody>(at, { name: 'Many', template: { format: FORMAT, tables, views } });
    expect(expectStatus(answer, 422).code).toBe('limit_reached');
    const made = await use(at, { name: 'Many', template: { format: FORMAT, tables, views: views.slice(1) } });
    expect((await exported(at, expectStatus(made, 201))).views).toHaveLength(200);
  });

  it('are made once of a request that is repeated', async () => {
    const at = await world(node.base);
    const path = `/workspaces/${at.workspace.id}/bases/from-template`;
    const headers = { 'idempotency-key': 'once' };
    const first = expectStatus(await at.owner.post<Base>(path, { templateId: 'crm', name: 'Ours' }, headers), 201);
    expect(expectStatus(await at.owner.post<Base>(path, { templateId: 'crm', name: 'Ours' }, headers), 201)).toEqual(
      first,
    );
    expect((await viewsOf(at)).map(({ name }) => name)).toEqual(['Pipeline', 'Tasks to do']);
  });
});

describe('views of a copy', () => {
  it('of a base read the tables of the copy, and leave those of the original as they are', async () => {
    const at = await withViews();
    const other = await elsewhere(at);
    await store(at, {
      name: 'Both',
      definition: {
        ...{ source: { table: at.table.id }, as: 'd' },
        joins: [{ as: 'o', source: { table: other.id }, on: [{ left: 'd.name', right: 'o.name' }] }],
      },
    });
    const before = await viewsOf(at);
    const body = { name: 'CRM 2', withRows: true };
    const copy = expectStatus(await at.owner.post<Base>(`/bases/${at.base.id}/duplicate`, body), 201);
    const [table] = await tablesOf(at, copy);
    const after = await viewsOf(at);
    expect(after.slice(0, before.length)).toEqual(before);
    const made = after.slice(before.length);
    expect(made.map(({ name }) => name)).toEqual(['Many (CRM 2)', 'Pairs (CRM 2)', 'Per status (CRM 2)']);
    for (const { definition } of made) expect(definition.source).toEqual({ table: table?.id });
    const [many] = made;
    expectStatus(await at.owner.post(`/tables/${table?.id}/rows`, { fields: { name: 'Clara', qty: 9 } }), 201);
    expect(await shown(at, many)).toEqual([
      { name: 'Clara', pieces: 9, twice: '18' },
      { name: 'Anna', pieces: 3, twice: '6' },
    ]);
    expect(await shown(at, before[0])).toEqual([{ name: 'Anna', pieces: 3, twice: '6' }]);
    // The copy knows its columns by their ids: one that is gone does not become another one of its key.
    const qty = table?.columns.find(({ key }) => key === 'qty')?.id;
    expectStatus(await at.owner.del(`/tables/${table?.id}/columns/${qty}`), 204);
    expectStatus(await at.owner.post(`/tables/${table?.id}/columns`, { name: 'Qty', type: 'integer' }), 201);
    const read = async (view: View | undefined) =>
      expectStatus(await at.owner.get<View>(`/views/${view?.id}`), 200).problem?.code;
    expect(await read(many)).toBe('view_broken');
    expect(await read(before[0])).toBeUndefined();
  });

  it('of a table read the copy', async () => {
    const at = await withViews();
    const path = `/tables/${at.table.id}/duplicate`;
    const copy = expectStatus(await at.owner.post<Table>(path, { name: 'Deals 2', withRows: true }), 201);
    const made = (await viewsOf(at)).slice(4);
    expect(made.map(({ name }) => name)).toEqual(['Many (Deals 2)', 'Pairs (Deals 2)', 'Per status (Deals 2)']);
    for (const { definition } of made) expect(definition.source).toEqual({ table: copy.id });
    expect(await shown(at, made[0])).toEqual([{ name: 'Anna', pieces: 3, twice: '6' }]);
  });

  it('are not those that somebody has for himself', async () => {
    const at = await withViews();
    const admin = await member(at, 'admin');
    expectStatus(await admin.post(`/bases/${at.base.id}/duplicate`, { name: 'CRM 2' }), 201);
    const names = (await viewsOf(at)).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('Mine'))).toEqual(['Mine']);
  });
});
