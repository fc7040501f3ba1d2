import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  PASSWORD,
  redis,
  signup,
  sql,
  startApp,
  waitFor,
  world,
  type Answer,
  type Person,
  type ProblemBody,
  type TestApp,
  type TestRedis,
} from '../harness/index.js';

jest.setTimeout(60_000);

const freshEmail = (): string => `${randomUUID()}@example.org`;
let lastOctet = 0;
/** An address from which nobody has called. */
const freshAddress = (): string => `203.0.113.${++lastOctet}`;

const attempt = (node: TestApp, from: string, email = freshEmail()): Promise<Answer<ProblemBody>> =>
  client(node.base).post<ProblemBody>('/auth/login', { email, password: PASSWORD }, { 'x-forwarded-for': from });

/** `r` of the `RateLimit` header. */
const left = ({ headers }: Answer<unknown>, name: string): number =>
  Number(new RegExp(`"${name}";r=(\\d+)`).exec(headers.get('ratelimit') ?? '')?.[1]);

function expectRefusal(answer: Answer<ProblemBody>, windowSeconds: number): void {
  expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const wait = Number(answer.headers.get('retry-after'));
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(windowSeconds);
  expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`;r=0;t=${wait}$`));
}

describe('rate limits', () => {
  it('stop one address at the routes of auth, and one account from any address', async () => {
    const limited = await startApp({
      env: { RATE_LIMIT_AUTH_LIMIT: '3', RATE_LIMIT_AUTH_WINDOW_SECONDS: '30', TRUST_PROXY: '1' },
    });
    const first = await attempt(limited, '203.0.113.1');
    expect(first.headers.get('ratelimit-policy')).toBe('"auth";q=3;w=30, "account";q=30;w=30');
    expect(first.headers.get('ratelimit')).toBe('"auth";r=2;t=30, "account";r=29;t=30');
    for (let n = 0; n < 2; n++) expect((await attempt(limited, '203.0.113.1')).status).toBe(401);
    expectRefusal(await attempt(limited, '203.0.113.1'), 30);
    expect((await attempt(limited, '203.0.113.2')).status).toBe(401);

    const email = freshEmail();
    for (let n = 0; n < 30; n++)
      expect((await attempt(limited, `198.51.100.${n}`, n % 2 ? email : email.toUpperCase())).status).toBe(401);
    expect((await attempt(limited, '198.51.100.99', email)).status).toBe(429);
  });

  it('count people, not their shared address, everywhere else', async () => {
    const limited = await startApp({ env: { RATE_LIMIT_LIMIT: '3', RATE_LIMIT_WINDOW_SECONDS: '30' } });
    const [ada, bob] = [await signup(limited.base), await signup(limited.base)];
    for (let n = 0; n < 3; n++) expect((await ada.get('/auth/me')).status).toBe(200);
    expect((await ada.get('/workspaces')).status).toBe(429);
    const other = await bob.get('/auth/me');
    expect(other.status).toBe(200);
    expect(other.headers.get('ratelimit-policy')).toBe('"default";q=3;w=30');
    expect(other.headers.get('ratelimit')).toBe('"default";r=2;t=30');
  });

  it('take an IPv6 customer for one, whichever addresses of the /64 are used', async () => {
    const limited = await startApp({ env: { RATE_LIMIT_AUTH_LIMIT: '3', TRUST_PROXY: '1' } });
    const lefts = async (addresses: string[]) => {
      const found: number[] = [];
      for (const from of addresses) found.push(left(await attempt(limited, from), 'auth'));
      return found;
    };
    expect(await lefts(['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:DB8:1:2:0:0:0:1'])).toEqual([2, 1, 0]);
    expect((await attempt(limited, '2001:db8:1:2:a:b:c:d')).status).toBe(429);
    expect(await lefts(['2001:db8:1:3::1', '::ffff:192.0.2.1', '192.0.2.1', '192.0.2.2'])).toEqual([2, 2, 1, 2]);
  });

  it('believe X-Forwarded-For from a configured proxy and from nobody else', async () => {
    const RATE_LIMIT_AUTH_LIMIT = '2';
    const direct = await startApp({ env: { RATE_LIMIT_AUTH_LIMIT } });
    for (const status of [401, 401, 429]) expect((await attempt(direct, freshAddress())).status).toBe(status);

    const elsewhere = await startApp({ env: { RATE_LIMIT_AUTH_LIMIT, TRUST_PROXY: '10.0.0.0/8' } });
    for (const status of [401, 401, 429]) expect((await attempt(elsewhere, freshAddress())).status).toBe(status);

    const behindOne = await startApp({ env: { RATE_LIMIT_AUTH_LIMIT, TRUST_PROXY: '1' } });
    // What the client itself wrote stands before what our proxy added, and does not count.
    const proxied = freshAddress();
    for (const status of [401, 401, 429])
      expect((await attempt(behindOne, `${freshAddress()}, ${proxied}`)).status).toBe(status);
    expect((await attempt(behindOne, freshAddress())).status).toBe(401);
  });
});

