import { beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client as PgClient } from 'pg';
import {
  client,
  databases,
  expectStatus,
  redis,
  sql,
  startNode,
  tcpProxy,
  waitFor,
  world,
  type Answer,
  type Table,
  type TestDatabases,
  type TestNode,
  type TestRedis,
  type World,
} from '../harness/index.js';

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

let pair: TestDatabases;
let nodes: readonly [TestNode, TestNode];
let at: World;
let shared: TestRedis;

beforeAll(async () => {
  pair = await databases();
  shared = await redis();
  const env = { CONNECTIONS_ALLOWED_NETWORKS: '127.0.0.0/8' };
  const options = { databases: pair, redis: shared, env };
  nodes = [await startNode(options), await startNode(options)];
  at = await world(nodes[0].base);
  for (const qty of [1, 2, 3]) await row({ name: `n${qty}`, qty });
}, 180_000);

const row = async (fields: object, table = at.table): Promise<string> =>
  expectStatus(await at.owner.post<{ id: string }>(`/tables/${table.id}/rows`, { fields }), 201).id;

let made = 0;
type Read = (query?: string, headers?: Record<string, string>, node?: number) => Promise<Answer<Page>>;
const published = async (
  definition: object,
  settings: object = {},
): Promise<{ readonly viewId: string; readonly read: Read }> => {
  const body = { name: `View ${(made += 1)}`, definition };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const answer = await at.owner.post<{ slug: string }>(`/views/${id}/api`, { auth: 'public', ...settings });
  const { slug } = expectStatus(answer, 201);
  const read: Read = (query = '', headers = {}, node = 0) =>
    client(nodes[node]?.base ?? '').get<Page>(`/public/views/${slug}/data${query}`, headers);
  return { viewId: id, read };
};
const ofTable = (over: object = {}, table = at.table) => ({
  source: { table: table.id },
  columns: ['name', 'qty'],
  ...over,
});
const tagOf = (answer: Answer<Page>): string => {
  expectStatus(answer, 200);
  return answer.headers.get('etag') ?? '';
};
const again = (tag: string) => ({ 'if-none-match': tag });

/** While nobody can read rows of the table. */
async function whileLocked<T>({ physical: { schema, table } }: Table, work: () => Promise<T>): Promise<T> {
  const { host, port, database, username, password } = pair.mini;
  const holder = new PgClient({ host, port, database, user: username, password });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query(`lock table "${schema}"."${table}" in access exclusive mode`);
    return await work();
  } finally {
    await holder.query('rollback');
    await holder.end();
  }
}
const waiting = async (): Promise<number> =>
  (await sql(pair.mini, `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`))
    .length;

