import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  waitFor,
  world,
  type Answer,
  type ProblemBody,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
}
interface Version {
  readonly apiVersion: number;
  readonly url: string;
  readonly deprecatedAt: string | null;
  readonly sunsetAt: string | null;
  readonly [more: string]: unknown;
}

let pair: TestDatabases;
let app: TestApp;
let at: World;

beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
  for (const [name, qty] of [
    ['Anna', 3],
    ['Berta', 1],
  ])
    expectStatus(await at.owner.post(`/tables/${at.table.id}/rows`, { fields: { name, qty, amount: '1.50' } }), 201);
}, 120_000);

let made = 0;
const SHOWN = { columns: ['name', 'qty'], sort: [{ field: 'qty' }] };
const published = async (settings: object = {}) => {
  const slug = `versions-${(made += 1)}`;
  const definition = { source: { table: at.table.id }, ...SHOWN };
  const body = { name: `View ${made}`, definition };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const api = `/views/${id}/api`;
  expectStatus(await at.owner.post(api, { slug, auth: 'public', ...settings }), 201);
  const path = `/public/views/${slug}`;
  return {
    ...{ id, api, slug, path },
    become: async (over: object): Promise<void> => {
      const change = { definition: { source: { table: at.table.id }, ...SHOWN, ...over } };
      expectStatus(await at.owner.patch(`/views/${id}`, change), 200);
    },
    publish: (input: object = {}) => at.owner.post<Version>(api, input),
    versions: async () => expectStatus(await at.owner.get<{ data: readonly Version[] }>(`${api}/versions`), 200).data,
    read: (below = '/data', headers?: Record<string, string>) => client(app.base).get<Page>(path + below, headers),
  };
};
const refused = (answer: Answer<unknown>): readonly unknown[] => {
  const { status, code, errors } = answer.body as ProblemBody;
  return [status, code, ...(errors ?? []).map(({ pointer, code: finding }) => `${pointer} ${finding}`)];
};
const rows = (answer: Answer<Page>) => expectStatus(answer, 200).data;
const OLD = [
  { name: 'Berta', qty: 1 },
  { name: 'Anna', qty: 3 },
];
const NEW = [
  { name: 'Berta', amount: '1.50' },
  { name: 'Anna', amount: '1.50' },
];
const narrower = { columns: ['name', 'amount'] };

