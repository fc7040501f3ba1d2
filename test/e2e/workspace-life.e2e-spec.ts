import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { WorkspacePurge } from '../../src/modules/workspaces/index.js';
import {
  client,
  databases,
  expectStatus,
  member,
  signup,
  sql,
  startApp,
  world,
  type Person,
  type ProblemBody,
  type TestApp,
  type Workspace,
} from '../harness/index.js';
import { byStatus } from '../support/people.js';

interface Members {
  readonly data: readonly { readonly id: string; readonly role: string; readonly user: { readonly id: string } }[];
}

const codeOf = ({ status, body }: { readonly status: number; readonly body: unknown }) => [
  status,
  (body as ProblemBody).code,
];

describe('a workspace', () => {
  let node: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    const pair = await databases();
    [node, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  }, 60_000);

  const found = async (owner: Person) =>
    expectStatus(await owner.post<Workspace>('/workspaces', { name: 'Acme' }), 201);
  const rolesIn = async ({ id }: Workspace) =>
    Object.fromEntries(
      (
        await sql<{ user_id: string; role: string }>(
          node.config.mainDb,
          'select user_id, role from workspace_members where workspace_id = $1',
          [id],
        )
      ).map(({ user_id, role }) => [user_id, role]),
    );
  const memberIdOf = async (by: Person, { id }: Workspace, person: Person) =>
    expectStatus(await by.get<Members>(`/workspaces/${id}/members`), 200).data.find(
      ({ user }) => user.id === person.user.id,
    )?.id ?? '';

  describe('is handed over', () => {
    it('in one step: the member becomes an owner, the owner an admin', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const heir = await member({ owner, workspace }, 'viewer');
      const memberId = await memberIdOf(owner, workspace, heir);
      const answer = await owner.post(`/workspaces/${workspace.id}/transfer`, { memberId });
      expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ id: workspace.id, role: 'admin' })]);
      expect(await rolesIn(workspace)).toEqual({ [owner.user.id]: 'admin', [heir.user.id]: 'owner' });
      expect((await heir.get(`/workspaces/${workspace.id}`)).body).toMatchObject({ role: 'owner' });
      expect(codeOf(await owner.del(`/workspaces/${workspace.id}`))).toEqual([403, 'role_too_low']);
    });

    it('by owners only, to members only, not to oneself', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const admin = await member({ owner, workspace }, 'admin');
      const path = `/workspaces/${workspace.id}/transfer`;
      const [own, admins] = [await memberIdOf(owner, workspace, owner), await memberIdOf(owner, workspace, admin)];
      expect(codeOf(await admin.post(path, { memberId: admins }))).toEqual([403, 'role_too_low']);
      expect(codeOf(await owner.post(path, { memberId: own }))).toEqual([409, 'conflict']);
      expect(codeOf(await owner.post(path, { memberId: randomUUID() }))).toEqual([404, 'not_found']);
      const elsewhere = await found(admin);
      const foreign = await memberIdOf(admin, elsewhere, admin);
      expect(codeOf(await owner.post(path, { memberId: foreign }))).toEqual([404, 'not_found']);
      for (const memberId of ['x', null, [admins], { id: admins }, undefined])
        expect(codeOf(await owner.post(path, { memberId }))).toEqual([422, 'validation_failed']);
      expect(await rolesIn(workspace)).toEqual({ [owner.user.id]: 'owner', [admin.user.id]: 'admin' });
    });

    it('and never loses its last owner, however many hand it over at once', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const heirs = await Promise.all([0, 1, 2, 3].map(() => member({ owner, workspace }, 'editor')));
      const ids = await Promise.all(heirs.map((heir) => memberIdOf(owner, workspace, heir)));
      const answers = await Promise.all(
        ids.map((memberId, n) =>
          client(n % 2 ? node.base : other.base, owner.accessToken).post(`/workspaces/${workspace.id}/transfer`, {
            memberId,
          }),
        ),
      );
      expect(byStatus(answers)).toEqual({ 200: 1, 403: 3 });
      expect(Object.values(await rolesIn(workspace)).filter((role) => role === 'owner')).toHaveLength(1);
    });
  });

  describe('in the trash', () => {
    it('is reached by nobody, and brought back whole by an owner', async () => {
      const { owner, workspace, table } = await world(node.base);
      const admin = await member({ owner, workspace }, 'admin');
      const row = expectStatus(
        await owner.post<{ id: string }>(`/tables/${table.id}/rows`, { fields: { name: 'Kept' } }),
        201,
      );
      const path = `/workspaces/${workspace.id}`;
      expect(codeOf(await owner.post(`${path}/restore`))).toEqual([404, 'not_found']);
      expectStatus(await owner.del(path), 204);
      expect((await owner.get(path)).status).toBe(404);
      expect((await owner.get(`/tables/${table.id}/rows/${row.id}`)).status).toBe(404);
      expect(codeOf(await owner.del(path))).toEqual([404, 'not_found']);
      const outsider = await signup(node.base);
      expect(codeOf(await outsider.post(`${path}/restore`))).toEqual([404, 'not_found']);
      expect(codeOf(await admin.post(`${path}/restore`))).toEqual([403, 'role_too_low']);
      expect((await client(node.base).post(`${path}/restore`)).status).toBe(401);
      expect((await owner.post<Workspace>(`${path}/restore`)).body).toMatchObject({ id: workspace.id, role: 'owner' });
      expect((await owner.get(`/tables/${table.id}/rows/${row.id}`)).body).toMatchObject({ fields: { name: 'Kept' } });
      expect((await admin.get(path)).body).toMatchObject({ role: 'admin' });
    });

    it('is purged after its time, with its rows in the mini database, and what it was stays in the audit log', async () => {
      const { owner, workspace, base, table } = await world(node.base);
      const kept = await world(node.base);
      expectStatus(await owner.del(`/bases/${base.id}`), 204); // deleted bases go too
      expectStatus(await owner.del(`/workspaces/${workspace.id}`), 204);
      const purge = () => Promise.all([node, other].map(({ app }) => app.get(WorkspacePurge).sweep()));
      const schemas = (schema: string) =>
        sql(node.config.miniDb, 'select from pg_namespace where nspname = $1', [schema]);

      expect(await purge()).toEqual([0, 0]);
      expect(await schemas(table.physical.schema)).toHaveLength(1);
      await sql(node.config.mainDb, `update workspaces set deleted_at = now() - interval '31 days' where id = $1`, [
        workspace.id,
      ]);
      const purged = await purge();
      expect(purged.reduce((sum, each) => sum + each)).toBe(1);
      expect(await schemas(table.physical.schema)).toEqual([]);
      expect(await schemas(kept.table.physical.schema)).toHaveLength(1);
      for (const rows of [
        'workspaces where id = $1',
        'bases where workspace_id = $1',
        'schema_ops where workspace_id = $1',
      ])
        expect(await sql(node.config.mainDb, `select from ${rows}`, [workspace.id])).toEqual([]);
      const entries = await sql<{ action: string }>(
        node.config.mainDb,
        'select action from audit_log where workspace_id = $1 order by id',
        [workspace.id],
      );
      expect(entries.at(0)?.action).toBe('workspace.created');
      expect(entries.at(-1)?.action).toBe('workspace.purged');
      expect((await owner.post(`/workspaces/${workspace.id}/restore`)).status).toBe(404);
    });
  });
});