describe('answers of a published view', () => {
  it('come without a question to the rows while nothing has changed, as 304 and as they were', async () => {
    const { read } = await published(ofTable());
    const first = await read();
    const tag = tagOf(first);
    await whileLocked(at.table, async () => {
      const same = await read('', again(tag));
      expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', tag]);
      expect([(await read('', again(`"x", ${tag}`))).status, (await read('', again(tag.slice(2)))).status]).toEqual([
        304, 304,
      ]);
      const kept = await read('', again('W/"other"'));
      expect([kept.status, kept.text, tagOf(kept)]).toEqual([200, first.text, tag]);
      expect(await waiting()).toBe(0);
    });
  });

  it('are read once for all who wait for the same', async () => {
    const { read } = await published(ofTable());
    tagOf(await read());
    await row({ name: 'more', qty: 4 });
    let asked: Promise<Answer<Page>[]> | undefined;
    await whileLocked(at.table, async () => {
      asked = Promise.all(Array.from({ length: 40 }, () => read()));
      await waitFor(async () => ((await waiting()) > 0 ? true : undefined));
      expect(await waiting()).toBe(1);
    });
    const answers = (await asked) ?? [];
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.text).toContain('more');
  });

  it('are made once for all nodes, sealed in Redis, which may hang or die', async () => {
    const { read } = await published(ofTable());
    const first = await read('?limit=2');
    const store = new Redis(shared.port, shared.host);
    const prefix = `{live-tables:${pair.main.database}}:answer:`;
    const name = prefix + tagOf(first).slice(3, -1);
    const stored = await waitFor(async () => (await store.get(name)) ?? undefined);
    expect(Buffer.from(stored, 'base64').toString('latin1')).not.toContain('"rows"');
    const links = await whileLocked(at.table, async () => {
      const theirs = await read('?limit=2', {}, 1);
      expect([theirs.text, tagOf(theirs), await waiting()]).toEqual([first.text, tagOf(first), 0]);
      return [first, theirs].map(({ headers }) => headers.get('link'));
    });
    expect(new Set(links).size).toBe(1);

    // What somebody else wrote there, or moved there from another answer, is read by nobody.
    const second = await read('?limit=1');
    const other = prefix + tagOf(second).slice(3, -1);
    await waitFor(async () => (await store.get(other)) ?? undefined);
    await store.set(other, stored);
    expect((await read('?limit=1', {}, 1)).body.data).toEqual(second.body.data);
    store.disconnect();

    const [ofOne, ofOther] = [await read('?limit=3'), await read('?limit=3', {}, 1)];
    expect(ofOther.body.data).toEqual(ofOne.body.data);
    shared.hang();
    await row({ name: 'while it hangs', qty: 7 });
    for (const node of [0, 1]) expect((await read('', {}, node)).text).toContain('while it hangs');
    shared.resume();
    await shared.kill();
    await row({ name: 'while it is dead', qty: 8 });
    for (const node of [0, 1]) expect((await read('', {}, node)).text).toContain('while it is dead');
    await shared.start();
  });

  it('are new at once after a change, and named the same by every node', async () => {
    const { read, viewId } = await published(ofTable(), { cacheSeconds: 3600 });
    const seen = new Set<string>();
    const renamed = async () => {
      const [one, other] = [await read(), await read('', {}, 1)];
      expect([tagOf(other), other.text]).toEqual([tagOf(one), one.text]);
      expect(seen.has(tagOf(one))).toBe(false);
      seen.add(tagOf(one));
      for (const node of [0, 1]) expect((await read('', again(tagOf(one)), node)).status).toBe(304);
      return one;
    };
    await renamed();
    const id = await row({ name: 'fresh', qty: 9 });
    expect((await renamed()).text).toContain('fresh');
    const path = `/tables/${at.table.id}/rows/${id}`;
    expectStatus(await at.owner.patch(path, { fields: { name: 'changed' } }), 200);
    expect((await renamed()).text).toContain('changed');
    expect((await at.owner.del(path)).status).toBe(204);
    expect((await renamed()).text).not.toContain('changed');
    expectStatus(
      await at.owner.patch(`/views/${viewId}`, { definition: ofTable({ columns: ['name', 'qty', 'due'] }) }),
      200,
    );
    expectStatus(await at.owner.post(`/views/${viewId}/api`, {}), 200);
    await waitFor(async () => ((await read('', {}, 1)).text.includes('due') ? true : undefined));
    expect((await renamed()).text).toContain('due');
    for (const query of ['?limit=1', '?format=csv', '?format=ndjson'])
      expect(seen.has(tagOf(await read(query)))).toBe(false);
  });

  it('are new as well when what lookups and links show has changed in another table', async () => {
    const path = `/bases/${at.base.id}/tables`;
    const text = { name: 'Name', type: 'text' };
    const firms = expectStatus(await at.owner.post<Table>(path, { name: 'Firms', columns: [text] }), 201);
    const people = expectStatus(await at.owner.post<Table>(path, { name: 'Staff', columns: [text] }), 201);
    const link = { name: 'Firm', type: 'link', options: { tableId: firms.id, multiple: false } };
    const made = await at.owner.post<{ id: string; key: string }>(`/tables/${people.id}/columns`, link);
    const { id: linkColumnId } = expectStatus(made, 201);
    const lookup = { name: 'Firm name', type: 'lookup', options: { linkColumnId, columnId: firms.columns[0]?.id } };
    expectStatus(await at.owner.post(`/tables/${people.id}/columns`, lookup), 201);
    const firm = await row({ name: 'Acme' }, firms);
    await row({ name: 'Anna', firm: [firm] }, people);
    const { read } = await published({ source: { table: people.id }, columns: ['name', 'firm_name'] });
    const first = await read();
    expect(first.text).toContain('Acme');
    expectStatus(await at.owner.patch(`/tables/${firms.id}/rows/${firm}`, { fields: { name: 'Bolt' } }), 200);
    const second = await read('', again(tagOf(first)));
    expect(expectStatus(second, 200).data).toEqual([{ name: 'Anna', firm_name: expect.anything() }]);
    expect(second.text).toContain('Bolt');
  });

  it('are new as well when rows have changed that only the filter of the view asks for, two links away', async () => {
    const path = `/bases/${at.base.id}/tables`;
    const table = async (name: string, ...more: readonly object[]): Promise<Table> => {
      const body = { name, columns: [{ name: 'Name', type: 'text' }, ...more] };
      return expectStatus(await at.owner.post<Table>(path, body), 201);
    };
    const [lands, towns, shops] = [await table('Lands'), await table('Towns'), await table('Shops')];
    const link = async (from: Table, name: string, to: Table) =>
      expectStatus(
        await at.owner.post(`/tables/${from.id}/columns`, { name, type: 'link', options: { tableId: to.id } }),
        201,
      );
    await link(shops, 'Town', towns);
    await link(towns, 'Land', lands);
    const land = await row({ name: 'FR' }, lands);
    const town = await row({ name: 'Lyon', land: [land] }, towns);
    await row({ name: 'Anna', town: [town] }, shops);
    const german = { link: 'land', where: { field: 'name', op: 'eq', value: 'DE' } };
    const filter = { link: 'town', quantifier: 'none', where: german };
    const { read } = await published({ source: { table: shops.id }, columns: ['name'], filter });
    const first = await read();
    expect(expectStatus(first, 200).data).toEqual([{ name: 'Anna' }]);
    expectStatus(await at.owner.patch(`/tables/${lands.id}/rows/${land}`, { fields: { name: 'DE' } }), 200);
    expect(expectStatus(await read('', again(tagOf(first))), 200).data).toEqual([]);
  });

  it('are read each time where time decides, and 304 all the same', async () => {
    const { read } = await published(ofTable({ filter: { field: 'seen', op: 'lt', value: { $now: true } } }));
    const plain = await published(ofTable({ columns: ['name', 'seen'] }), { filterable: ['seen'] });
    const soon = new Date(Date.now() + 1_500).toISOString();
    await row({ name: 'soon', seen: soon });
    const [first, asked] = [await read(), await plain.read('?filter=seen.lt.@now')];
    expect(`${first.text} ${asked.text}`).not.toContain('soon');
    expect((await read('', again(tagOf(first)))).status).toBe(304);
    const later = await waitFor(async () => {
      const answer = await read('', again(tagOf(first)));
      return answer.status === 200 ? answer : undefined;
    });
    expect(later.text).toContain('soon');
    expect((await plain.read('?filter=seen.lt.@now', again(tagOf(asked)))).text).toContain('soon');
  });

  it('are there no more once the table, the base or the workspace is in the trash, and come back with it', async () => {
    const other = await world(nodes[0].base);
    const path = `/workspaces/${other.workspace.id}/views`;
    const definition = { source: { table: other.table.id }, columns: ['name'] };
    const { id } = expectStatus(
      await other.owner.post<{ id: string }>(path, { name: 'Of the trash', definition }),
      201,
    );
    const answer = await other.owner.post<{ url: string }>(`/views/${id}/api`, { auth: 'public' });
    const { url } = expectStatus(answer, 201);
    const statuses = async () => {
      const read = (node: number, headers = {}) => client(nodes[node]?.base ?? '').get<Page>(url, headers);
      const tag = again((await read(0)).headers.get('etag') ?? tagBefore);
      tagBefore = tag['if-none-match'];
      const answers = [await read(0), await read(1), await read(0, tag), await read(1, tag)];
      return answers.map(({ status }) => status).join();
    };
    let tagBefore = '';
    expect(await statuses()).toBe('200,200,304,304');
    const table = `/tables/${other.table.id}`;
    const base = `/bases/${other.base.id}`;
    const workspace = `/workspaces/${other.workspace.id}`;
    for (const [thing, gone] of [
      [table, '409,409,409,409'],
      [base, '409,409,409,409'],
      [workspace, '404,404,404,404'],
    ] as const) {
      expect((await other.owner.del(thing)).status).toBe(204);
      await waitFor(async () => ((await statuses()) === gone ? true : undefined));
      expectStatus(await other.owner.post(`${thing}/restore`), 200);
      await waitFor(async () => ((await statuses()) === '200,200,304,304' ? true : undefined));
    }
  });

  it('are never those of a publication that was ended, whose versions and address another one has by now', async () => {
    const settings = { slug: 'once-more', cacheSeconds: 3600 };
    const now = { computed: [{ key: 'late', name: 'Late', formula: 'YEAR(NOW())' }] };
    for (const over of [{}, now]) {
      const view = await published(ofTable(over), settings);
      const tag = tagOf(await view.read());
      expect((await view.read()).text).toContain('qty');
      expect((await at.owner.del(`/views/${view.viewId}/api`)).status).toBe(204);
      const definition = ofTable({ ...over, columns: ['name'] });
      expectStatus(await at.owner.patch(`/views/${view.viewId}`, { definition }), 200);
      expectStatus(await at.owner.post(`/views/${view.viewId}/api`, { auth: 'public', ...settings }), 201);
      expect((await view.read()).text).not.toContain('qty');
      expect((await view.read('', again(tag))).status).toBe(200);
      expect((await at.owner.del(`/views/${view.viewId}/api`)).status).toBe(204);
    }
  });

  it('say how long they may be kept, and by whom', async () => {
    const told = async (settings: object) => {
      const { headers } = await (await published(ofTable(), settings)).read();
      return [headers.get('cache-control'), headers.get('vary')?.toLowerCase().includes('accept')];
    };
    expect(await told({})).toEqual(['public, no-cache', true]);
    expect(await told({ cacheSeconds: 60 })).toEqual(['public, max-age=60, must-revalidate', true]);
  });
});

