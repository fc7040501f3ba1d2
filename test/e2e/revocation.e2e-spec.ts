import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  member,
  PASSWORD,
  redis,
  socket,
  sql,
  startApp,
  waitFor,
  world,
  type Person,
  type TestApp,
  type TestRedis,
  type TestSocket,
  type World,
} from '../harness/index.js';

/** The promise: whatever a person loses is lost on every node within five seconds. */
const WITHIN_MS = 5_000;

interface Members {
  readonly data: readonly { readonly id: string; readonly user: { readonly id: string } }[];
}

/** Somebody at work on the other node: calls are answered there, and a tab follows the table. */
interface AtWork {
  readonly at: World;
  readonly person: Person;
  readonly memberPath: string;
  readonly tab: TestSocket;
}

interface Way {
  readonly what: string;
  /** Done on the first node. */
  readonly revoke: (work: AtWork, node: TestApp) => Promise<unknown>;
  /** What a read on the other node answers afterwards. */
  readonly status: number;
  /** Whether the whole connection ends, or the subscription alone. */
  readonly socket: 'closed' | 'told';
}

const WAYS: readonly Way[] = [
  {
    what: 'a removed member',
    status: 404,
    socket: 'told',
    revoke: async ({ at, memberPath }) => expectStatus(await at.owner.del(memberPath), 204),
  },
  {
    what: 'who left',
    status: 404,
    socket: 'told',
    revoke: async ({ person, memberPath }) => expectStatus(await person.del(memberPath), 204),
  },
  {
    what: 'everybody, when the workspace is deleted',
    status: 404,
    socket: 'told',
    revoke: async ({ at }) => expectStatus(await at.owner.del(`/workspaces/${at.workspace.id}`), 204),
  },
  {
    what: 'who logged out',
    status: 401,
    socket: 'closed',
    revoke: async ({ person }) => expectStatus(await person.post('/auth/logout', { everywhere: true }), 204),
  },
  {
    what: 'another session of who changed the password',
    status: 401,
    socket: 'closed',
    revoke: async ({ person }, node) => {
      const second = expectStatus(
        await client(node.base).post<{ accessToken: string }>('/auth/login', {
          email: person.email,
          password: PASSWORD,
        }),
        200,
      );
      const body = { currentPassword: PASSWORD, newPassword: 'another fine phrase 77' };
      expectStatus(await client(node.base, second.accessToken).post('/auth/password', body), 204);
    },
  },
  {
    what: 'a session that was ended from another one',
    status: 401,
    socket: 'closed',
    revoke: async ({ person }) => {
      const { data } = expectStatus(await person.get<Members>('/auth/sessions'), 200);
      expectStatus(await person.del(`/auth/sessions/${data[0]?.id ?? ''}`), 204);
    },
  },
  {
    what: 'a session whose refresh token was used twice',
    status: 401,
    socket: 'closed',
    revoke: async ({ person }, node) => {
      const refresh = () => client(node.base).post('/auth/refresh', { refreshToken: person.refreshToken });
      expectStatus(await refresh(), 200);
      expectStatus(await refresh(), 401);
    },
  },
  {
    what: 'a deleted account',
    status: 401,
    socket: 'closed',
    revoke: async ({ person }) => expectStatus(await person.call('DELETE', '/users/me', { password: PASSWORD }), 204),
  },
  {
    what: 'a suspended account, of which no event tells',
    status: 401,
    socket: 'closed',
    revoke: ({ person }, node) =>
      sql(node.config.mainDb, `update users set status = 'suspended' where id = $1`, [person.user.id]),
  },
];

type Mode = readonly [
  name: string,
  setUp: () => Promise<{ readonly shared?: TestRedis; readonly before?: (shared: TestRedis) => unknown }>,
];
const MODES: readonly Mode[] = [
  ['with Redis', async () => ({ shared: await redis() })],
  ['without Redis', () => Promise.resolve({})],
  [
    'with a Redis that was killed in the middle',
    async () => ({ shared: await redis(), before: (shared) => shared.kill() }),
  ],
  [
    'with a Redis that hangs since the middle',
    async () => ({ shared: await redis(), before: (shared) => shared.hang() }),
  ],
];

describe.each(MODES)('on two nodes %s', (_mode, setUp) => {
  let here: TestApp;
  let there: TestApp;
  let works: readonly AtWork[];
  let demoted: AtWork;
  /** Of each way; rejected where something was not taken away in time. */
  let outcomes: readonly Promise<void>[];

  const atWork = async (): Promise<AtWork> => {
    const at = await world(here.base);
    const person = await member(at, 'editor');
    const { data } = expectStatus(await at.owner.get<Members>(`/workspaces/${at.workspace.id}/members`), 200);
    const id = data.find(({ user }) => user.id === person.user.id)?.id ?? '';
    const tab = await socket(there.base, person.accessToken);
    expect(await tab.ask('subscribe', { channel: `table:${at.table.id}` })).toMatchObject({ ok: true });
    return { at, person, memberPath: `/workspaces/${at.workspace.id}/members/${id}`, tab };
  };
  const read = ({ at, person }: AtWork) => client(there.base, person.accessToken).get(`/tables/${at.table.id}/rows`);
  const write = ({ at, person }: AtWork) =>
    client(there.base, person.accessToken).post(`/tables/${at.table.id}/rows`, { fields: { name: 'Mine' } });

  beforeAll(async () => {
    const { shared, before } = await setUp();
    const options = { databases: await databases(), ...(shared ? { redis: shared } : {}) };
    [here, there] = await Promise.all([startApp(options), startApp(options)]);
    works = await Promise.all(WAYS.map(() => atWork()));
    demoted = await atWork();
    for (const work of [...works, demoted]) expectStatus(await read(work), 200); // what the other node knows is fresh now
    if (shared) await before?.(shared);
    // All at once, each in a workspace of its own: most of their time is waiting.
    outcomes = WAYS.map((way, n) => takeAway(way, works[n] ?? demoted));
    await Promise.allSettled(outcomes);
  }, 60_000);

  /** Takes it away on the first node, and looks at what is left on the other one. */
  async function takeAway(way: Way, work: AtWork): Promise<void> {
    expectStatus(await read(work), 200);
    await way.revoke(work, here);
    const start = Date.now();
    const refused = waitFor(async () => (await read(work)).status === way.status, WITHIN_MS);
    const heard =
      way.socket === 'closed'
        ? waitFor(() => work.tab.socket.disconnected, WITHIN_MS)
        : work.tab.until(({ name }) => name === 'control', WITHIN_MS);
    await Promise.all([refused, heard]);
    expect(Date.now() - start).toBeLessThan(WITHIN_MS);
    const before = work.tab.payloads('data:update').length;
    await work.at.owner.post(`/tables/${work.at.table.id}/rows`, { fields: { name: 'not for you' } });
    expect(work.tab.payloads('data:update')).toHaveLength(before);
    expect((await write(work)).status).toBe(way.status);
  }

  it.each(WAYS.map((way, n) => [way.what, n] as const))(
    '%s is out within five seconds: calls and sockets',
    async (_what, n) => {
      await outcomes[n];
    },
    30_000,
  );

  it('an editor who became a viewer writes no more within five seconds, and still reads', async () => {
    expectStatus(await write(demoted), 201);
    expectStatus(await demoted.at.owner.patch(demoted.memberPath, { role: 'viewer' }), 200);
    await waitFor(async () => (await write(demoted)).status === 403, WITHIN_MS);
    expectStatus(await read(demoted), 200);
    expect(demoted.tab.payloads('control')).toEqual([]);
  }, 30_000);
});
