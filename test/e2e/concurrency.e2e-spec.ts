import { randomUUID } from 'node:crypto';
import net from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  mailbox,
  member,
  PASSWORD,
  redis,
  signup,
  sleep,
  sql,
  startApp,
  type Answer,
  type Mailbox,
  type Person,
  type TestApp,
  type TestRedis,
  type Workspace,
} from '../harness/index.js';
import { byStatus, tokenIn } from '../support/people.js';

interface Members {
  readonly data: readonly { readonly id: string; readonly user: { readonly id: string } }[];
}

const isDown = ({ port }: TestRedis) =>
  new Promise<boolean>((resolve) => {
    const probe = net.connect(port, '127.0.0.1');
    probe.once('connect', () => resolve(false)).once('error', () => resolve(true));
    probe.once('connect', () => probe.destroy());
  });

/** What happens to Redis while everybody races: nothing that is decided here may depend on it. */
const MODES: readonly (readonly [mode: string, disturb: (shared: TestRedis) => unknown])[] = [
  ['with Redis', () => undefined],
  ['while Redis is stopped in the middle', (shared) => sleep(15).then(() => shared.kill())],
];

describe.each(MODES)('races over two nodes %s', (_mode, disturb) => {
  let shared: TestRedis;
  let mail: Mailbox;
  let nodes: readonly [TestApp, TestApp];
  const base = () => nodes[0].base;

  beforeAll(async () => {
    [shared, mail] = await Promise.all([redis(), mailbox()]);
    const options = { databases: await databases(), redis: shared, env: { SMTP_URL: mail.url } };
    nodes = await Promise.all([startApp(options), startApp(options)]);
  }, 60_000);

  /** The calls at once, by turns on both nodes. */
  async function race<T>(count: number, call: (base: string, n: number) => Promise<Answer<T>>): Promise<Answer<T>[]> {
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: count }, (_, n) => call(nodes[n % 2 ? 0 : 1].base, n))),
      disturb(shared),
    ]);
    if (await isDown(shared)) {
      await shared.start();
      await sleep(500); // the nodes are connected again
    }
    return answers;
  }
  const found = async (owner: Person) =>
    expectStatus(await owner.post<Workspace>('/workspaces', { name: 'Acme' }), 201);
  const memberId = async (by: Person, { id }: Workspace, { user }: Person) =>
    expectStatus(await by.get<Members>(`/workspaces/${id}/members`), 200).data.find((one) => one.user.id === user.id)
      ?.id ?? '';
  const ownersOf = ({ id }: Workspace) =>
    sql(nodes[0].config.mainDb, `select from workspace_members where workspace_id = $1 and role = 'owner'`, [id]);

  it('make one account of ten registrations', async () => {
    const email = `${randomUUID()}@example.org`;
    const answers = await race(10, (at, n) =>
      client(at).post('/auth/register', { email: n % 2 ? email.toUpperCase() : email, password: PASSWORD, name: 'A' }),
    );
    expect(byStatus(answers)).toEqual({ 201: 1, 409: 9 });
  });

  it('let one of fifty refreshes succeed', async () => {
    const { refreshToken } = await signup(base());
    const answers = await race(50, (at) => client(at).post('/auth/refresh', { refreshToken }));
    expect(byStatus(answers)).toEqual({ 200: 1, 401: 49 });
  });

  it('leave an owner when two owners demote each other', async () => {
    for (let round = 0; round < 3; round++) {
      const owner = await signup(base());
      const workspace = await found(owner);
      const partner = await member({ owner, workspace }, 'owner');
      const [own, theirs] = [await memberId(owner, workspace, owner), await memberId(owner, workspace, partner)];
      const answers = await race(2, (at, n) =>
        client(at, n ? owner.accessToken : partner.accessToken).patch(
          `/workspaces/${workspace.id}/members/${n ? theirs : own}`,
          { role: 'viewer' },
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(await ownersOf(workspace)).toHaveLength(1);
    }
  }, 30_000);

  it('let one of twenty acceptances of an invitation, and one of twenty resets, succeed', async () => {
    const owner = await signup(base());
    const workspace = await found(owner);
    const email = `${randomUUID()}@example.org`;
    const invited = await owner.post<{ inviteUrl: string }>(`/workspaces/${workspace.id}/members`, {
      email,
      role: 'viewer',
    });
    const token = tokenIn(expectStatus(invited, 201).inviteUrl);
    const guest = await signup(base(), { email });
    const accepted = await race(20, (at) => client(at, guest.accessToken).post(`/invitations/${token}/accept`));
    expect(byStatus(accepted)).toEqual({ 201: 1, 404: 19 });

    expectStatus(await client(base()).post('/auth/password/forgot', { email: owner.email }), 202);
    const link = tokenIn((await mail.to(owner.email)).text);
    const resets = await race(20, (at, n) =>
      client(at).post('/auth/password/reset', { token: link, newPassword: `phrase number ${n} of many` }),
    );
    expect(byStatus(resets)).toEqual({ 204: 1, 401: 19 });
  }, 30_000);

  it('do a keyed request once', async () => {
    const owner = await signup(base());
    const name = `W ${randomUUID()}`;
    const answers = await race(30, (at) =>
      client(at, owner.accessToken).post('/workspaces', { name }, { 'idempotency-key': name }),
    );
    for (const { status } of answers) expect([201, 409]).toContain(status);
    expect(await sql(nodes[0].config.mainDb, 'select from workspaces where name = $1', [name])).toHaveLength(1);
  });
});
