import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  redis,
  sql,
  startNode,
  waitFor,
  world,
  type Answer,
  type ProblemBody,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}
interface Key {
  readonly id: string;
  readonly prefix: string;
  readonly key: string;
  readonly expiresAt: string | null;
  readonly [more: string]: unknown;
}

let pair: TestDatabases;
let nodes: readonly [TestNode, TestNode];
let at: World;

beforeAll(async () => {
  pair = await databases();
  const shared = await redis();
  nodes = [
    await startNode({ databases: pair, redis: shared, env: { TRUST_PROXY: '1' } }),
    await startNode({ databases: pair, redis: shared, env: { TRUST_PROXY: '1' } }),
  ];
  at = await world(nodes[0].base);
  for (const [name, qty, status] of [
    ['Anna', 3, 'open'],
    ['Berta', 1, 'won'],
    ['Clara', 2, 'open'],
  ])
    expectStatus(
      await at.owner.post(`/tables/${at.table.id}/rows`, { fields: { name, qty, status, notes: 'x' } }),
      201,
    );
}, 180_000);

let made = 0;
interface Published {
  readonly viewId: string;
  readonly slug: string;
  readonly keys: string;
  read(key?: string, query?: string, headers?: Record<string, string>, node?: number): Promise<Answer<Page>>;
  key(over?: object): Promise<Key>;
}
const published = async (settings: object = {}): Promise<Published> => {
  const definition = { source: { table: at.table.id }, columns: ['name', 'qty', 'status'], sort: [{ field: 'qty' }] };
  const body = { name: `View ${(made += 1)}`, definition };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const { slug } = expectStatus(await at.owner.post<{ slug: string }>(`/views/${id}/api`, settings), 201);
  const keys = `/views/${id}/api/keys`;
  return {
    ...{ viewId: id, slug, keys },
    read: (key, query = '', headers = {}, node = 0) =>
      client(nodes[node]?.base ?? '').get<Page>(`/public/views/${slug}/data${query}`, {
        ...(key === undefined ? {} : { 'x-api-key': key }),
        ...headers,
      }),
    key: async (over = {}) => expectStatus(await at.owner.post<Key>(keys, { name: 'Website', ...over }), 201),
  };
};
const refused = (answer: Answer<unknown>): readonly unknown[] => {
  const { status, code, errors } = answer.body as ProblemBody;
  return [status, code, ...(errors ?? []).map(({ pointer, code: finding }) => `${pointer} ${finding}`)];
};
const names = (answer: Answer<Page>): readonly unknown[] => expectStatus(answer, 200).data.map(({ name }) => name);
/** The promise for every other node; its memory alone would last longer. */
const REVOKED_WITHIN_MS = 1_000;
const REVOKED_WITHOUT_REDIS_MS = 5_000;
const REFUSED = [401, 'api_key_invalid'];