describe('answers of a published view of another database', () => {
  it('are as old as the publication allows, and tell it', async () => {
    await sql(
      pair.main,
      `create schema x; create table x.shop (id int primary key, note text); insert into x.shop values (1, 'old');
       grant usage on schema x to public; grant select on x.shop to public`,
    );
    const { host, port, database, username, password } = pair.main;
    const connection = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
      ...{ name: 'Secret shop', engine: 'postgresql', host, port, database, username, password },
    });
    const { id } = expectStatus(connection, 201);
    const definition = { source: { connection: id, object: 'x.shop' }, columns: ['note'] };
    const [exact, kept] = [await published(definition), await published(definition, { cacheSeconds: 3600 })];
    const [first, before] = [await exact.read(), await kept.read()];
    expect([first.text, before.text]).toEqual([expect.stringContaining('old'), expect.stringContaining('old')]);
    expect((await exact.read('', again(tagOf(first)))).status).toBe(304);
    await sql(pair.main, `update x.shop set note = 'new'`);
    expect((await exact.read('', again(tagOf(first)))).text).toContain('new');
    const old = await kept.read();
    expect([old.text, old.headers.get('age')]).toEqual([before.text, expect.stringMatching(/^\d+$/)]);
    await sql(pair.main, 'drop table x.shop');
    const gone = await exact.read();
    expect(gone.status).toBeGreaterThanOrEqual(400);
    expect(gone.text).not.toMatch(/shop|connection|note|127\.0\.0\.1/i);
  });

  it('are read once for all who wait, after they asked, and 304 also where another page follows', async () => {
    await sql(
      pair.main,
      `create schema z; create table z.stock (id int primary key, note text); insert into z.stock values (1, 'a'), (2, 'b');
       grant usage on schema z to public; grant all on z.stock to public`,
    );
    const { host, port, database, username, password } = pair.main;
    const connection = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
      ...{ name: 'Stock', engine: 'postgresql', host, port, database, username, password },
    });
    const { id } = expectStatus(connection, 201);
    const { read } = await published({ source: { connection: id, object: 'z.stock' }, columns: ['note'] });
    const first = await read('?limit=1');
    expect(first.text).toContain('nextCursor');
    expect((await read('?limit=1', again(tagOf(first)))).status).toBe(304);

    const holder = new PgClient({ host, port, database, user: username, password });
    await holder.connect();
    const readers = async (): Promise<number> =>
      (
        await sql(
          pair.main,
          `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%"stock"%' and datname = current_database()`,
        )
      ).length;
    await holder.query('begin');
    await holder.query('lock table z.stock in access exclusive mode');
    const early = read();
    await waitFor(async () => ((await readers()) === 1 ? true : undefined));
    const late = Promise.all(Array.from({ length: 40 }, () => read()));
    await expect(Promise.race([late, new Promise((resolve) => setTimeout(resolve, 500, 'waiting'))])).resolves.toBe(
      'waiting',
    );
    expect(await readers()).toBe(1);
    await holder.query(`insert into z.stock values (3, 'c')`);
    await holder.query('commit');
    await holder.end();
    expectStatus(await early, 200);
    for (const answer of await late)
      expect(expectStatus(answer, 200).data).toEqual(['a', 'b', 'c'].map((note) => ({ note })));
  });

  it('are the last good ones while it cannot be reached, marked and for as long as that is allowed', async () => {
    await sql(
      pair.main,
      `create schema v; create table v.stock (id int primary key, note text); insert into v.stock values (1, 'good');
       grant usage on schema v to public; grant select on v.stock to public`,
    );
    const { database, username, password } = pair.main;
    const way = await tcpProxy(pair.main);
    const connection = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
      ...{ name: 'Far', engine: 'postgresql', host: way.host, port: way.port, database, username, password },
    });
    const { id } = expectStatus(connection, 201);
    const definition = { source: { connection: id, object: 'v.stock' }, columns: ['note'] };
    const forgiving = await published(definition, { staleIfErrorSeconds: 60 });
    const [strict, short] = [await published(definition), await published(definition, { staleIfErrorSeconds: 1 })];
    const good = await forgiving.read();
    expect([good.headers.get('warning'), good.headers.get('age')]).toEqual([null, null]);
    for (const { read } of [strict, short]) tagOf(await read());
    await way.cut();
    const last = await forgiving.read();
    expect([last.status, last.text, tagOf(last)]).toEqual([200, good.text, tagOf(good)]);
    expect(last.headers.get('warning')).toBe('111 - "Revalidation Failed"');
    expect(last.headers.get('age')).toMatch(/^\d+$/);
    expect((await strict.read()).status).toBeGreaterThanOrEqual(502);
    // What nobody has asked for yet was never answered.
    expect((await forgiving.read('?limit=7')).status).toBeGreaterThanOrEqual(502);
    await waitFor(async () => ((await short.read()).status >= 502 ? true : undefined));
    await way.mend();
    const back = await waitFor(async () => {
      const answer = await forgiving.read();
      return answer.headers.get('warning') === null ? answer : undefined;
    });
    expect([back.status, back.text]).toEqual([200, good.text]);
  });

  it('are the last ones at once where that is allowed, while one reading behind them makes the next, for each key its own', async () => {
    await sql(
      pair.main,
      `create schema w; create table w.stock (id int primary key, note text); insert into w.stock values (1, 'one'), (2, 'two');
       grant usage on schema w to public; grant all on w.stock to public`,
    );
    const { host, port, database, username, password } = pair.main;
    const connection = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
      ...{ name: 'Slow', engine: 'postgresql', host, port, database, username, password },
    });
    const { id } = expectStatus(connection, 201);
    const definition = { source: { connection: id, object: 'w.stock' }, columns: ['id', 'note'] };
    const { viewId, read } = await published(definition, { auth: 'key', staleWhileRevalidateSeconds: 3_600 });
    const keyOf = async (row: number): Promise<Record<string, string>> => {
      const filter = { field: 'id', op: 'eq', value: row };
      const made = await at.owner.post<{ key: string }>(`/views/${viewId}/api/keys`, { name: 'Key', filter });
      return { 'x-api-key': expectStatus(made, 201).key };
    };
    const [first, second] = [await keyOf(1), await keyOf(2)];
    const notes = async (key: Record<string, string>) => expectStatus(await read('', key), 200).data;
    const fresh = await read('', first);
    expect([fresh.headers.get('age'), fresh.headers.get('cache-control')]).toEqual([
      ...[null, 'private, max-age=0, stale-while-revalidate=3600'],
    ]);
    expect(await notes(second)).toEqual([{ id: 2, note: 'two' }]);

    const holder = new PgClient({ host, port, database, user: username, password });
    await holder.connect();
    const readers = async (): Promise<number> =>
      (
        await sql(
          pair.main,
          `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%"stock"%' and datname = current_database()`,
        )
      ).length;
    await holder.query('begin');
    await holder.query('lock table w.stock in access exclusive mode');
    // Nobody waits, and one reading is under way for each key however many ask.
    for (const answer of await Promise.all(Array.from({ length: 20 }, () => read('', first)))) {
      expect(expectStatus(answer, 200).data).toEqual([{ id: 1, note: 'one' }]);
      expect(answer.headers.get('age')).toMatch(/^\d+$/);
    }
    expect((await read('', { ...first, ...again(tagOf(fresh)) })).status).toBe(304);
    expect(await notes(second)).toEqual([{ id: 2, note: 'two' }]);
    await waitFor(async () => ((await readers()) === 2 ? true : undefined));
    await holder.query(`update w.stock set note = 'new ' || note`);
    await holder.query('commit');
    await holder.end();
    const next = (row: number, key: Record<string, string>) =>
      waitFor(async () => {
        const [only, ...others] = await notes(key);
        expect([only?.id, others]).toEqual([row, []]);
        return String(only?.note).startsWith('new') ? only : undefined;
      });
    expect([await next(1, first), await next(2, second)]).toEqual([
      { id: 1, note: 'new one' },
      { id: 2, note: 'new two' },
    ]);
  });

  it('are waited for once the last ones are older than is allowed', async () => {
    await sql(
      pair.main,
      `create schema u; create table u.stock (id int primary key, note text); insert into u.stock values (1, 'old');
       grant usage on schema u to public; grant select on u.stock to public`,
    );
    const { host, port, database, username, password } = pair.main;
    const connection = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
      ...{ name: 'Short', engine: 'postgresql', host, port, database, username, password },
    });
    const { id } = expectStatus(connection, 201);
    const definition = { source: { connection: id, object: 'u.stock' }, columns: ['note'] };
    const { read } = await published(definition, { staleWhileRevalidateSeconds: 1 });
    expect((await read()).headers.get('cache-control')).toBe('public, max-age=0, stale-while-revalidate=1');
    await sql(pair.main, `update u.stock set note = 'new'`);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const answer = await read();
    expect([answer.text, answer.headers.get('age')]).toEqual([expect.stringContaining('new'), null]);
  });

  it('are rows on a line each, whatever line ends its JSON has', async () => {
    await sql(
      pair.main,
      `create schema y; create table y.book (id int primary key, note text, extra json);
       insert into y.book values (1, 'one', E'{\\n "a": 1,\\r\\n "b": ["x\\\\ny"]\\n}'), (2, 'two', '{}');
       grant usage on schema y to public; grant select on y.book to public`,
    );
    const { host, port, database, username, password } = pair.main;
    const connection = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, {
      ...{ name: 'Books', engine: 'postgresql', host, port, database, username, password },
    });
    const { id } = expectStatus(connection, 201);
    const columns = ['note', 'extra'];
    const view = await published({ source: { connection: id, object: 'y.book' }, columns, sort: [{ field: 'note' }] });
    expect(expectStatus(await view.read(), 200).data).toEqual([
      { note: 'one', extra: { a: 1, b: ['x\ny'] } },
      { note: 'two', extra: {} },
    ]);
    expect((await view.read('?format=ndjson')).text.split('\n')).toHaveLength(3);
  });
});
