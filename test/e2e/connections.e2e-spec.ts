import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { WorkspacePurge } from '../../src/modules/workspaces/index.js';
import {
  afterThisFile,
  asSuperuser,
  client,
  databases,
  expectStatus,
  member,
  sql,
  startApp,
  startNode,
  tcpProxy,
  waitFor,
  world,
  type Answer,
  type Client,
  type Person,
  type ProblemBody,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

interface Connection {
  readonly id: string;
  readonly name: string;
  readonly host?: string;
  readonly [more: string]: unknown;
}

interface Test {
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly serverVersion?: string;
  readonly error?: { readonly code: string; readonly detail: string };
}

interface Schema {
  readonly objects: readonly {
    readonly schema: string;
    readonly name: string;
    readonly columns: readonly { readonly key: string; readonly [more: string]: unknown }[];
    readonly [more: string]: unknown;
  }[];
  readonly discoveredAt: string;
  readonly drift: Readonly<Record<'added' | 'removed' | 'changed' | 'renamed', readonly object[]>>;
}

let pair: TestDatabases;
/** Two nodes of one installation without Redis: one that allows loopback, as in development, and one that does not. */
let node: TestNode;
let strict: TestNode;
let at: World;
let people: Readonly<Record<'admin' | 'editor' | 'viewer', Person>>;
/** Somebody's database. */
let shop: TestDatabases['main'];

beforeAll(async () => {
  pair = await databases();
  shop = (await databases({ migrated: false })).main;
  await asSuperuser(shop.database, (db) =>
    db.query(`
      create table customers (id bigint primary key, name text not null, city varchar(80));
      create table orders (id bigint primary key, customer_id bigint not null references customers, total numeric(10, 2));
      grant all on all tables in schema public to live_tables;
    `),
  );
  [node, strict] = await Promise.all([
    startNode({ databases: pair, env: { LOG_LEVEL: 'trace' } }),
    startNode({ databases: pair, env: { LOG_LEVEL: 'trace', CONNECTIONS_ALLOWED_NETWORKS: '10.255.255.0/24' } }),
  ]);
  at = await world(node.base);
  const [admin, editor, viewer] = await Promise.all([member(at, 'admin'), member(at, 'editor'), member(at, 'viewer')]);
  people = { admin, editor, viewer };
}, 120_000);

let made = 0;
const toShop = (over: object = {}): object => ({
  name: `Shop ${(made += 1)}`,
  engine: 'postgresql',
  ...{ host: shop.host, port: shop.port, database: shop.database, username: shop.username, password: shop.password },
  ...over,
});
const path = (): string => `/workspaces/${at.workspace.id}/connections`;
const connect = async (over: object = {}): Promise<Connection> =>
  expectStatus(await at.owner.post<Connection>(path(), toShop(over)), 201);
const refused = (answer: Answer<unknown>): readonly unknown[] => {
  const { status, code, errors } = answer.body as ProblemBody;
  return [status, code, ...(errors ?? []).map(({ pointer, code: finding }) => `${pointer} ${finding}`)];
};
const schemaOf = (as: Client, id: string, refresh = true) =>
  as.get<Schema>(`/connections/${id}/schema${refresh ? '?refresh=true' : ''}`);
const alter = (statements: string) =>
  asSuperuser(shop.database, (db) => db.query(`set role live_tables; ${statements}`));
const elsewhere = (as: Person, base: string): Client => client(base, as.accessToken);

describe('connections', () => {
  it('are made, read, listed, changed and removed', async () => {
    const tls = { mode: 'require' };
    const answer = await at.owner.post<Connection>(path(), toShop({ name: ' Main shop ', tls, access: 'read-write' }));
    const { id } = expectStatus(answer, 201);
    expect(answer.headers.get('location')).toBe(`/api/v1/connections/${id}`);
    expect(answer.body).toEqual({
      id,
      workspaceId: at.workspace.id,
      name: 'Main shop',
      engine: 'postgresql',
      access: 'read-write',
      ...{ host: shop.host, port: shop.port, database: shop.database, username: shop.username },
      tls,
      createdAt: expect.any(String),
      createdBy: at.owner.user.id,
      updatedAt: expect.any(String),
    });
    expect(expectStatus(await at.owner.get(`/connections/${id}`), 200)).toEqual(answer.body);
    const changed = await at.owner.patch<Connection>(`/connections/${id}`, { name: 'Shop', access: 'read-only' });
    expect(expectStatus(changed, 200)).toMatchObject({ id, name: 'Shop', access: 'read-only', host: shop.host, tls });
    const { data } = expectStatus(await at.owner.get<{ data: readonly Connection[] }>(path()), 200);
    expect(data).toEqual(expect.arrayContaining([changed.body]));
    expect((await at.owner.del(`/connections/${id}`)).status).toBe(204);
    expect(refused(await at.owner.get(`/connections/${id}`))).toEqual([404, 'not_found']);
  });

  it('are seen by everybody, where they lead by admins only', async () => {
    const { id, name } = await connect();
    const known = { id, workspaceId: at.workspace.id, name, engine: 'postgresql', access: 'read-only' };
    for (const person of [people.viewer, people.editor]) {
      expect(expectStatus(await person.get(`/connections/${id}`), 200)).toEqual(known);
      const { data } = expectStatus(await person.get<{ data: readonly Connection[] }>(path()), 200);
      expect(data.find((one) => one.id === id)).toEqual(known);
      expect(JSON.stringify(data)).not.toContain(shop.username);
    }
    expect(expectStatus(await people.admin.get(`/connections/${id}`), 200)).toMatchObject({ host: shop.host });
  });

  it('take nothing but what is described, and say where they do not', async () => {
    const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const wrong: readonly [object, string][] = [
      [{ ssl: true }, '/ssl unknown_property'],
      [{ options: { allowPublicKeyRetrieval: true } }, '/options unknown_property'],
      [{ tls: { mode: 'require', rejectUnauthorized: false } }, '/tls/rejectUnauthorized unknown_property'],
      [{ tls: { mode: 'maybe' } }, '/tls/mode is_in'],
      [{ tls: { mode: 'verify-full', ca: '/etc/ssl/ca.pem' } }, '/tls/ca is_pem'],
      [{ engine: 'oracle' }, '/engine is_in'],
      [{ port: 0 }, '/port min'],
      [{ port: 65_536 }, '/port max'],
      [{ port: '5432' }, '/port is_int'],
      [{ access: 'admin' }, '/access is_in'],
      [{ password: 'x'.repeat(1025) }, '/password is_text'],
      [{ username: 'a\0b' }, '/username is_text'],
      [{ name: '' }, '/name is_name'],
    ];
    for (const [over, finding] of wrong) {
      const [status, code, ...findings] = refused(await at.owner.post(path(), toShop(over)));
      expect([status, code, findings.includes(finding) ? finding : findings]).toEqual([
        422,
        'validation_failed',
        finding,
      ]);
    }
    await connect({ tls: { mode: 'verify-full', ca } });
  });

  it('have names of their own in their workspace, whatever the letter case, also when made at once', async () => {
    await connect({ name: 'Zoë’s Shop' });
    const { id } = await connect();
    expect(refused(await at.owner.patch(`/connections/${id}`, { name: 'ZOË’S SHOP' }))).toEqual([
      409,
      'name_taken',
      '/name name_taken',
    ]);
    const name = randomBytes(4).toString('hex');
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => at.owner.post(path(), toShop({ name: n % 2 ? name : name.toUpperCase() }))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
  });

  it('take the password again for another engine, host or port, and for nothing else', async () => {
    const { id } = await connect();
    const patch = (body: object) => at.owner.patch(`/connections/${id}`, body);
    const missing = [422, 'validation_failed', '/password password_required'];
    expect(refused(await patch({ host: 'localhost' }))).toEqual(missing);
    expect(refused(await patch({ port: 1 }))).toEqual(missing);
    expect(refused(await patch({ engine: 'mysql' }))).toEqual(missing);
    expect(expectStatus(await at.owner.get(`/connections/${id}`), 200)).toMatchObject({
      host: shop.host,
      engine: 'postgresql',
    });
    for (const body of [{ host: shop.host, port: shop.port }, { database: 'other' }, { database: shop.database }])
      expectStatus(await patch(body), 200);
    expectStatus(await patch({ host: 'localhost', password: shop.password }), 200);
    expect(expectStatus(await at.owner.post<Test>(`/connections/${id}/test`), 200).ok).toBe(true);
  });

  it('are at most a hundred in a workspace', async () => {
    const other = await world(node.base);
    await sql(
      pair.main,
      `insert into connections select gen_random_uuid(), $1, n::text, n::text, 'mysql', 'h', 1, 'd', 'u', '', '', 'disable', null, 'read-only', 1,
         now(), $2, now() from generate_series(1, 99) n`,
      [other.workspace.id, other.owner.user.id],
    );
    const theirs = `/workspaces/${other.workspace.id}/connections`;
    expectStatus(await other.owner.post(theirs, toShop()), 201);
    expect(refused(await other.owner.post(theirs, toShop()))).toEqual([422, 'limit_reached']);
  });

  it('go with their workspace', async () => {
    const third = await startApp({ databases: pair });
    const other = await world(third.base);
    const answer = await other.owner.post<Connection>(`/workspaces/${other.workspace.id}/connections`, toShop());
    const { id } = expectStatus(answer, 201);
    expectStatus(await schemaOf(other.owner, id), 200);
    expectStatus(await other.owner.del(`/workspaces/${other.workspace.id}`), 204);
    expect(refused(await schemaOf(other.owner, id))).toEqual([404, 'not_found']);
    await sql(pair.main, `update workspaces set deleted_at = now() - interval '31 days' where id = $1`, [
      other.workspace.id,
    ]);
    expect(await third.app.get(WorkspacePurge).sweep()).toBe(1);
    for (const [table, column] of [
      ['connections', 'id'],
      ['connection_schemas', 'connection_id'],
    ] as const)
      expect(await sql(pair.main, `select from ${table} where ${column} = $1`, [id])).toEqual([]);
    await third.close();
  });
});

describe('the password of a connection', () => {
  it('is in no answer, log, audit entry or table', async () => {
    const secret = `zq-${randomBytes(12).toString('hex')}`;
    const answers: Answer<unknown>[] = [];
    const keep = async <T>(asked: Promise<Answer<T>>): Promise<Answer<T>> => {
      const answer = await asked;
      answers.push(answer);
      return answer;
    };
    const { id } = expectStatus(
      await keep(
        at.owner.post<Connection>(path(), toShop({ password: secret }), { 'idempotency-key': secret.slice(3) }),
      ),
      201,
    );
    for (const over of [
      {},
      { database: secret.slice(0, 2) },
      { host: '127.0.0.1', port: 1 },
      { engine: 'mysql' },
      { bad: secret },
    ])
      await keep(at.owner.post(`${path()}/test`, toShop({ password: secret, ...over })));
    await keep(at.owner.post(`/connections/${id}/test`));
    await keep(schemaOf(at.owner, id));
    await keep(at.owner.patch(`/connections/${id}`, { password: `${secret}x`, name: 'Renamed' }));
    await keep(at.owner.patch(`/connections/${id}`, { password: secret, host: 'localhost', tls: { mode: 'require' } }));
    await keep(at.owner.post(`/connections/${id}/test`));
    await keep(at.owner.patch(`/connections/${id}`, { host: '127.0.0.1' }));
    await keep(at.owner.get(`/connections/${id}`));
    await keep(at.owner.get(path()));
    await keep(at.owner.del(`/connections/${id}`));
    const audit = await keep(
      at.owner.get<{ data: readonly { action: string }[] }>(`/workspaces/${at.workspace.id}/audit-logs`),
    );
    expect(audit.body.data.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['connection.created', 'connection.updated', 'connection.tested', 'connection.deleted']),
    );
    for (const { text } of answers) expect(text).not.toContain(secret);
    const tables = await sql<{ name: string }>(
      pair.main,
      `select tablename as name from pg_tables where schemaname = 'public'`,
    );
    for (const { name } of tables) {
      const [found] = await sql<{ n: number }>(
        pair.main,
        `select count(*)::int as n from ${name} t where t::text like $1 or t::text like $2`,
        [`%${secret}%`, `%${Buffer.from(secret).toString('hex')}%`],
      );
      expect([name, found?.n]).toEqual([name, 0]);
    }
    expect(node.output().length).toBeGreaterThan(1_000);
    expect(node.output()).not.toContain(secret);
  });
});