describe('the limit of external databases', () => {
  it('counts views that ask one, and none of tables of ours', async () => {
    const [{ base }, { main }] = await Promise.all([
      startApp({ env: { RATE_LIMIT_EXTERNAL_LIMIT: '5' } }),
      databases({ migrated: false }),
    ]);
    const { owner, workspace, table } = await world(base);
    for (const statement of ['create table deals (id integer primary key)', 'grant select on deals to public'])
      await sql(main, statement);
    const views = `/workspaces/${workspace.id}/views`;
    const { host, port, database, username, password } = main;
    const place = { name: 'Shop', engine: 'postgresql', host, port, database, username, password };
    const connection = expectStatus(await owner.post<{ id: string }>(`/workspaces/${workspace.id}/connections`, place), 201).id; // prettier-ignore
    const made = async (name: string, definition: object): Promise<string> =>
      expectStatus(await owner.post<{ id: string }>(views, { name, definition }), 201).id;
    const own = { source: { table: table.id } };
    const theirs = { source: { connection, object: 'deals' } };
    const [ours, shop] = [await made('ours', own), await made('shop', theirs)];
    for (let n = 0; n < 8; n++) {
      const answer = await owner.get(`/views/${ours}/data`);
      expect([answer.status, left(answer, 'external')]).toEqual([200, NaN]);
    }
    expect((await owner.post(`${views}/preview`, { definition: own })).status).toBe(200);
    const first = await owner.get(`/views/${shop}/data`);
    expect([first.status, first.headers.get('ratelimit-policy')]).toEqual([200, expect.stringContaining('"external";q=5;w=')]); // prettier-ignore
    // Whatever it is asked by, and with the routes that only ask such databases.
    const then = [
      () => owner.post(`/views/${shop}/data`, {}),
      () => owner.post(`/views/${shop}/explain`, {}),
      () => owner.post(`${views}/preview`, { definition: theirs }),
      () => owner.post(`/connections/${connection}/query`, { from: 'deals' }),
    ];
    for (const [i, ask] of then.entries()) expect(left(await ask(), 'external')).toBe(3 - i);
    for (const definition of [theirs, { ...own, joins: [{ source: theirs.source, on: [] }] }])
      expectRefusal(await owner.post<ProblemBody>(`${views}/preview`, { definition }), 60);
    expect((await owner.get(`/views/${ours}/data`)).status).toBe(200);
    // Whoever looks as somebody else asks himself, and leaves the other what is his.
    const other = await signup(base);
    const invited = await owner.post<{ id: string }>(`/workspaces/${workspace.id}/members`, {
      email: other.user.email,
      role: 'viewer',
    });
    const asOther = `/views/${shop}/data?as=${expectStatus(invited, 201).id}`;
    expectRefusal(await owner.get<ProblemBody>(asOther), 60);
    expect(left(await other.get(`/views/${shop}/data`), 'external')).toBe(4);
    // Who does not see a view does not learn what it is made of.
    const stranger = await signup(base);
    const hidden = await stranger.get(`/views/${shop}/data`);
    expect([hidden.status, left(hidden, 'external')]).toEqual([404, NaN]);
  });
});

