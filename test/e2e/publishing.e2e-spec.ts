import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  databases,
  expectStatus,
  member,
  sql,
  startApp,
  world,
  type Answer,
  type Client,
  type ProblemBody,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { putRules } from '../support/rules.js';

interface View {
  readonly id: string;
  readonly version: number;
}
interface Api {
  readonly slug: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly columns: readonly { readonly key: string; readonly type: string; readonly list: boolean }[];
  readonly viewVersion: number;
  readonly version: number;
  readonly [more: string]: unknown;
}

let pair: TestDatabases;
let app: TestApp;
let at: World;

beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
}, 120_000);

let made = 0;
const store = async (over: object = {}, more: object = {}, as: Client = at.owner): Promise<View> => {
  const definition = { source: { table: at.table.id }, ...over };
  const path = `/workspaces/${at.workspace.id}/views`;
  return expectStatus(await as.post<View>(path, { name: `View ${(made += 1)}`, definition, ...more }), 201);
};
const publish = ({ id }: View, settings: object = {}, as: Client = at.owner) =>
  as.post<Api>(`/views/${id}/api`, settings);
const refused = (answer: Answer<unknown>): readonly unknown[] => {
  const { status, code, errors } = answer.body as ProblemBody;
  return [status, code, ...(errors ?? []).map(({ pointer, code: finding }) => `${pointer} ${finding}`)];
};
const keys = ({ columns }: Api): readonly string[] => columns.map(({ key }) => key);