describe('a test of a connection', () => {
  it('says that it works, or why not, and is written down', async () => {
    const { id, name } = await connect();
    const fine = expectStatus(await people.admin.post<Test>(`/connections/${id}/test`), 200);
    expect(fine).toEqual({ ok: true, latencyMs: expect.any(Number), serverVersion: expect.stringMatching(/^\d+/) });
    const test = async (over: object) => expectStatus(await at.owner.post<Test>(`${path()}/test`, toShop(over)), 200);
    expect((await test({})).ok).toBe(true);
    for (const over of [
      { password: 'wrong one' },
      { database: 'nowhere' },
      { port: 1 },
      { host: 'no-such-name.invalid' },
    ]) {
      const failed = await test(over);
      expect([over, failed.ok, failed.error?.code, failed.serverVersion]).toEqual([
        over,
        false,
        'source_unreachable',
        undefined,
      ]);
    }
    const { data } = expectStatus(
      await at.owner.get<{ data: readonly { resource: object; after: object }[] }>(
        `/workspaces/${at.workspace.id}/audit-logs?action=connection.tested`,
      ),
      200,
    );
    expect(data[0]).toMatchObject({ after: { ok: false, error: 'source_unreachable', host: 'no-such-name.invalid' } });
    expect(data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          resource: { type: 'connection', id, name },
          after: expect.objectContaining({ ok: true }),
        }),
      ]),
    );
  });

  it('has the same answer again under the same key', async () => {
    const { id } = await connect();
    const again = () => at.owner.post<Test>(`/connections/${id}/test`, undefined, { 'idempotency-key': `test-${id}` });
    const first = expectStatus(await again(), 200);
    const second = await again();
    expect([expectStatus(second, 200), second.headers.get('idempotency-replayed')]).toEqual([first, 'true']);
  });
});