describe('a key of a published view', () => {
  it('is shown once, and kept as a hash only', async () => {
    const view = await published();
    const key = await view.key({ columns: ['name'], expiresAt: '2099-01-01T00:00:00Z' });
    expect(key).toEqual({
      ...{ id: expect.any(String), name: 'Website', prefix: key.key.slice(0, 10) },
      key: expect.stringMatching(/^ltk_[\w-]{43}$/),
      ...{ filter: null, columns: ['name'], versions: null, allowedAddresses: null, rateLimit: null, quota: null },
      ...{ expiresAt: '2099-01-01T00:00:00.000Z', createdAt: expect.any(String), createdBy: at.owner.user.id },
    });
    const listed = expectStatus(await at.owner.get<Page>(view.keys), 200).data;
    expect(listed).toEqual([Object.fromEntries(Object.entries(key).filter(([name]) => name !== 'key'))]);
    const everything = await sql<{ line: string }>(
      pair.main,
      `select k::text as line from view_api_keys k union all select a::text from audit_log a where resource_id = $1
       union all select o::text from outbox o`,
      [key.id],
    );
    expect(everything.length).toBeGreaterThan(1);
    expect(everything.map(({ line }) => line).join()).not.toContain(key.key);
    expect(everything.map(({ line }) => line).join()).not.toContain(key.key.slice(4, 40));
  });

  it('opens this view by header or as bearer, and nothing else', async () => {
    const [view, other] = [await published(), await published()];
    const { key } = await view.key();
    const bearer = { authorization: `Bearer ${key}` };
    expect(names(await view.read(key))).toEqual(['Berta', 'Clara', 'Anna']);
    expect(names(await view.read(undefined, '', bearer))).toEqual(['Berta', 'Clara', 'Anna']);
    const session = { authorization: `Bearer ${at.owner.token ?? ''}` };
    for (const answer of [
      ...[await view.read(), await view.read('ltk_wrong'), await view.read(`${key}x`), await view.read('')],
      ...[await other.read(key), await other.read(undefined, '', bearer), await view.read(undefined, '', session)],
      await view.read(undefined, '?filter=nothing&limit=x'),
    ])
      expect(refused(answer)).toEqual(REFUSED);
    expect((await view.read(undefined, `?key=${key}`)).status).toBe(401);
    for (const path of [
      `/tables/${at.table.id}/rows`,
      `/views/${view.viewId}/data`,
      view.keys,
      '/workspaces',
      '/users/me',
    ])
      for (const headers of [bearer, { 'x-api-key': key }] as Record<string, string>[])
        expect([path, (await client(nodes[0].base).get(path, headers)).status]).toEqual([path, 401]);
  });

  it('sees its rows and its columns, by no filter, order, cursor or answer of another', async () => {
    const view = await published({ filterable: ['name', 'qty', 'status'], sortable: ['name', 'qty'] });
    const all = await view.key();
    const open = await view.key({ filter: { field: 'status', op: 'eq', value: 'open' }, columns: ['name', 'status'] });
    const won = await view.key({ filter: { field: 'status', op: 'eq', value: 'won' } });
    const tags = new Set<string | null>();
    for (const [key, rows] of [
      [
        all,
        [
          { name: 'Berta', qty: 1, status: 'won' },
          { name: 'Clara', qty: 2, status: 'open' },
          { name: 'Anna', qty: 3, status: 'open' },
        ],
      ],
      [
        open,
        [
          { name: 'Clara', status: 'open' },
          { name: 'Anna', status: 'open' },
        ],
      ],
      [won, [{ name: 'Berta', qty: 1, status: 'won' }]],
    ] as const)
      for (const again of [{ accept: '*/*' }, { accept: 'application/json' }]) {
        const answer = await view.read(key.key, '', again);
        expect(expectStatus(answer, 200).data).toEqual(rows);
        tags.add(answer.headers.get('etag'));
        expect(answer.headers.get('cache-control')).toMatch(/^private/);
        expect(answer.headers.get('vary')).toMatch(/X-API-Key/i);
      }
    expect(tags.size).toBe(3);
    for (const tag of tags)
      expect((await view.read(open.key, '', { 'if-none-match': tag ?? '' })).status).toBe(
        tag === [...tags][1] ? 304 : 200,
      );
    expect(names(await view.read(open.key, '?filter=or(status.eq.won,name.isNotNull)&sort=name'))).toEqual([
      'Anna',
      'Clara',
    ]);
    expect(names(await view.read(open.key, '?filter=not(status.eq.open)'))).toEqual([]);
    expect(refused(await view.read(open.key, '?filter=qty.gte.0')).slice(0, 2)).toEqual([422, 'filter_invalid']);
    expect((await view.read(open.key, '?filter=qty.gte.0')).text).not.toMatch(/name, qty/);
    expect(refused(await view.read(open.key, '?sort=qty')).slice(0, 2)).toEqual([422, 'sort_invalid']);
    expect((await view.read(open.key, '?format=csv')).text).toBe('name,status\r\nClara,open\r\nAnna,open\r\n');
    const cursor = expectStatus(await view.read(all.key, '?limit=1'), 200).page.nextCursor ?? '';
    expect(refused(await view.read(open.key, `?limit=1&cursor=${cursor}`))).toEqual([400, 'cursor_mismatch']);
  });

  it('is refused where it makes no sense', async () => {
    const view = await published();
    const wrong: readonly (readonly [object, string])[] = [
      [{ columns: ['notes'] }, '/columns/0 not_published'],
      [{ columns: [] }, '/columns array_min_size'],
      [{ expiresAt: '2001-01-01T00:00:00Z' }, '/expiresAt is_future_time'],
      [{ expiresAt: 'tomorrow' }, '/expiresAt is_future_time'],
      [{ allowedAddresses: ['10.0.0.0/33'] }, '/allowedAddresses is_network'],
      [{ rateLimit: { limit: 1 } }, '/rateLimit/windowSeconds is_int'],
      [{ quota: { limit: 0, per: 'day' } }, '/quota/limit min'],
      [{ quota: { limit: 1, per: 'hour' } }, '/quota/per is_in'],
    ];
    for (const [over, finding] of wrong) {
      const answer = await at.owner.post(view.keys, { name: 'Wrong', ...over });
      expect([over, ...refused(answer)]).toEqual(expect.arrayContaining([over, 422, finding]));
    }
    for (const filter of [
      { field: 'notes', op: 'eq', value: 'x' },
      { field: 'name', op: 'like', value: 'x' },
    ])
      expect(refused(await at.owner.post(view.keys, { name: 'Wrong', filter })).slice(0, 2)).toEqual([
        422,
        'filter_invalid',
      ]);
    expect(expectStatus(await at.owner.get<Page>(view.keys), 200).data).toEqual([]);
  });

  it('tells nothing of the rows that it does not see when they can be told apart no more', async () => {
    const choices = ['Open', 'Covert'].map((label) => ({ label }));
    const table = expectStatus(
      await at.owner.post<{ id: string; columns: { id: string; key: string; options: { choices?: object[] } }[] }>(
        `/bases/${at.base.id}/tables`,
        {
          name: 'Choices',
          columns: [
            { name: 'Name', type: 'text' },
            { name: 'Rank', type: 'single_select', options: { choices } },
          ],
        },
      ),
      201,
    );
    const body = { name: 'Ranks', definition: { source: { table: table.id } } };
    const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
    const { url } = expectStatus(await at.owner.post<{ url: string }>(`/views/${id}/api`, {}), 201);
    const filter = { field: 'rank', op: 'neq', value: 'covert' };
    const made = await at.owner.post<Key>(`/views/${id}/api/keys`, { name: 'Few', columns: ['name'], filter });
    const read = () => client(nodes[0].base).get<Page>(url, { 'x-api-key': key });
    const { key } = expectStatus(made, 201);
    expectStatus(await read(), 200);
    const rank = table.columns.find((column) => column.key === 'rank');
    const options = { choices: rank?.options.choices?.slice(0, 1) };
    expectStatus(await at.owner.patch(`/tables/${table.id}/columns/${rank?.id}`, { options }), 200);
    const answer = await read();
    expect(refused(answer)).toEqual([409, 'view_broken']);
    expect(answer.text).not.toMatch(/rank|covert/i);
  });

  it('sees no more when the view becomes one of groups', async () => {
    const view = await published();
    const { key } = await view.key({ columns: ['name'] });
    const definition = {
      source: { table: at.table.id },
      groupBy: [{ field: 'name' }, { field: 'status' }],
      aggregates: [{ as: 'qty', fn: 'max', field: 'qty' }],
    };
    expectStatus(await at.owner.patch(`/views/${view.viewId}`, { definition }), 200);
    expectStatus(await at.owner.post(`/views/${view.viewId}/api`, {}), 200);
    expect(names(await view.read((await view.key()).key))).toHaveLength(3);
    const answer = await view.read(key);
    expect(refused(answer)).toEqual([409, 'view_broken']);
  });

  it('works from the addresses that it is for', async () => {
    const view = await published();
    const { key } = await view.key({ allowedAddresses: ['203.0.113.0/24'] });
    const from = (ip: string) => view.read(key, '', { 'x-forwarded-for': ip });
    expect((await from('203.0.113.9')).status).toBe(200);
    expect(refused(await from('203.0.114.9'))).toEqual(REFUSED);
    expect(refused(await view.read(key))).toEqual(REFUSED);
  });

  it('is counted by itself, with a limit of its own where it has one', async () => {
    const view = await published({ rateLimit: { limit: 2, windowSeconds: 3600 } });
    const [plain, small, other] = [
      await view.key(),
      await view.key({ rateLimit: { limit: 1, windowSeconds: 60 } }),
      await view.key(),
    ];
    const statuses = async (key: string | undefined, times: number) => {
      const answers = [];
      for (let i = 0; i < times; i++) answers.push((await view.read(key)).status);
      return answers;
    };
    expect(await statuses(plain.key, 3)).toEqual([200, 200, 429]);
    expect(await statuses(small.key, 2)).toEqual([200, 429]);
    expect(await statuses(other.key, 1)).toEqual([200]);
    expect(await statuses(undefined, 3)).toEqual([401, 401, 429]);
  });

  it('opens nothing any more on other nodes within five seconds where there is no Redis', async () => {
    const alone = await databases();
    const [one, other] = [await startNode({ databases: alone }), await startNode({ databases: alone })];
    const there = await world(one.base);
    const body = { name: 'Revoked', definition: { source: { table: there.table.id }, columns: ['name'] } };
    const made = await there.owner.post<{ id: string }>(`/workspaces/${there.workspace.id}/views`, body);
    const api = `/views/${expectStatus(made, 201).id}/api`;
    const { slug } = expectStatus(await there.owner.post<{ slug: string }>(api, {}), 201);
    const { id, key } = expectStatus(await there.owner.post<Key>(`${api}/keys`, { name: 'Website' }), 201);
    const status = async (node: TestNode) =>
      (await client(node.base).get(`/public/views/${slug}/data`, { 'x-api-key': key })).status;
    expect([await status(one), await status(other)]).toEqual([200, 200]);
    expect((await there.owner.del(`${api}/keys/${id}`)).status).toBe(204);
    expect(await status(one)).toBe(401);
    await waitFor(async () => ((await status(other)) === 401 ? true : undefined), REVOKED_WITHOUT_REDIS_MS);
  });

  it('is let in as often as its limit says over all nodes together, within a tenth', async () => {
    const limit = 200;
    const view = await published();
    const { key } = await view.key({ rateLimit: { limit, windowSeconds: 3600 } });
    const statuses: number[] = [];
    for (let n = 0; n < 2 * limit; n += 20)
      statuses.push(
        ...(await Promise.all(
          Array.from({ length: 20 }, async (_, i) => (await view.read(key, '', {}, i % 2)).status),
        )),
      );
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const served = statuses.filter((status) => status === 200).length;
    expect(Math.abs(served - limit)).toBeLessThanOrEqual(limit / 10);
  });

  it('has a quota that all nodes serve together, and through a restart, without Redis as well', async () => {
    const alone = await databases();
    const start = () => startNode({ databases: alone });
    const [one, other] = [await start(), await start()];
    const there = await world(one.base);
    const view = { name: 'Quota', definition: { source: { table: there.table.id }, columns: ['name'] } };
    const { id } = expectStatus(
      await there.owner.post<{ id: string }>(`/workspaces/${there.workspace.id}/views`, view),
      201,
    );
    const { slug } = expectStatus(
      await there.owner.post<{ slug: string }>(`/views/${id}/api`, {
        rateLimit: { limit: 100_000, windowSeconds: 60 },
      }),
      201,
    );
    const make = async (quota: object) =>
      expectStatus(await there.owner.post<Key>(`/views/${id}/api/keys`, { name: 'Website', quota }), 201);
    const read = (key: string, node: TestNode) =>
      client(node.base).get(`/public/views/${slug}/data`, { 'x-api-key': key });
    const statusesOf = async (key: string, times: number, to: readonly TestNode[]) => {
      const statuses = [];
      for (let n = 0; n < times; n += 20)
        statuses.push(
          ...(await Promise.all(
            Array.from({ length: 20 }, async (_, i) => (await read(key, to[(n + i) % to.length] ?? one)).status),
          )),
        );
      return statuses;
    };
    const served = (statuses: readonly number[]) => statuses.filter((status) => status === 200).length;

    const [large, small] = [await make({ limit: 500, per: 'month' }), await make({ limit: 3, per: 'day' })];
    expect(large).toMatchObject({ quota: { limit: 500, per: 'month' } });
    const statuses = await statusesOf(large.key, 600, [one, other]);
    // Never more; less by the shares of the nodes at most, of a hundredth each.
    expect(served(statuses)).toBeLessThanOrEqual(500);
    expect(served(statuses)).toBeGreaterThanOrEqual(490);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const refusal = await read(large.key, one);
    expect(refused(refusal)).toEqual([429, 'rate_limited']);
    const wait = Number(refusal.headers.get('retry-after'));
    expect([wait > 0, wait <= 31 * 86_400]).toEqual([true, true]);
    expect(refusal.headers.get('ratelimit')).toContain(`"quota";r=0;t=${wait}`);

    expect((await read(small.key, one)).headers.get('ratelimit')).toContain('"quota";r=2;');
    expect((await read(small.key, other)).headers.get('ratelimit')).toContain('"quota";r=1;');
    await one.term();
    const again = await start();
    expect([(await read(small.key, again)).status, (await read(small.key, again)).status]).toEqual([200, 429]);
    const told = async (keyId: string) => {
      const { data } = expectStatus(
        await client(other.base, there.owner.token).get<{ data: readonly Key[] }>(`/views/${id}/api/keys`),
        200,
      );
      return data.find((each) => each.id === keyId)?.quota;
    };
    const now = new Date();
    const tomorrow = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)).toISOString();
    expect(await told(small.id)).toEqual({ limit: 3, per: 'day', remaining: 0, resetsAt: tomorrow });
    expect(await told(large.id)).toMatchObject({ limit: 500, per: 'month' });
    // The next period begins with nothing taken.
    await sql(alone.main, `update view_api_keys set quota_from = quota_from - interval '1 day' where id = $1`, [
      small.id,
    ]);
    const fresh = await start();
    expect(await told(small.id)).toMatchObject({ remaining: 3 });
    expect(served(await statusesOf(small.key, 20, [fresh]))).toBe(3);
  });

  it('is rotated with some overlap', async () => {
    const view = await published();
    const old = await view.key({ columns: ['name'] });
    const next = expectStatus(await at.owner.post<Key>(`${view.keys}/${old.id}/rotate`, { overlapSeconds: 3600 }), 201);
    expect(next).toMatchObject({ name: 'Website', columns: ['name'], expiresAt: null });
    for (const { key } of [old, next])
      expect(expectStatus(await view.read(key), 200).data[0]).toEqual({ name: 'Berta' });
    const listed = expectStatus(await at.owner.get<Page>(view.keys), 200).data;
    expect(listed.map(({ expiresAt }) => expiresAt)).toEqual([expect.any(String), null]);
    const last = expectStatus(await at.owner.post<Key>(`${view.keys}/${next.id}/rotate`, { overlapSeconds: 0 }), 201);
    expect([(await view.read(next.key)).status, (await view.read(last.key)).status]).toEqual([401, 200]);
  });

  it('opens nothing any more once it has expired or is revoked, on every node', async () => {
    const view = await published();
    const [short, revoked] = [
      await view.key({ expiresAt: new Date(Date.now() + 1_500).toISOString() }),
      await view.key(),
    ];
    const statuses = async ({ key }: Key) => [(await view.read(key)).status, (await view.read(key, '', {}, 1)).status];
    expect(await statuses(revoked)).toEqual([200, 200]);
    expect((await at.owner.del(`${view.keys}/${revoked.id}`)).status).toBe(204);
    expect((await view.read(revoked.key)).status).toBe(401);
    await waitFor(
      async () => ((await view.read(revoked.key, '', {}, 1)).status === 401 ? true : undefined),
      REVOKED_WITHIN_MS,
    );
    await waitFor(async () => ((await statuses(short)).join() === '401,401' ? true : undefined));
    expect((await at.owner.del(`${view.keys}/${revoked.id}`)).status).toBe(404);
    const other = await published();
    expect((await at.owner.del(`${other.keys}/${short.id}`)).status).toBe(404);
  });
});
