import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  member,
  PASSWORD,
  redis,
  signup,
  socket,
  sql,
  startApp,
  waitFor,
  world,
  type Client,
  type Person,
  type ProblemBody,
  type TestApp,
  type World,
} from '../harness/index.js';

jest.setTimeout(120_000);

interface Made {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scope: string;
  readonly workspaceIds: readonly string[] | null;
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
  readonly token: string;
}
interface Tokens {
  readonly data: readonly Omit<Made, 'token'>[];
}

/** What is promised for everything that is taken away. */
const WITHIN_MS = 5_000;

let here: TestApp;
let there: TestApp;
let at: World;
let other: World;

const ask = (person: Client, over: object = {}) =>
  person.post<Made & ProblemBody>('/users/me/tokens', { name: 'Import', scope: 'write', password: PASSWORD, ...over });
const make = async (person: Client, over: object = {}): Promise<Made> => expectStatus(await ask(person, over), 201);
const rowsOf = ({ table }: World): string => `/tables/${table.id}/rows`;
const codeOf = async (answer: Promise<{ readonly status: number; readonly body: unknown }>) => {
  const { status, body } = await answer;
  return [status, (body as ProblemBody | undefined)?.code];
};

beforeAll(async () => {
  const options = { databases: await databases(), redis: await redis() };
  [here, there] = await Promise.all([startApp(options), startApp(options)]);
  [at, other] = await Promise.all([world(here.base), world(here.base)]);
});