describe('two nodes with Redis', () => {
  const LIMIT = 6;
  const WINDOW = 60;
  let broker: TestRedis;
  let nodes: [TestApp, TestApp];
  let person: Person;

  beforeAll(async () => {
    broker = await redis();
    const shared = {
      databases: await databases(),
      redis: broker,
      env: {
        RATE_LIMIT_AUTH_LIMIT: String(LIMIT),
        RATE_LIMIT_AUTH_WINDOW_SECONDS: String(WINDOW),
        RATE_LIMIT_LIMIT: '100',
        RATE_LIMIT_WINDOW_SECONDS: String(WINDOW),
        TRUST_PROXY: '1',
        LOG_LEVEL: 'silent',
      },
    };
    nodes = await Promise.all([startApp(shared), startApp(shared)]);
    person = await signup(nodes[0].base);
    await connected();
  });

  /** Both nodes use Redis: the second one knows of what the first one counted. */
  const connected = () =>
    waitFor(async () => {
      const from = freshAddress();
      return left(await attempt(nodes[0], from), 'auth') - left(await attempt(nodes[1], from), 'auth') === 1;
    }, 15_000);

  it('count the sign-ins of an address together, exactly, also when all come at once', async () => {
    const from = freshAddress();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => attempt(nodes[n % 2 ? 0 : 1], from)));
    const passed = answers.filter(({ status }) => status === 401);
    expect(passed).toHaveLength(LIMIT);
    expect(passed.map((answer) => left(answer, 'auth')).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    for (const answer of answers) if (answer.status !== 401) expectRefusal(answer, WINDOW);
  });

  it('tell the same about an account, however its address is written and wherever it is tried', async () => {
    const email = freshEmail();
    const lefts: number[] = [];
    for (const [n, node] of [...nodes, ...nodes].entries())
      lefts.push(left(await attempt(node, freshAddress(), n % 2 ? email : email.toUpperCase()), 'account'));
    expect(lefts).toEqual([59, 58, 57, 56]);
  });

  it('add up everything else in the background, and tell what is left of all', async () => {
    const [here, there] = [client(nodes[0].base, person.accessToken), client(nodes[1].base, person.accessToken)];
    for (let n = 0; n < 10; n++) expectStatus(await here.get('/auth/me'), 200);
    expectStatus(await there.get('/auth/me'), 200);
    // The node that counted one learns of the other ten, and the other way round.
    const merged = await waitFor(async () => {
      const answer = await there.get('/auth/me');
      return left(answer, 'default') <= 100 - 12 && answer;
    });
    expect(merged.headers.get('ratelimit-policy')).toBe(`"default";q=100;w=${WINDOW}`);
    const asked = async () => left(await here.get('/auth/me'), 'default');
    await waitFor(async () => (await asked()) <= left(merged, 'default') - 1);
    await waitFor(
      async () => (await here.get('/auth/me')).status === 429 && (await there.get('/auth/me')).status === 429,
    );
  });

  it('keep no address of anybody in Redis, and nothing for longer than its window', async () => {
    const email = freshEmail();
    const from = freshAddress();
    await attempt(nodes[0], from, email);
    const look = new Redis({ host: broker.host, port: broker.port });
    const keys = await look.keys('*');
    const lives = await Promise.all(keys.map((key) => look.pttl(key)));
    look.disconnect();
    const { database } = nodes[0].config.mainDb;
    expect(keys.length).toBeGreaterThan(2);
    for (const key of keys) {
      expect(key).toMatch(new RegExp(`^\\{live-tables:${database}\\}:limit:(auth|account|default):[\\w-]{22}$`));
      expect(key).not.toContain(email);
    }
    for (const life of lives) expect(life).toBeGreaterThan(0);
    for (const life of lives) expect(life).toBeLessThanOrEqual(WINDOW * 1_000);
  });

  const troubles: [string, () => unknown, () => unknown][] = [
    ['killed', () => broker.kill(), () => broker.start()],
    ['hanging', () => broker.hang(), () => broker.resume()],
  ];
  it.each(troubles)(
    'go on from what they know, each by itself and promptly, while Redis is %s',
    async (_, begin, end) => {
      const from = freshAddress();
      expect(left(await attempt(nodes[0], from), 'auth')).toBe(5);
      expect(left(await attempt(nodes[1], from), 'auth')).toBe(4);
      await begin();
      const refusedMs: number[] = [];
      // The first node knows of one attempt, the second one of two.
      for (const [node, passes] of [
        [nodes[0], 5],
        [nodes[1], 4],
      ] as const) {
        const statuses: number[] = [];
        for (let n = 0; n < LIMIT; n++) statuses.push((await attempt(node, from)).status);
        expect(statuses).toEqual([...Array<number>(passes).fill(401), ...Array<number>(LIMIT - passes).fill(429)]);
        for (let n = 0; n < 3; n++) {
          const asked = performance.now();
          expectRefusal(await attempt(node, from), WINDOW);
          refusedMs.push(performance.now() - asked);
        }
      }
      // Each that waited for a Redis that hangs would take 200 ms at least.
      expect(Math.min(...refusedMs)).toBeLessThan(150);
      await end();
      await connected();
    },
  );
});