describe('publishing a view', () => {
  it('answers with settings that show as little as possible, and with an address that nobody guesses', async () => {
    const view = await store({ columns: ['name', 'qty'] });
    const answer = await publish(view);
    const api = expectStatus(answer, 201);
    expect(answer.headers.get('location')).toBe(`/api/v1/views/${view.id}/api`);
    expect(api).toEqual({
      ...{ viewId: view.id, enabled: true, slug: expect.stringMatching(/^[0-9a-f]{32}$/) },
      url: `/public/views/${api.slug}/data`,
      ...{
        auth: 'key',
        cacheSeconds: 0,
        staleWhileRevalidateSeconds: 0,
        staleIfErrorSeconds: 0,
        rateLimit: { limit: 600, windowSeconds: 60 },
        corsOrigins: [],
      },
      ...{ filterable: [], sortable: [], maxLimit: 100, page: false, apiVersion: 1, viewVersion: 1, version: 1 },
      columns: [
        { key: 'name', name: 'Name', type: 'text', list: false },
        { key: 'qty', name: 'Qty', type: 'integer', list: false },
      ],
      rights: { userId: at.owner.user.id, role: 'owner', at: api.updatedAt, rules: [] },
      ...{ createdAt: expect.any(String), createdBy: at.owner.user.id },
      ...{ updatedAt: expect.any(String), updatedBy: at.owner.user.id },
    });
    expect(expectStatus(await at.owner.get<Api>(`/views/${view.id}/api`), 200)).toEqual(api);
  });

  it('is changed, disabled, ended, and written down', async () => {
    const view = await store();
    expect(refused(await at.owner.get(`/views/${view.id}/api`))).toEqual([404, 'not_found']);
    expect(refused(await at.owner.patch(`/views/${view.id}/api`, { enabled: false }))).toEqual([404, 'not_found']);
    const first = expectStatus(await publish(view, { filterable: ['qty'] }), 201);
    const change = { enabled: false, sortable: ['qty', 'name'], rateLimit: { limit: 5, windowSeconds: 1 } };
    const second = expectStatus(await at.owner.patch<Api>(`/views/${view.id}/api`, change), 200);
    expect(second).toMatchObject({ ...change, filterable: ['qty'], slug: first.slug, version: 2 });
    expect((await at.owner.del(`/views/${view.id}/api`)).status).toBe(204);
    expect(refused(await at.owner.get(`/views/${view.id}/api`))).toEqual([404, 'not_found']);
    expect(refused(await at.owner.del(`/views/${view.id}/api`))).toEqual([404, 'not_found']);
    const rows = await sql<{
      action: string;
      before: { enabled?: boolean } | null;
      after: { enabled?: boolean } | null;
    }>(
      pair.main,
      `select action, before, after from audit_log where resource_id = $1 and action ~ 'publi' order by id`,
      [view.id],
    );
    expect(rows.map(({ action, before, after }) => [action, before?.enabled, after?.enabled])).toEqual([
      ['view.published', undefined, true],
      ['view.publication_changed', true, false],
      ['view.unpublished', false, undefined],
    ]);
  });

  it('takes an address that is free, and no reserved or misspelt one', async () => {
    const [one, other] = [await store(), await store()];
    expectStatus(await publish(one, { slug: 'open-deals' }), 201);
    expect(refused(await publish(other, { slug: 'open-deals' }))).toEqual([409, 'name_taken', '/slug name_taken']);
    for (const slug of ['api', 'ab', 'Open', 'a--b', '-ab', 'a_b', 'a/b', 'ä-b', '../x', 'a'.repeat(65), 7, null])
      expect((await publish(other, { slug })).status).toBe(422);
    expectStatus(await publish(other, { slug: 'other-deals' }), 201);
    const taken = await at.owner.patch(`/views/${other.id}/api`, { slug: 'open-deals' });
    expect(refused(taken)).toEqual([409, 'name_taken', '/slug name_taken']);
    expect((await at.owner.del(`/views/${one.id}/api`)).status).toBe(204);
    expect(expectStatus(await at.owner.patch<Api>(`/views/${other.id}/api`, { slug: 'open-deals' }), 200).slug).toBe(
      'open-deals',
    );
  });

  it('refuses settings that make no sense', async () => {
    const view = await store({ columns: ['name', 'qty'] });
    const wrong: readonly (readonly [object, string])[] = [
      [{ auth: 'secret' }, '/auth is_in'],
      [{ slug: 'api' }, '/slug is_not_reserved'],
      [{ slug: null }, '/slug matches'],
      [{ cacheSeconds: -1 }, '/cacheSeconds min'],
      [{ cacheSeconds: 0.5 }, '/cacheSeconds is_int'],
      [{ staleWhileRevalidateSeconds: 60 }, '/staleWhileRevalidateSeconds not_external'],
      [{ maxLimit: 0 }, '/maxLimit min'],
      [{ maxLimit: 1001 }, '/maxLimit max'],
      [{ rateLimit: { limit: 0, windowSeconds: 1 } }, '/rateLimit/limit min'],
      [{ corsOrigins: ['https://example.com/'] }, '/corsOrigins is_origin'],
      [{ corsOrigins: ['null'] }, '/corsOrigins is_origin'],
      [{ filterable: ['notes'] }, '/filterable/0 not_filterable'],
      [{ sortable: ['name', 'nothing'] }, '/sortable/1 not_sortable'],
      [{ filterable: 'qty' }, '/filterable is_array'],
      [{ enabled: null }, '/enabled is_boolean'],
    ];
    for (const [settings, finding] of wrong) {
      const answer = await publish(view, settings);
      expect([settings, ...refused(answer)]).toEqual(
        expect.arrayContaining([settings, 422, 'validation_failed', finding]),
      );
    }
    expect((await publish(view, { secret: 1 })).status).toBe(422);
  });

  it('is for admins, and for views that they see', async () => {
    const view = await store();
    const [admin, editor] = [await member(at, 'admin'), await member(at, 'editor')];
    expect(refused(await publish(view, {}, editor))).toEqual([403, 'role_too_low']);
    const own = await store({}, { visibility: 'private' });
    expect(refused(await publish(own, {}, admin))).toEqual([404, 'not_found']);
    expectStatus(await publish(own, { slug: 'of-nobody-else' }), 201);
    expectStatus(await at.owner.post(`/views/${own.id}/api/keys`, { name: 'Of nobody else' }), 201);
    expectStatus(await at.owner.patch(`/views/${own.id}/api`, { enabled: false }), 200);
    const log = await admin.get(`/workspaces/${at.workspace.id}/audit-logs?limit=20`);
    expect(expectStatus(log, 200)).toEqual(expect.objectContaining({ data: expect.anything() }));
    expect(log.text).toContain('Private view');
    expect(log.text).not.toMatch(/of.nobody.else/i);
    expect(refused(await admin.get(`/views/${own.id}/api`))).toEqual([404, 'not_found']);
    expectStatus(await publish(view, {}, admin), 201);
  });
});