describe('a personal token', () => {
  it('is shown once, is stored as a hash, and is known again by its beginning', async () => {
    const made = await make(at.owner, { name: 'Shown once' });
    expect(made.token).toMatch(/^ltp_[\w-]{65}$/);
    expect(made.token.startsWith(made.prefix)).toBe(true);
    expect(made.prefix.length).toBeLessThan(20);
    const listed = await at.owner.get<Tokens>('/users/me/tokens');
    const { token, ...rest } = made;
    expect(listed.body.data).toContainEqual(rest);
    expect(listed.text).not.toContain(token);
    const stored = await sql(here.config.mainDb, 'select * from personal_tokens where id = $1', [made.id]);
    const logged = await sql(here.config.mainDb, 'select * from audit_log where resource_id = $1', [made.id]);
    expect(logged).toMatchObject([
      { action: 'personal_token.created', resource_name: 'Shown once', actor_via: 'session' },
    ]);
    expect(JSON.stringify([stored, logged])).not.toContain(token.slice(made.prefix.length));
    expect(Date.parse(made.expiresAt) - Date.now()).toBeGreaterThan(89 * 86_400_000);
  });

  it('takes the password, and makes nothing without it', async () => {
    const { owner } = at;
    const before = (await owner.get<Tokens>('/users/me/tokens')).body.data.length;
    expect(await codeOf(ask(owner, { password: 'not my password 123' }))).toEqual([401, 'invalid_credentials']);
    for (const [over, pointer] of [
      [{ scope: 'everything' }, '/scope'],
      [{ expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
      [{ expiresAt: new Date(Date.now() + 400 * 86_400_000).toISOString() }, '/expiresAt'],
      [{ workspaceIds: [] }, '/workspaceIds'],
      [{ workspaceIds: ['x'] }, '/workspaceIds'],
      [{ name: '' }, '/name'],
    ] as const) {
      const { status, body } = await ask(owner, over);
      expect([status, body.errors?.[0]?.pointer.startsWith(pointer)]).toEqual([422, true]);
    }
    expect((await owner.get<Tokens>('/users/me/tokens')).body.data).toHaveLength(before);
  });

  it('reads, writes or manages as its scope says, and never more than its person may', async () => {
    const viewer = await member(at, 'viewer');
    const programs = {
      read: client(there.base, (await make(at.owner, { scope: 'read' })).token),
      write: client(there.base, (await make(at.owner, { scope: 'write' })).token),
      manage: client(there.base, (await make(at.owner, { scope: 'manage' })).token),
      'manage of a viewer': client(there.base, (await make(viewer, { scope: 'manage' })).token),
    };
    const results: Record<string, unknown> = {};
    for (const [name, program] of Object.entries(programs)) {
      results[name] = [
        (await program.get(rowsOf(at))).status,
        ...(await codeOf(program.post(rowsOf(at), { fields: { name: 'By a program' } }))),
        ...(await codeOf(program.patch(`/bases/${at.base.id}`, { description: name }))),
      ];
    }
    expect(results).toEqual({
      read: [200, 403, 'token_scope_too_low', 403, 'token_scope_too_low'],
      write: [200, 201, undefined, 403, 'token_scope_too_low'],
      manage: [200, 201, undefined, 200, undefined],
      'manage of a viewer': [200, 403, 'role_too_low', 403, 'role_too_low'],
    });
  });

  it('does not look as somebody else with less than the scope to manage', async () => {
    const path = `/workspaces/${at.workspace.id}/members`;
    const { data } = (await at.owner.get<{ data: readonly { id: string }[] }>(path)).body;
    const look = async (scope: string) =>
      (await client(here.base, (await make(at.owner, { scope })).token).get(`${rowsOf(at)}?as=${data[0]?.id ?? ''}`))
        .status;
    expect([await look('write'), await look('manage')]).toEqual([403, 200]);
  });

  it('leads to its workspaces only, over HTTP and over the socket', async () => {
    const both = await member(other, 'admin');
    const path = `/workspaces/${at.workspace.id}/members`;
    expectStatus(await at.owner.post(path, { email: both.email, role: 'admin' }), 201);
    const { token } = await make(both, { scope: 'manage', workspaceIds: [other.workspace.id] });
    const program = client(there.base, token);
    expect((await program.get(rowsOf(other))).status).toBe(200);
    const refused = await program.get<ProblemBody>(rowsOf(at));
    const unknown = await program.get<ProblemBody>(`/tables/${randomUUID()}/rows`);
    expect([refused.status, refused.body.detail]).toEqual([404, unknown.body.detail]);
    const seen = await program.get<{ data: readonly { id: string }[] }>('/workspaces');
    expect(seen.body.data.map(({ id }) => id)).toEqual([other.workspace.id]);
    const tab = await socket(there.base, token);
    expect(await tab.ask('subscribe', { channel: `table:${other.table.id}` })).toMatchObject({ ok: true });
    expect(await tab.ask('subscribe', { channel: `table:${at.table.id}` })).toMatchObject({ ok: false });
    for (const better of [both.accessToken, (await make(both, { scope: 'manage' })).token])
      expect(await tab.ask('auth', { token: better })).toMatchObject({ ok: false, error: { code: 'forbidden' } });
    tab.close();
  });

  it('makes no tokens, and touches neither the account nor its sessions', async () => {
    const person = await signup(here.base);
    const { token, id } = await make(person, { scope: 'manage' });
    const program = client(here.base, token);
    const refused: readonly (readonly [method: string, path: string, body?: object])[] = [
      ['POST', '/users/me/tokens', { name: 'More', scope: 'read', password: PASSWORD }],
      ['GET', '/users/me/tokens'],
      ['DELETE', `/users/me/tokens/${id}`],
      ['POST', '/auth/password', { currentPassword: PASSWORD, newPassword: 'another fine phrase 77' }],
      ['POST', '/auth/logout', { everywhere: true }],
      ['GET', '/auth/sessions'],
      ['DELETE', `/auth/sessions/${id}`],
      ['PATCH', '/users/me', { name: 'Somebody' }],
      ['DELETE', '/users/me', { password: PASSWORD }],
    ];
    for (const [method, path, body] of refused)
      expect([path, ...(await codeOf(program.call(method, path, body)))]).toEqual([path, 403, 'session_needed']);
    expect((await program.get('/users/me')).status).toBe(200);
    expect((await person.get('/auth/sessions')).status).toBe(200);
  });

  it('is named in the audit log as the way in which something was done', async () => {
    const { token } = await make(at.owner, { scope: 'manage' });
    expectStatus(await client(here.base, token).patch(`/bases/${at.base.id}`, { description: 'By a token' }), 200);
    const path = `/workspaces/${at.workspace.id}/audit-logs?action=base.updated&limit=1`;
    const { body } = await at.owner.get<{ data: readonly { actor: object }[] }>(path);
    expect(body.data[0]?.actor).toMatchObject({ id: at.owner.user.id, via: 'token' });
  });

  it('says when it was used last', async () => {
    const { id, token } = await make(at.owner);
    expectStatus(await client(there.base, token).get(rowsOf(at)), 200);
    const used = await waitFor(async () => {
      const { data } = (await at.owner.get<Tokens>('/users/me/tokens')).body;
      return data.find((each) => each.id === id)?.lastUsedAt ?? undefined;
    });
    expect(Math.abs(Date.now() - Date.parse(used))).toBeLessThan(60_000);
  });

  it('is counted as its person by the limits of requests', async () => {
    const { token } = await make(at.owner);
    const left = async (caller: Client): Promise<number> => {
      const { headers } = await caller.get(rowsOf(at));
      return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]);
    };
    // Counted by itself, it would have the whole limit left.
    const before = await left(at.owner);
    expect(await left(client(here.base, token))).toBeLessThan(before);
  });
});