describe('trying out hosts', () => {
  it('is limited for each person, in whichever way it is done, and hinders nothing else', async () => {
    const third = await startApp({ databases: pair, env: { RATE_LIMIT_CONNECT_LIMIT: '3' } });
    const owner = elsewhere(at.owner, third.base);
    const { id } = expectStatus(await owner.post<Connection>(path(), toShop()), 201);
    expectStatus(await owner.post(`/connections/${id}/test`), 200);
    expectStatus(await owner.patch(`/connections/${id}`, { host: 'localhost', password: shop.password }), 200);
    for (const ask of [
      owner.post(path(), toShop()),
      owner.post(`${path()}/test`, toShop()),
      owner.post(`/connections/${id}/test`),
      owner.patch(`/connections/${id}`, { host: '127.0.0.1', password: shop.password }),
    ]) {
      const answer = await ask;
      expect([...refused(answer), Number(answer.headers.get('retry-after')) > 0]).toEqual([429, 'rate_limited', true]);
    }
    expectStatus(await owner.get(`/connections/${id}`), 200);
    expectStatus(await elsewhere(people.admin, third.base).post(`/connections/${id}/test`), 200);
    await third.close();
  });
});

describe('hosts that may not be reached', () => {
  it('are refused in the same words, and not one packet is sent', async () => {
    let packets = 0;
    const listener = net.createServer((socket) => {
      packets++;
      socket.destroy();
    });
    const port = await new Promise<number>((resolve) =>
      listener.listen(0, '127.0.0.1', () => resolve((listener.address() as net.AddressInfo).port)),
    );
    afterThisFile(() => listener.close());
    const owner = elsewhere(at.owner, strict.base);
    const hosts = [
      ...['127.0.0.1', 'localhost', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0', '::1', '::ffff:127.0.0.1'],
      ...['10.0.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', 'fe80::1%lo'],
      ...['/var/run/postgresql', '', ' ', '[::1]', 'a b'],
    ];
    const words = new Set<string>();
    for (const host of hosts)
      for (const url of [path(), `${path()}/test`]) {
        const { status, text } = await owner.post(url, toShop({ host, port }));
        const { code, detail, title } = JSON.parse(text) as ProblemBody;
        expect([host, status]).toEqual([host, 422]);
        words.add(JSON.stringify([code, detail, title]));
      }
    expect([...words]).toHaveLength(1);
    expect([...words][0]).toContain('host_not_allowed');
    expect(packets).toBe(0);
  });

  it('are refused also where they are stored already, at each connect', async () => {
    const { id } = await connect();
    const owner = elsewhere(at.owner, strict.base);
    expect(refused(await owner.post(`/connections/${id}/test`))).toEqual([422, 'host_not_allowed']);
    expect(refused(await schemaOf(owner, id))).toEqual([422, 'host_not_allowed']);
    const { data } = expectStatus(
      await at.owner.get<{ data: readonly object[] }>(
        `/workspaces/${at.workspace.id}/audit-logs?action=connection.tested&limit=1`,
      ),
      200,
    );
    expect(data[0]).toMatchObject({ after: { ok: false, error: 'host_not_allowed' } });
  });

  it('are refused in a change too', async () => {
    const { id } = await connect();
    const change = { host: '169.254.169.254', password: 'x' };
    expect(refused(await at.owner.patch(`/connections/${id}`, change))).toEqual([422, 'host_not_allowed']);
  });
});

describe('the schema of a connection', () => {
  it('is what is in the database, for everybody in the workspace', async () => {
    const { id } = await connect();
    const found = expectStatus(await schemaOf(people.viewer, id, false), 200);
    expect(found.objects.map(({ schema, name, kind }) => [schema, name, kind])).toEqual([
      ['public', 'customers', 'table'],
      ['public', 'orders', 'table'],
    ]);
    expect(found.objects[1]).toMatchObject({
      primaryKey: ['id'],
      foreignKeys: [{ columns: ['customer_id'], schema: 'public', name: 'customers', references: ['id'] }],
    });
    expect(found.objects[0]?.columns[0]).toMatchObject({
      key: 'id',
      nativeType: 'bigint',
      type: 'decimal',
      nullable: false,
      primaryKey: true,
    });
    expect(JSON.stringify(found)).not.toContain('"form"');
    expect(found.drift).toEqual({ added: [], removed: [], changed: [], renamed: [] });
    expect(refused(await schemaOf((await world(node.base)).owner, id))).toEqual([404, 'not_found']);
  });

  it('is kept until it is asked for anew, and tells then what has become of it', async () => {
    await alter('create table notes (id int primary key, title text, body text)');
    const { id } = await connect();
    const first = expectStatus(await schemaOf(people.viewer, id), 200);
    await alter(
      'alter table notes rename column title to headline; alter table notes add at timestamptz; create table tags (id int)',
    );
    const kept = expectStatus(await schemaOf(people.viewer, id, false), 200);
    expect(kept).toEqual(first);
    const anew = expectStatus(await schemaOf(people.viewer, id), 200);
    expect(anew.drift).toEqual({
      added: [{ object: 'public.tags' }, { object: 'public.notes', column: 'at' }],
      removed: [],
      changed: [],
      renamed: [{ object: 'public.notes', column: 'headline', from: 'title' }],
    });
    expect(expectStatus(await schemaOf(people.viewer, id, false), 200)).toEqual(anew);
    expect(expectStatus(await schemaOf(people.viewer, id), 200).drift.added).toEqual([]);
    await alter('drop table notes, tags');
  });

  it('stays as it was found while the database cannot be reached, unless it is asked for anew', async () => {
    const proxy = await tcpProxy(shop);
    const { id } = await connect({ host: proxy.host, port: proxy.port });
    const found = expectStatus(await schemaOf(people.viewer, id), 200);
    await proxy.cut();
    expect(refused(await schemaOf(people.viewer, id))).toEqual([502, 'source_unreachable']);
    // Too old, and nobody there: what there is.
    await sql(
      pair.main,
      `update connection_schemas set discovered_at = now() - interval '2 hours' where connection_id = $1`,
      [id],
    );
    const third = await startApp({ databases: pair });
    expect(expectStatus(await schemaOf(elsewhere(people.viewer, third.base), id, false), 200).objects).toEqual(
      found.objects,
    );
    await third.close();
    // After some failures nobody waits for it; and it is there again when the pause is over.
    for (let n = 0; n < 4; n++) await schemaOf(people.viewer, id);
    const broken = await schemaOf(people.viewer, id);
    expect([broken.status, Number(broken.headers.get('retry-after')) > 0]).toEqual([502, true]);
    await proxy.mend();
    await waitFor(async () => (await schemaOf(people.viewer, id)).status === 200, 15_000);
  }, 60_000);

  it('is forgotten when the connection leads to another database', async () => {
    const { id } = await connect();
    expectStatus(await schemaOf(people.viewer, id), 200);
    expectStatus(await at.owner.patch(`/connections/${id}`, { database: 'nowhere' }), 200);
    expect(refused(await schemaOf(people.viewer, id, false))).toEqual([502, 'source_unreachable']);
  });

  it('is looked for by one at a time, on all nodes, and all get what it finds', async () => {
    const { id } = await connect();
    const other = await startNode({ databases: pair });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => schemaOf(n % 2 ? people.viewer : elsewhere(people.viewer, other.base), id)),
    );
    for (const answer of answers) expect(expectStatus(answer, 200).objects.length).toBeGreaterThanOrEqual(2);
    expect(await sql(pair.main, 'select claimed_until from connection_schemas where connection_id = $1', [id])).toEqual(
      [{ claimed_until: null }],
    );
    // Removed on one node, it is gone on the other within seconds, although nobody tells it.
    expect((await at.owner.del(`/connections/${id}`)).status).toBe(204);
    await waitFor(async () => (await schemaOf(elsewhere(people.viewer, other.base), id, false)).status === 404, 10_000);
  }, 60_000);
});
