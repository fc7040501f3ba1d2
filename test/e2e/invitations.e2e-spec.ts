import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  mailbox,
  member,
  signup,
  sql,
  startApp,
  type Mailbox,
  type Person,
  type ProblemBody,
  type TestApp,
  type Workspace,
} from '../harness/index.js';
import { byStatus, tokenIn } from '../support/people.js';

interface Invited {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly status: string;
  readonly inviteUrl: string;
  readonly expiresAt: string;
}
interface List<T> {
  readonly data: readonly T[];
  readonly page: { readonly nextCursor?: string };
}

const codeOf = ({ status, body }: { readonly status: number; readonly body: unknown }) => [
  status,
  (body as ProblemBody).code,
];
const freshEmail = () => `${randomUUID()}@example.org`;

describe('invitations', () => {
  let mail: Mailbox;
  let node: TestApp;
  let other: TestApp;
  let owner: Person;
  let workspace: Workspace;

  beforeAll(async () => {
    mail = await mailbox();
    const options = { databases: await databases(), env: { SMTP_URL: mail.url, APP_URL: 'https://app.example.org' } };
    [node, other] = await Promise.all([startApp(options), startApp(options)]);
    owner = await signup(node.base);
    workspace = expectStatus(await owner.post<Workspace>('/workspaces', { name: 'Acme' }), 201);
  }, 60_000);

  const members = () => `/workspaces/${workspace.id}/members`;
  const path = () => `/workspaces/${workspace.id}/invitations`;
  const ask = (email: string, role = 'editor', by = owner) =>
    by.post<Invited & ProblemBody>(members(), { email, role });
  const invite = async (email: string, role?: string, by?: Person) => expectStatus(await ask(email, role, by), 201);
  const accept = (person: Person, token: string, base = node.base) =>
    client(base, person.accessToken).post<ProblemBody & { id: string; workspaceId: string }>(
      `/invitations/${token}/accept`,
    );
  const openOf = async (email: string) =>
    expectStatus(await owner.get<List<Invited>>(`${path()}?limit=1000`), 200).data.filter(
      (each) => each.email === email,
    );

  it('go to people without an account, who register and become members by the link', async () => {
    const email = freshEmail();
    const answer = await ask(` ${email.toUpperCase()}`, 'editor');
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.any(String),
      email,
      user: null,
      role: 'editor',
      status: 'invited',
      invitedBy: { id: owner.user.id, name: owner.user.name },
      createdAt: expect.stringMatching(/Z$/),
      expiresAt: expect.stringMatching(/Z$/),
      inviteUrl: expect.stringMatching(/^https:\/\/app\.example\.org\/invitations\/[\w-]{43}$/),
    });
    expect(answer.headers.get('location')).toBe(`/api/v1${path()}/${answer.body.id}`);
    const kept = await owner.get(`${path()}/${answer.body.id}`);
    expect({ ...(kept.body as object), user: null, inviteUrl: answer.body.inviteUrl }).toEqual(answer.body);
    const token = tokenIn(answer.body.inviteUrl);
    expect((await mail.to(email)).text).toContain(answer.body.inviteUrl);
    expect(await openOf(email)).toEqual([expect.not.objectContaining({ inviteUrl: expect.anything() })]);

    const preview = await client(node.base).get(`/invitations/${token}`);
    expect([preview.status, preview.body]).toEqual([
      200,
      { workspaceName: 'Acme', email, role: 'editor', invitedBy: owner.user.name, expiresAt: answer.body.expiresAt },
    ]);
    const person = await signup(node.base, { email });
    expect((await person.get(`/workspaces/${workspace.id}`)).status).toBe(404);
    const accepted = await accept(person, token);
    expect(accepted.status).toBe(201);
    expect(accepted.headers.get('location')).toBe(`/api/v1${members()}/${accepted.body.id}`);
    expect(accepted.body).toMatchObject({
      workspaceId: workspace.id,
      role: 'editor',
      status: 'active',
      user: { email },
    });
    expect((await person.get(`/workspaces/${workspace.id}`)).body).toMatchObject({ role: 'editor' });
    expect(await openOf(email)).toEqual([]);
    expect(codeOf(await accept(person, token))).toEqual([404, 'not_found']);
    const entries = await sql<{ action: string }>(
      node.config.mainDb,
      `select action from audit_log where workspace_id = $1 and (actor_id = $2 or resource_name = $3) order by id`,
      [workspace.id, person.user.id, email],
    );
    expect(entries.map(({ action }) => action)).toEqual(['invitation.created', 'invitation.accepted', 'member.added']);
  });

  it('are not needed by people with an account', async () => {
    const { email } = await signup(node.base);
    expect(await invite(email)).toMatchObject({ status: 'active', user: { email } });
  });

  it('are for one address', async () => {
    const { inviteUrl } = await invite(freshEmail());
    const stranger = await signup(node.base);
    expect(codeOf(await accept(stranger, tokenIn(inviteUrl)))).toEqual([403, 'invitation_for_other']);
    expect((await stranger.get(`/workspaces/${workspace.id}`)).status).toBe(404);
  });

  it('work once: of twenty acceptances at once over two nodes one succeeds', async () => {
    const email = freshEmail();
    const { inviteUrl } = await invite(email);
    const person = await signup(node.base, { email });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => accept(person, tokenIn(inviteUrl), n % 2 ? node.base : other.base)),
    );
    expect(byStatus(answers)).toEqual({ 201: 1, 404: 19 });
  });

  it('are replaced by a new one for the same address', async () => {
    const email = freshEmail();
    const first = await invite(email, 'viewer');
    const second = await invite(email, 'editor');
    expect(await openOf(email)).toEqual([expect.objectContaining({ id: second.id, role: 'editor' })]);
    const entries = await sql(
      node.config.mainDb,
      `select resource_id from audit_log where action = 'invitation.superseded' and resource_name = $1`,
      [email],
    );
    expect(entries).toEqual([{ resource_id: first.id }]);
    const person = await signup(node.base, { email });
    expect((await accept(person, tokenIn(first.inviteUrl))).status).toBe(404);
    expect((await accept(person, tokenIn(second.inviteUrl))).body).toMatchObject({ role: 'editor' });
  });

  it('ten at once for one address leave one that works', async () => {
    const email = freshEmail();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(email)));
    expect(byStatus(answers)).toEqual({ 201: 10 });
    expect(await openOf(email)).toHaveLength(1);
    const person = await signup(node.base, { email });
    const accepted = await Promise.all(answers.map(({ body }) => accept(person, tokenIn(body.inviteUrl))));
    expect(byStatus(accepted)).toEqual({ 201: 1, 404: 9 });
  });

  it('end when somebody is added directly', async () => {
    const email = freshEmail();
    const { inviteUrl } = await invite(email, 'viewer');
    const person = await signup(node.base, { email });
    expect(await invite(email, 'editor')).toMatchObject({ status: 'active', role: 'editor' });
    expect(await openOf(email)).toEqual([]);
    expect((await accept(person, tokenIn(inviteUrl))).status).toBe(404);
  });

  describe('are the same 404, with and without an account,', () => {
    const dead = async (kill: (invited: Invited, admin: Person) => Promise<unknown>) => {
      const admin = await member({ owner, workspace }, 'admin');
      const email = freshEmail();
      const invited = await invite(email, 'viewer', admin);
      const person = await signup(node.base, { email });
      await kill(invited, admin);
      const token = tokenIn(invited.inviteUrl);
      return {
        token,
        accepted: await accept(person, token),
        member: (await person.get(`/workspaces/${workspace.id}`)).status,
      };
    };
    const memberId = async (person: Person) => {
      const list = expectStatus(
        await owner.get<List<{ id: string; user: { id: string } }>>(`${members()}?limit=1000`),
        200,
      );
      return list.data.find(({ user }) => user.id === person.user.id)?.id ?? '';
    };

    it.each<[string, (invited: Invited, admin: Person) => Promise<unknown>]>([
      ['when revoked', async ({ id }) => expectStatus(await owner.del(`${path()}/${id}`), 204)],
      [
        'when expired',
        ({ id }) => sql(node.config.mainDb, 'update invitations set expires_at = now() where id = $1', [id]),
      ],
      [
        'when who invited may not any more',
        async (_, admin) =>
          expectStatus(await owner.patch(`${members()}/${await memberId(admin)}`, { role: 'editor' }), 200),
      ],
      [
        'when who invited is gone',
        async (_, admin) => expectStatus(await owner.del(`${members()}/${await memberId(admin)}`), 204),
      ],
      [
        'when who invited has no account any more',
        async (_, admin) => expectStatus(await admin.call('DELETE', '/users/me', { password: admin.password }), 204),
      ],
    ])('%s', async (_what, kill) => {
      const { token, accepted, member: status } = await dead(kill);
      expect([codeOf(accepted), status]).toEqual([[404, 'not_found'], 404]);
      expect((await client(node.base).get(`/invitations/${token}`)).status).toBe(404);
      expect(accepted.body.detail).toBe('invitation does not exist or is not visible to you.');
    });

    it('when the workspace is gone', async () => {
      const second = expectStatus(await owner.post<Workspace>('/workspaces', { name: 'Gone' }), 201);
      const email = freshEmail();
      const invited = expectStatus(
        await owner.post<Invited>(`/workspaces/${second.id}/members`, { email, role: 'viewer' }),
        201,
      );
      const person = await signup(node.base, { email });
      expectStatus(await owner.del(`/workspaces/${second.id}`), 204);
      const token = tokenIn(invited.inviteUrl);
      expect((await accept(person, token)).status).toBe(404);
      expect((await client(node.base).get(`/invitations/${token}`)).status).toBe(404);
    });

    it('when the token was made up', async () => {
      const person = await signup(node.base);
      for (const token of ['x'.repeat(43), '%00', '..', "'or'1", 'x'.repeat(500), randomUUID(), '%F0%9F%90%8E']) {
        expect([token, (await accept(person, token)).status]).toEqual([token, 404]);
        expect([token, (await client(node.base).get(`/invitations/${token}`)).status]).toEqual([token, 404]);
      }
    });
  });

  describe('are the affair of admins', () => {
    it('who cannot give more than they may, invite into or revoke it', async () => {
      const admin = await member({ owner, workspace }, 'admin');
      for (const role of ['admin', 'owner'])
        expect(codeOf(await ask(freshEmail(), role, admin))).toEqual([403, 'role_too_low']);
      const email = freshEmail();
      const { id } = await invite(email, 'admin');
      expect(codeOf(await admin.del(`${path()}/${id}`))).toEqual([403, 'role_too_low']);
      expect(codeOf(await ask(email, 'viewer', admin))).toEqual([403, 'role_too_low']);
      await signup(node.base, { email }); // an account since: still not the admin's to decide
      expect(codeOf(await ask(email, 'viewer', admin))).toEqual([403, 'role_too_low']);
      expectStatus(await owner.del(`${path()}/${id}`), 204);
      expect(codeOf(await owner.del(`${path()}/${id}`))).toEqual([404, 'not_found']);
    });

    it('and of nobody else', async () => {
      const { id } = await invite(freshEmail());
      for (const role of ['editor', 'viewer'] as const) {
        const person = await member({ owner, workspace }, role);
        expect(codeOf(await person.get(path()))).toEqual([403, 'role_too_low']);
        expect(codeOf(await person.del(`${path()}/${id}`))).toEqual([403, 'role_too_low']);
        expect(codeOf(await ask(freshEmail(), 'viewer', person))).toEqual([403, 'role_too_low']);
      }
      const outsider = await signup(node.base);
      expect(codeOf(await outsider.get(path()))).toEqual([404, 'not_found']);
      const theirs = expectStatus(await outsider.post<Workspace>('/workspaces', { name: 'Theirs' }), 201);
      expect(codeOf(await outsider.del(`/workspaces/${theirs.id}/invitations/${id}`))).toEqual([404, 'not_found']);
    });

    it('who page through them', async () => {
      const fresh = expectStatus(await owner.post<Workspace>('/workspaces', { name: 'Pages' }), 201);
      for (let n = 0; n < 5; n++)
        expectStatus(await owner.post(`/workspaces/${fresh.id}/members`, { email: freshEmail(), role: 'viewer' }), 201);
      const seen: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const page: List<Invited> = expectStatus(
          await owner.get<List<Invited>>(`/workspaces/${fresh.id}/invitations?limit=2${cursor && `&cursor=${cursor}`}`),
          200,
        );
        seen.push(...page.data.map(({ id }) => id));
        cursor = page.page.nextCursor;
      }
      expect(seen).toHaveLength(5);
      expect(new Set(seen).size).toBe(5);
    });
  });

  it('keep no link in the database', async () => {
    const { inviteUrl } = await invite(freshEmail());
    const token = tokenIn(inviteUrl);
    const tables = ['invitations', 'queued_mails', 'audit_log', 'outbox'];
    for (const table of tables) {
      const [row] = await sql<{ all: string | null }>(
        node.config.mainDb,
        `select json_agg(t)::text as all from ${table} t`,
      );
      expect(row?.all ?? '').not.toContain(token);
    }
  });
});