describe('what is no living token', () => {
  const outcome = async (token: string): Promise<unknown> => {
    const overSocket = await socket(there.base, token).then(
      (tab) => (tab.close(), 'ok'),
      (error: unknown) => (error as { data?: ProblemBody }).data?.code,
    );
    return [...(await codeOf(client(there.base, token).get('/users/me'))), overSocket];
  };

  it('opens nothing, whatever it looks like', async () => {
    const { token } = await make(at.owner);
    const last = token.slice(-2, -1) === 'A' ? 'B' : 'A';
    expect(await outcome(token)).toEqual([200, undefined, 'ok']);
    for (const wrong of [
      'ltp_',
      token.slice(0, -1),
      `${token}A`,
      `${token.slice(0, -2)}${last}${token.slice(-1)}`,
      token.slice(0, 26) + randomBytes(32).toString('base64url'),
      `ltp_${randomBytes(48).toString('base64url')}A`,
      `ltk_${token.slice(4)}`,
      token.toUpperCase(),
      `ltp_${'='.repeat(65)}`,
    ])
      expect([wrong, await outcome(wrong)]).toEqual([wrong, [401, 'unauthenticated', 'unauthenticated']]);
  });

  it('ends when its time is over', async () => {
    const { id, token } = await make(at.owner);
    await sql(here.config.mainDb, `update personal_tokens set expires_at = now() where id = $1`, [id]);
    await waitFor(async () => (await client(there.base, token).get('/users/me')).status === 401, WITHIN_MS);
  });
});

describe('what takes a token away', () => {
  const ways: readonly (readonly [what: string, take: (person: Person, id: string) => Promise<unknown>])[] = [
    ['its revocation', async (person, id) => expectStatus(await person.del(`/users/me/tokens/${id}`), 204)],
    [
      'a new password',
      async (person) => {
        const body = { currentPassword: PASSWORD, newPassword: 'another fine phrase 77' };
        expectStatus(await person.post('/auth/password', body), 204);
      },
    ],
    [
      'the end of the account',
      async (person) => expectStatus(await person.call('DELETE', '/users/me', { password: PASSWORD }), 204),
    ],
    [
      'its removal from the database, of which no event tells',
      (_person, id) => sql(here.config.mainDb, 'delete from personal_tokens where id = $1', [id]),
    ],
    [
      'a suspended account, of which no event tells',
      ({ user }) => sql(here.config.mainDb, `update users set status = 'suspended' where id = $1`, [user.id]),
    ],
  ];

  it.each(ways)('%s: calls and sockets on the other node within five seconds', async (_what, take) => {
    const person = await member(at, 'editor');
    const { id, token } = await make(person);
    const program = client(there.base, token);
    expectStatus(await program.post(rowsOf(at), { fields: { name: 'Before' } }), 201);
    const tab = await socket(there.base, token);
    expect(await tab.ask('subscribe', { channel: `table:${at.table.id}` })).toMatchObject({ ok: true });
    await take(person, id);
    await Promise.all([
      waitFor(async () => (await program.get(rowsOf(at))).status === 401, WITHIN_MS),
      waitFor(() => tab.socket.disconnected, WITHIN_MS),
    ]);
    expect((await program.post(rowsOf(at), { fields: { name: 'After' } })).status).toBe(401);
  });

  it('is nobody but its person', async () => {
    const { id, token } = await make(at.owner);
    expect(await codeOf(other.owner.del(`/users/me/tokens/${id}`))).toEqual([404, 'not_found']);
    expect((await client(here.base, token).get('/users/me')).status).toBe(200);
  });
});