describe('whose rights are published', () => {
  interface Rights {
    readonly role: string;
    readonly userId: string;
    readonly rules: readonly unknown[];
  }
  const rightsOf = (api: unknown) => (api as { readonly rights: Rights }).rights;

  it('is said with each version, with the tables whose rules leave nothing out, as they were then', async () => {
    const admin = await member(at, 'admin');
    const make = async (name: string, columns: readonly object[]) =>
      expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name, columns }), 201);
    const people = await make('Payroll', [
      { name: 'Name', type: 'text' },
      { name: 'Salary', type: 'integer' },
      { name: 'Boss', type: 'text' },
    ]);
    const teams = await make('Teams', [
      { name: 'Name', type: 'text' },
      { name: 'People', type: 'link', options: { tableId: people.id } },
    ]);
    const columnId = ({ columns }: Table, key: string) => columns.find((column) => column.key === key)?.id;
    const options = { linkColumnId: columnId(teams, 'people'), columnId: columnId(people, 'salary'), fn: 'sum' };
    expectStatus(await at.owner.post(`/tables/${teams.id}/columns`, { name: 'Cost', type: 'rollup', options }), 201);
    await putRules(
      at.owner,
      people,
      { name: 'own', columns: { hidden: ['salary'] } },
      { name: 'none', read: { filter: { field: 'name', op: 'isNull' } } },
    );
    const view = await store({ source: { table: teams.id }, columns: ['name', 'cost'] });
    const api = expectStatus(await publish(view, { auth: 'public' }, admin), 201);
    const told = {
      ...{ userId: admin.user.id, role: 'admin', at: api.updatedAt },
      rules: [{ tableId: people.id, table: 'Payroll', rules: 2, hiddenColumns: ['salary'] }],
    };
    expect(rightsOf(api)).toEqual(told);

    // Frozen: rules that come later are told when it is published again, and by the version that is published then.
    await putRules(at.owner, teams, { name: 'some', columns: { hidden: ['name'] } });
    await putRules(at.owner, people);
    expect(rightsOf(expectStatus(await at.owner.get<Api>(`/views/${view.id}/api`), 200))).toEqual(told);
    const next = expectStatus(await publish(view, { asNewVersion: true }), 201);
    expect(rightsOf(next)).toMatchObject({
      ...{ userId: at.owner.user.id, role: 'owner' },
      rules: [{ tableId: teams.id, table: 'Teams', rules: 1, hiddenColumns: ['name'] }],
    });
    const { data } = expectStatus(
      await at.owner.get<{ data: readonly unknown[] }>(`/views/${view.id}/api/versions`),
      200,
    );
    expect(data.map(rightsOf)).toEqual([rightsOf(next), told]);
    // Readers are told nothing of it.
    const path = `/public/views/${api.slug}`;
    const document = expectStatus(await at.owner.get(`${path}/openapi.json`), 200);
    expect(JSON.stringify(document)).not.toMatch(/salary|rights/i);
    const row = expectStatus(await at.owner.get(`${path}/data`), 200);
    expect(JSON.stringify(row)).not.toContain('rights');
  });
});

describe('the rules that a publication goes past', () => {
  it('are those of tables of which it shows something that they keep from somebody, and no others', async () => {
    const make = async (name: string) =>
      expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `${name} of rules`, columns: [{ name: 'Name', type: 'text' }, { name: 'Note', type: 'text' }] }), 201); // prettier-ignore
    const [shops, towns, lands] = [await make('Shops'), await make('Towns'), await make('Lands')];
    const column = async (of: Table, body: object) =>
      expectStatus(await at.owner.post(`/tables/${of.id}/columns`, body), 201);
    await column(shops, { name: 'Town', type: 'link', options: { tableId: towns.id, inverseName: 'Shops' } });
    await column(towns, { name: 'Land', type: 'link', options: { tableId: lands.id } });
    await column(shops, { name: 'Towns', type: 'lookup', options: { linkColumnId: 'town', columnId: 'name' } });
    await column(shops, { name: 'Loud', type: 'formula', options: { formula: 'JOIN({towns}) & {note}' } });
    const named = async (definition: object): Promise<string[]> => {
      const view = await store({ source: { table: shops.id }, ...definition });
      const api = expectStatus(await publish(view, { auth: 'public' }), 201) as unknown as {
        rights: { rules: { table: string }[] };
      };
      return api.rights.rules.map(({ table }) => table.split(' ')[0] ?? '').sort();
    };
    const some = (read: object = {}, hidden: readonly string[] = []) => ({ name: 'some', read, columns: { hidden } });
    const rows = { filter: { field: 'name', op: 'isNull' } };
    await putRules(at.owner, towns, some(rows));
    await putRules(at.owner, lands, some(rows));
    expect(await named({ columns: ['name'] })).toEqual([]);
    expect(await named({ columns: ['name', 'town'] })).toEqual(['Towns']);
    expect(await named({ columns: ['loud'] })).toEqual(['Towns']);
    expect(await named({ columns: ['name'], sort: [{ field: 'loud' }] })).toEqual(['Towns']);
    const french = { link: 'town', where: { link: 'land', where: { field: 'note', op: 'eq', value: 'x' } } };
    expect(await named({ columns: ['name'], filter: french })).toEqual(['Lands', 'Towns']);
    expect(await named({ groupBy: [], aggregates: [{ as: 'n', fn: 'count', field: 'towns' }] })).toEqual(['Towns']);
    // Columns that it does not use, and what may be written, are nobody's loss.
    await putRules(at.owner, towns, some({}, ['note']));
    await putRules(at.owner, shops, { name: 'fixed', update: rows, columns: { hidden: [], readOnly: ['name'] } });
    expect(await named({ columns: ['name', 'town', 'towns'] })).toEqual([]);
    await putRules(at.owner, shops, some({}, ['note']));
    expect(await named({ columns: ['name'] })).toEqual([]);
    expect(await named({ columns: ['loud'] })).toEqual(['Shops']);
    // One end of a link hides the other.
    await putRules(at.owner, towns, some({}, ['shops']));
    expect(await named({ columns: ['towns'] })).toEqual(['Towns']);
  });
});

