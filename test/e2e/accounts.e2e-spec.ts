import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  member,
  PASSWORD,
  signup,
  sleep,
  socket,
  sql,
  startApp,
  waitFor,
  world,
  type Person,
  type ProblemBody,
  type TestApp,
  type Workspace,
} from '../harness/index.js';
import { byStatus } from '../support/people.js';

interface Members {
  readonly data: readonly {
    readonly id: string;
    readonly role: string;
    readonly user: { readonly id: string; readonly name: string };
  }[];
}

describe('accounts', () => {
  let node: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    const pair = await databases();
    [node, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  }, 60_000);

  const remove = (person: Person, password: unknown = person.password) =>
    person.call<ProblemBody>('DELETE', '/users/me', { password });
  const found = async (owner: Person) =>
    expectStatus(await owner.post<Workspace>('/workspaces', { name: 'Acme' }), 201);
  const membersOf = async (person: Person, { id }: Workspace) =>
    expectStatus(await person.get<Members>(`/workspaces/${id}/members`), 200).data;

  describe('a profile', () => {
    it('is shown and changed, and others see the new name', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      expect((await owner.get('/users/me')).body).toEqual(owner.user);
      const changed = await owner.patch('/users/me', { name: ' Ada King ' });
      expect([changed.status, changed.body]).toEqual([200, { ...owner.user, name: 'Ada King' }]);
      expect((await owner.get('/auth/me')).body).toMatchObject({ name: 'Ada King' });
      expect((await membersOf(owner, workspace))[0]?.user.name).toBe('Ada King');
      expectStatus(await owner.patch(`/workspaces/${workspace.id}`, { name: 'Acme 2' }), 200);
      const [entry] = await sql(
        node.config.mainDb,
        `select actor_name from audit_log where action = 'workspace.updated' and actor_id = $1`,
        [owner.user.id],
      );
      expect(entry).toEqual({ actor_name: 'Ada King' });
    });

    it('does not change by nothing, and refuses everything that is not a name', async () => {
      const person = await signup(node.base);
      expect((await person.patch('/users/me', {})).body).toEqual(person.user);
      for (const body of [
        { name: null },
        { name: '' },
        { name: ['Ada'] },
        { name: 'x'.repeat(256) },
        { email: 'other@example.org' },
        { id: person.user.id },
        { name: 'Ada', status: 'active' },
        { name: 'Ada', passwordHash: 'x' },
        { name: 'Ada', createdAt: '2020-01-01T00:00:00.000Z' },
      ])
        expect([body, (await person.patch('/users/me', body)).status]).toEqual([body, 422]);
      expect((await person.get('/users/me')).body).toEqual(person.user);
    });
  });

  describe('a deletion', () => {
    it('needs the password', async () => {
      const person = await signup(node.base);
      const refused = await remove(person, 'not the password at all');
      expect([refused.status, refused.body.code]).toEqual([401, 'invalid_credentials']);
      expect((await person.call('DELETE', '/users/me')).status).toBe(422);
      for (const bad of [null, '', [PASSWORD], { $ne: '' }, 'x'.repeat(100_000)])
        expect((await remove(person, bad)).status).toBe(422);
      expectStatus(await person.get('/auth/me'), 200);
    });

    it('ends sessions, tokens and sockets on every node, and frees the address for somebody new', async () => {
      const { owner, workspace, table } = await world(node.base);
      const person = await member({ owner, workspace }, 'editor');
      const elsewhere = client(other.base, person.accessToken);
      expectStatus(await elsewhere.get('/auth/me'), 200);
      const tab = await socket(other.base, person.accessToken);
      await tab.ask('subscribe', { channel: `table:${table.id}` });
      expectStatus(await remove(person), 204);
      expect((await person.get('/auth/me')).status).toBe(401);
      await waitFor(async () => (await elsewhere.get('/auth/me')).status === 401, 5_000);
      await waitFor(() => tab.socket.disconnected, 5_000);
      expect((await client(node.base).post('/auth/login', { email: person.email, password: PASSWORD })).status).toBe(
        401,
      );
      expect((await client(node.base).post('/auth/refresh', { refreshToken: person.refreshToken })).status).toBe(401);

      const again = await signup(node.base, { email: person.email });
      expect(again.user.id).not.toBe(person.user.id);
      expect((await person.get('/auth/me')).status).toBe(401);
      expect((await again.get(`/workspaces/${workspace.id}`)).status).toBe(404);
      await expect(socket(node.base, person.accessToken)).rejects.toThrow();
    }, 20_000);

    it('erases the person and keeps what was done', async () => {
      const { owner, workspace, table } = await world(node.base);
      const person = await member({ owner, workspace }, 'editor');
      const row = expectStatus(
        await person.post<{ id: string }>(`/tables/${table.id}/rows`, { fields: { name: 'Kept' } }),
        201,
      );
      expectStatus(await remove(person), 204);
      expect((await membersOf(owner, workspace)).map(({ user }) => user.id)).toEqual([owner.user.id]);
      expect((await owner.get(`/tables/${table.id}/rows/${row.id}`)).body).toMatchObject({ fields: { name: 'Kept' } });
      const [kept] = await sql(
        node.config.mainDb,
        'select email, name, password_hash, status from users where id = $1',
        [person.user.id],
      );
      expect(kept).toEqual({ email: '', name: 'Deleted account', password_hash: '', status: 'deleted' });
      const entries = await sql<{ action: string }>(
        node.config.mainDb,
        'select action from audit_log where actor_id = $1 order by id',
        [person.user.id],
      );
      expect(entries.map(({ action }) => action)).toEqual(
        expect.arrayContaining(['user.deleted', 'member.removed', 'session.revoked']),
      );
    });

    it('is refused while a workspace would be left without an owner, and says which', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const refused = await remove(owner);
      expect([refused.status, refused.body.code]).toEqual([409, 'last_owner']);
      expect(refused.body).toMatchObject({ workspaceId: workspace.id, detail: expect.stringContaining('Acme') });
      const heir = await member({ owner, workspace }, 'owner');
      expectStatus(await remove(owner), 204);
      expect((await membersOf(heir, workspace)).map(({ role }) => role)).toEqual(['owner']);
    });

    it('is possible once the workspace is deleted', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      expectStatus(await owner.del(`/workspaces/${workspace.id}`), 204);
      expectStatus(await remove(owner), 204);
    });

    it('never leaves a workspace without an owner, whoever deletes, leaves and demotes at the same moment', async () => {
      for (let round = 0; round < 6; round++) {
        const owner = await signup(node.base);
        const workspace = await found(owner);
        const partner = await member({ owner, workspace }, 'owner');
        const members = await membersOf(owner, workspace);
        const idOf = (person: Person) => members.find(({ user }) => user.id === person.user.id)?.id ?? '';
        const path = `/workspaces/${workspace.id}/members`;
        const far = { ...client(other.base, partner.accessToken), ...{ password: partner.password } } as Person;
        const meanwhile = [
          () => remove(far),
          () => far.patch(`${path}/${idOf(partner)}`, { role: 'viewer' }),
          () => far.del(`${path}/${idOf(partner)}`),
        ][round % 3];
        const answers = await Promise.all([remove(owner), meanwhile?.() ?? remove(far)]);
        const statuses = byStatus(answers);
        expect([round, (statuses[409] ?? 0) + (statuses[404] ?? 0) + (statuses[401] ?? 0)]).toEqual([round, 1]);
        const owners = await sql(
          node.config.mainDb,
          `select from workspace_members m join users u on u.id = m.user_id where workspace_id = $1 and role = 'owner' and u.status = 'active'`,
          [workspace.id],
        );
        expect(owners).toHaveLength(1);
      }
    }, 40_000);

    it('beside an addition leaves no membership of nobody', async () => {
      for (let round = 0; round < 5; round++) {
        const owner = await signup(node.base);
        const workspace = await found(owner);
        const person = await signup(node.base);
        const far = client(other.base, owner.accessToken);
        const [, added] = await Promise.all([
          remove(person),
          far.post(`/workspaces/${workspace.id}/members`, { email: person.email, role: 'owner' }),
        ]);
        expect([201, 409]).toContain(added.status);
        const ghosts = await sql(
          node.config.mainDb,
          `select from workspace_members m join users u on u.id = m.user_id where u.status = 'deleted'`,
        );
        expect(ghosts).toEqual([]);
      }
    }, 30_000);

    it('beside a restore or a new workspace leaves none that nobody owns', async () => {
      for (let round = 0; round < 12; round++) {
        const owner = await signup(node.base);
        const trashed = await found(owner);
        expectStatus(await owner.del(`/workspaces/${trashed.id}`), 204);
        const far = client(round % 2 ? other.base : node.base, owner.accessToken);
        expectStatus(await far.get('/auth/me'), 200); // the other node knows the session
        const later = (work: () => Promise<unknown>) => sleep(10 + 10 * (round % 8)).then(work);
        const [removed] = await Promise.all([
          remove(owner),
          later(() => far.post(`/workspaces/${trashed.id}/restore`)),
          later(() => far.post('/workspaces', { name: 'Late' })),
        ]);
        if (removed.status === 409) continue; // the new one, or the restored one, was there first
        expectStatus(removed, 204);
        expect([401, 404]).toContain((await far.post(`/workspaces/${trashed.id}/restore`)).status);
        expect((await far.post('/workspaces', { name: 'Too late' })).status).toBe(401);
      }
      const orphans = await sql(
        node.config.mainDb,
        `select from workspaces w where deleted_at is null and not exists (
           select from workspace_members m join users u on u.id = m.user_id
            where m.workspace_id = w.id and m.role = 'owner' and u.status = 'active')`,
      );
      expect(orphans).toEqual([]);
    }, 40_000);

    it('beside invitations by the same person hinders nobody: no deadlock', async () => {
      for (let round = 0; round < 6; round++) {
        const owner = await signup(node.base);
        const workspace = await found(owner);
        const admin = await member({ owner, workspace }, 'admin');
        const answers = await Promise.all([
          remove(admin),
          ...Array.from({ length: 8 }, (_, n) =>
            sleep(20 + 5 * n).then(() =>
              admin.post(`/workspaces/${workspace.id}/members`, {
                email: `r${round}n${n}@example.net`,
                role: 'viewer',
              }),
            ),
          ),
          ...Array.from({ length: 4 }, (_, n) =>
            sleep(20 + 10 * n).then(() => owner.patch(`/workspaces/${workspace.id}`, { name: `N${n}` })),
          ),
        ]);
        expect(byStatus(answers)[503]).toBeUndefined();
        expect(answers[0].status).toBe(204);
      }
    }, 40_000);
  });

  describe('a suspended person', () => {
    it('is still a member, shown as suspended, and no owner to rely on', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const partner = await member({ owner, workspace }, 'owner');
      await sql(node.config.mainDb, `update users set status = 'suspended' where id = $1`, [partner.user.id]);
      const path = `/workspaces/${workspace.id}/members`;
      const again = await owner.post<ProblemBody>(path, { email: partner.email, role: 'viewer' });
      expect([again.status, again.body.code]).toEqual([409, 'already_member']);
      const members = await membersOf(owner, workspace);
      const own = members.find(({ user }) => user.id === owner.user.id);
      expect(members.find(({ user }) => user.id === partner.user.id)).toMatchObject({ status: 'suspended' });
      expect((await owner.del(`${path}/${own?.id ?? ''}`)).status).toBe(409);
      expect((await remove(owner)).status).toBe(409);
    });
  });
});