describe('versions of a published view', () => {
  it('are for changes that would break its readers, which are refused with all that breaks otherwise', async () => {
    const view = await published({ filterable: ['qty'], sortable: ['qty', 'name'], maxLimit: 50 });
    await view.become(narrower);
    const changes = { auth: 'key', filterable: [], sortable: ['name'], maxLimit: 10 };
    const broken = ['/filterable not_filterable', '/sortable not_sortable', '/auth key_needed', '/maxLimit smaller'];
    expect(refused(await view.publish(changes))).toEqual([409, 'contract_broken', '/columns/qty missing', ...broken]);
    expect(refused(await at.owner.patch(view.api, changes))).toEqual([409, 'contract_broken', ...broken]);
    expect(rows(await view.read())).toEqual(OLD);
    // What gives readers more, and what is the publisher's own, breaks nobody.
    const more = { maxLimit: 60, cacheSeconds: 5, rateLimit: { limit: 5_000, windowSeconds: 60 } };
    expectStatus(await at.owner.patch(view.api, { filterable: ['name', 'qty'], ...more }), 200);
  });

  it('are read side by side: the old address goes on as it was, and tells of the new one', async () => {
    const view = await published({ filterable: ['qty'], sortable: ['qty'] });
    const before = await view.read();
    await view.become(narrower);
    const answer = await view.publish({ asNewVersion: true, maxLimit: 1 });
    expect(expectStatus(answer, 201)).toMatchObject({
      ...{ apiVersion: 2, url: `${view.path}/v2/data`, maxLimit: 1, filterable: [], sortable: [] },
    });
    const old = await view.read('/data', { 'if-none-match': before.headers.get('etag') ?? '' });
    expect(old.status).toBe(304);
    expect(rows(await view.read('/data?filter=qty.gt.1'))).toEqual([OLD[1]]);
    const [first, second] = [await view.read('/v2/data'), await view.read('/v2/data?limit=2')];
    expect([rows(first), second.status]).toEqual([[NEW[0]], 422]);
    const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect(rows(await client(app.base).get<Page>(next))).toEqual([NEW[1]]);
    expect(first.headers.get('deprecation')).toBeNull();

    const [newest, former] = await view.versions();
    expect([newest, former]).toMatchObject([
      { apiVersion: 2, url: `${view.path}/v2/data`, deprecatedAt: null, sunsetAt: null },
      { apiVersion: 1, url: `${view.path}/data`, deprecatedAt: expect.any(String), filterable: ['qty'] },
    ]);
    const told = await view.read('/data?limit=1');
    expect(told.headers.get('deprecation')).toBe(`@${Math.floor(Date.parse(former?.deprecatedAt ?? '') / 1_000)}`);
    expect(told.headers.get('sunset')).toBeNull();
    expect(told.headers.get('link')).toMatch(
      new RegExp(`; rel="next", <${view.path}/v2/openapi\\.json>; rel="successor-version"$`),
    );
    // Neither takes what the other has.
    for (const [path, filter] of [
      ['/data', 'amount.gt.1'],
      ['/v2/data', 'qty.gt.1'],
    ])
      expect((await view.read(`${path}?filter=${filter}`)).status).toBe(422);
  });

  it('have one address each, and one 404 for what is none', async () => {
    const view = await published({ page: true });
    expectStatus(await view.publish({ asNewVersion: true }), 201);
    const nothing = await view.read('/v3/data');
    expect(refused(nothing)).toEqual([404, 'not_found']);
    for (const segment of ['v1', 'v0', 'v02', 'V2', 'v', '2', 'v2.0', 'v9999999999', 'data'])
      for (const below of ['/data', '/openapi.json', '/stream', ''])
        expect([segment, (await view.read(`/${segment}${below}`)).status]).toEqual([
          segment,
          segment === 'data' && below === '' ? 200 : 404,
        ]);
    expect((await view.read('/v2')).text).toContain('<main>');
  });

  it('are named by their numbers alone where they are looked after', async () => {
    const { api, become, publish, versions } = await published();
    await become(narrower);
    expectStatus(await publish({ asNewVersion: true }), 201);
    for (const text of ['1e0', '01', '0x1', '1.0', '%201', 'v1'])
      expect([text, refused(await at.owner.del(`${api}/versions/${text}`))]).toEqual([text, [404, 'not_found']]);
    expect((await versions()).map(({ apiVersion }) => apiVersion)).toEqual([2, 1]);
  });

  it('describe themselves in documents of their own', async () => {
    const view = await published();
    await view.become(narrower);
    expectStatus(await view.publish({ asNewVersion: true }), 201);
    interface Document {
      readonly info: { readonly version: string };
      readonly paths: Readonly<Record<string, { readonly get: { readonly deprecated?: boolean } }>>;
      readonly components: { readonly schemas: { readonly Row: { readonly required: readonly string[] } } };
    }
    const [old, now] = [await view.read('/openapi.json'), await view.read('/v2/openapi.json')].map(
      ({ body }) => body as unknown as Document,
    );
    expect(Object.keys(old?.paths ?? {})).toEqual([`${view.path}/data`, `${view.path}/stream`]);
    expect(Object.keys(now?.paths ?? {})).toEqual([`${view.path}/v2/data`, `${view.path}/v2/stream`]);
    expect([old, now].map((each) => each?.components.schemas.Row.required)).toEqual([
      ['name', 'qty'],
      ['name', 'amount'],
    ]);
    expect([old, now].map((each) => each?.paths[Object.keys(each.paths)[0] ?? '']?.get.deprecated)).toEqual([
      true,
      undefined,
    ]);
    expect([old?.info.version, now?.info.version]).toEqual(['1.1', '2.2']);
  });

  it('end when that was said, of which readers are told, or at once, and the newest with the publication', async () => {
    const view = await published();
    expectStatus(await view.publish({ asNewVersion: true }), 201);
    const former = `${view.api}/versions/1`;
    expect(refused(await at.owner.patch(`${view.api}/versions/2`, { sunsetAt: null }))).toEqual([
      409,
      'newest_version',
    ]);
    expect(refused(await at.owner.del(`${view.api}/versions/2`))).toEqual([409, 'newest_version']);
    expect(refused(await at.owner.del(`${view.api}/versions/3`))).toEqual([404, 'not_found']);
    expect((await at.owner.patch(former, { sunsetAt: '2020-01-01T00:00:00.000Z' })).status).toBe(422);
    const sunsetAt = new Date(Date.now() + 86_400_000).toISOString();
    expect(expectStatus(await at.owner.patch<Version>(former, { sunsetAt }), 200)).toMatchObject({ sunsetAt });
    expect((await view.read()).headers.get('sunset')).toBe(new Date(sunsetAt).toUTCString());
    expectStatus(await at.owner.patch<Version>(former, { sunsetAt: null }), 200);
    expect((await view.read()).headers.get('sunset')).toBeNull();
    expectStatus(await at.owner.patch(former, { sunsetAt: new Date(Date.now() + 500).toISOString() }), 200);
    await waitFor(async () => ((await view.read()).status === 404 ? true : undefined));
    expect((await view.versions()).map(({ apiVersion }) => apiVersion)).toEqual([2, 1]);
    expectStatus(await at.owner.patch(former, { sunsetAt: null }), 200);
    expect(rows(await view.read())).toEqual(OLD);
    expect((await at.owner.del(former)).status).toBe(204);
    expect(refused(await view.read())).toEqual([404, 'not_found']);
    expect(rows(await view.read('/v2/data'))).toEqual(OLD);
    // A number is not given again.
    expect(expectStatus(await view.publish({ asNewVersion: true }), 201).apiVersion).toBe(3);
    expect((await at.owner.del(view.api)).status).toBe(204);
    for (const path of ['/data', '/v2/data', '/v3/data'])
      expect(refused(await view.read(path))).toEqual([404, 'not_found']);
    const actions = await sql<{ action: string }>(
      pair.main,
      `select action from audit_log where resource_id = $1 and action ~ 'version_' order by id`,
      [view.id],
    );
    expect(actions.map(({ action }) => action)).toEqual([
      ...['view.version_published', ...Array<string>(4).fill('view.version_changed')],
      ...['view.version_ended', 'view.version_published'],
    ]);
  });

  it('are as many as is sensible', async () => {
    const view = await published();
    for (let i = 0; i < 10; i++) expectStatus(await view.publish({ asNewVersion: true }), 201);
    expect(refused(await view.publish({ asNewVersion: true }))).toEqual([422, 'limit_reached']);
    expect((await at.owner.del(`${view.api}/versions/4`)).status).toBe(204);
    expect(expectStatus(await view.publish({ asNewVersion: true }), 201).apiVersion).toBe(12);
  });

  it('are opened by every key that is not for some of them, within its columns and rows', async () => {
    const view = await published({ auth: 'key' });
    const key = async (over: object = {}) =>
      expectStatus(await at.owner.post<{ id: string; key: string }>(`${view.api}/keys`, { name: 'Key', ...over }), 201);
    const [all, narrow, early] = [await key(), await key({ columns: ['qty'] }), await key({ versions: [1] })];
    await view.become(narrower);
    expectStatus(await view.publish({ asNewVersion: true }), 201);
    const some = await key({ versions: [2], columns: ['amount'] });
    expect(refused(await at.owner.post(`${view.api}/keys`, { name: 'Key', columns: ['amount'] }))).toEqual([
      ...[422, 'validation_failed', '/columns/0 not_published'],
    ]);
    expect(refused(await at.owner.post(`${view.api}/keys`, { name: 'Key', versions: [3] }))).toEqual([
      ...[422, 'validation_failed', '/versions/0 not_published'],
    ]);
    const filter = { field: 'qty', op: 'gt', value: 1 };
    expect((await at.owner.post(`${view.api}/keys`, { name: 'Key', filter })).status).toBe(422);
    const filtered = await key({ versions: [1], filter });
    const seen = async (below: string, { key: secret }: { readonly key: string }) => {
      const { status, body } = await view.read(below, { 'x-api-key': secret });
      return status === 200 ? body.data : status;
    };
    expect(await Promise.all([all, early, narrow, filtered, some].map((each) => seen('/data', each)))).toEqual([
      ...[OLD, OLD, [{ qty: 1 }, { qty: 3 }], [OLD[1]], 401],
    ]);
    expect(await Promise.all([all, early, narrow, filtered, some].map((each) => seen('/v2/data', each)))).toEqual([
      ...[NEW, 401, 401, 401, [{ amount: '1.50' }, { amount: '1.50' }]],
    ]);
    expect((await at.owner.del(`${view.api}/keys/${all.id}`)).status).toBe(204);
    expect([await seen('/data', all), await seen('/v2/data', all)]).toEqual([401, 401]);
  });

  it('are counted each by itself', async () => {
    const view = await published();
    expectStatus(await view.publish({ asNewVersion: true }), 201);
    for (const path of ['/data', '/v2/data', '/v2/data']) rows(await view.read(path));
    interface Use {
      readonly apiVersion: number;
      readonly requests: number;
    }
    const of = async (query: string) => {
      const answer = await at.owner.get<{ total: Use; data: readonly Use[] }>(`${view.api}/usage${query}`);
      const { total, data } = expectStatus(answer, 200);
      return [total.requests, ...new Set(data.map(({ apiVersion }) => apiVersion))];
    };
    await waitFor(async () => ((await of(''))[0] === 3 ? true : undefined));
    expect([await of(''), await of('?apiVersion=2'), await of('?apiVersion=1')]).toEqual([
      ...[
        [3, 2, 1],
        [2, 2],
        [1, 1],
      ],
    ]);
  });
});