describe('what is published', () => {
  it('is the view of that moment: what comes later is shown when it is published again', async () => {
    const table = await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, {
      name: 'Growing',
      columns: [{ name: 'Name', type: 'text' }],
    });
    const { id } = expectStatus(table, 201);
    const view = await store({ source: { table: id } });
    expect(keys(expectStatus(await publish(view), 201))).toEqual(['name']);
    expectStatus(await at.owner.post(`/tables/${id}/columns`, { name: 'Later', type: 'text' }), 201);
    expect(keys(expectStatus(await at.owner.get<Api>(`/views/${view.id}/api`), 200))).toEqual(['name']);
    const sortable = await at.owner.patch(`/views/${view.id}/api`, { sortable: ['later'] });
    expect(refused(sortable)).toEqual([422, 'validation_failed', '/sortable/0 not_sortable']);
    const again = expectStatus(await publish(view, { sortable: ['later'] }), 200);
    expect([keys(again), again.version]).toEqual([['name', 'later'], 2]);
  });

  it('keeps its columns: to publish the view without one, or with another type, is refused', async () => {
    const view = await store({ columns: ['name', 'qty', 'amount'] });
    const api = expectStatus(await publish(view), 201);
    const change = async (definition: object) =>
      expectStatus(await at.owner.patch<View>(`/views/${view.id}`, { definition }), 200);
    const source = { table: at.table.id };
    await change({ source, columns: ['name', { field: 'amount', as: 'qty' }] });
    expect(refused(await publish(view))).toEqual([
      ...[409, 'contract_broken', '/columns/qty other_type', '/columns/amount missing'],
    ]);
    expect(expectStatus(await at.owner.get<Api>(`/views/${view.id}/api`), 200)).toEqual(api);
    await change({ source, columns: ['amount', 'status', 'qty', 'name'] });
    expect(keys(expectStatus(await publish(view), 200))).toEqual(['amount', 'status', 'qty', 'name']);
  });

  it('has no ids of people, and means nobody by $me', async () => {
    const columns = [
      { name: 'Name', type: 'text' },
      { name: 'Who', type: 'user' },
      { name: 'Team', type: 'user', options: { multiple: true } },
      { name: 'Maker', type: 'created_by' },
      { name: 'Changer', type: 'updated_by' },
    ];
    const table = await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, { name: 'People', columns });
    const source = { table: expectStatus(table, 201).id };
    expect(keys(expectStatus(await publish(await store({ source })), 201))).toEqual(['name']);
    const computed = [
      { key: 'told', formula: 'concat({who}, " did it")' },
      { key: 'as_text', formula: 'if(isblank({name}), "", text({maker}))' },
      { key: 'mine', formula: '{who}' },
      { key: 'length', formula: 'len({name})' },
      { key: 'some', formula: 'isblank({who})' },
    ];
    const made = await store({ source, computed });
    expect(keys(expectStatus(await publish(made), 201))).toEqual(['name', 'length', 'some']);
    for (const over of [{ groupBy: [{ field: 'told' }] }, { aggregates: [{ as: 'first', fn: 'min', field: 'mine' }] }])
      expect(refused(await publish(await store({ source, computed, ...over })))[2]).toBe(' people_not_published');
    const people = await publish(await store({ source, columns: ['who', 'maker'] }));
    expect(refused(people)).toEqual([422, 'validation_failed', ' people_not_published']);
    const groups = await publish(await store({ source, groupBy: [{ field: 'maker' }] }));
    expect(refused(groups)).toEqual([422, 'validation_failed', ' people_not_published']);
    const mine = await store({ source, filter: { field: 'who', op: 'eq', value: { $me: true } } });
    expect(refused(await publish(mine)).slice(0, 2)).toEqual([422, 'filter_invalid']);
  });

  it('may be groups', async () => {
    const view = await store({ groupBy: [{ field: 'status' }], aggregates: [{ as: 'n', fn: 'count' }] });
    const api = expectStatus(await publish(view, { filterable: ['n'], sortable: ['n', 'status'] }), 201);
    expect(api.columns).toEqual([
      { key: 'status', name: 'status', type: 'single_select', list: false },
      { key: 'n', name: 'n', type: 'integer', list: false },
    ]);
  });
});
