import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  signup,
  sql,
  startApp,
  waitFor,
  type Person,
  type ProblemBody,
  type TestApp,
} from '../harness/index.js';

type Role = 'owner' | 'admin' | 'editor' | 'viewer';
interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly role: Role;
}
interface Member {
  readonly id: string;
  readonly user: { readonly id: string; readonly email: string; readonly name: string };
  readonly role: Role;
  readonly status: string;
}
interface List<T> {
  readonly data: readonly T[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('workspaces', () => {
  let node: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    const pair = await databases();
    [node, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  }, 60_000);

  const found = async (owner: Person, name = 'Acme'): Promise<Workspace> =>
    expectStatus(await owner.post<Workspace>('/workspaces', { name }), 201);
  const add = (by: Person, workspace: Workspace, email: string, role: string) =>
    by.post<Member & ProblemBody>(`/workspaces/${workspace.id}/members`, { email, role });
  const join = async (owner: Person, workspace: Workspace, role: Role): Promise<{ person: Person; member: Member }> => {
    const person = await signup(node.base);
    return { person, member: expectStatus(await add(owner, workspace, person.email, role), 201) };
  };
  const refusal = ({ status, body }: { status: number; body: unknown }) => [status, (body as ProblemBody).code];

  describe('create, list, get', () => {
    it('makes the creator an owner and says where the workspace is', async () => {
      const owner = await signup(node.base);
      const answer = await owner.post<Workspace>('/workspaces', { name: '  Ünïts & Söhne ' });
      expect(answer.status).toBe(201);
      expect(answer.headers.get('location')).toBe(`/api/v1/workspaces/${answer.body.id}`);
      expect(answer.body).toEqual({
        id: expect.any(String),
        name: 'Ünïts & Söhne',
        slug: 'units-sohne',
        role: 'owner',
        timeZone: 'UTC',
        historyDays: null,
        createdAt: TIME,
        updatedAt: TIME,
      });
      expect((await owner.get(`/workspaces/${answer.body.id}`)).body).toEqual(answer.body);
      const { body } = await owner.get<List<Member>>(`/workspaces/${answer.body.id}/members`);
      expect(body).toEqual({
        data: [
          {
            id: expect.any(String),
            user: { id: owner.user.id, email: owner.email, name: 'Ada Lovelace' },
            role: 'owner',
            status: 'active',
            attributes: {},
            createdAt: TIME,
          },
        ],
        page: { limit: 50 },
      });
    });

    it('gives ten workspaces of one name, made at once, ten slugs', async () => {
      const owner = await signup(node.base);
      const name = `Team ${randomUUID()}`;
      const made = await Promise.all(Array.from({ length: 10 }, () => found(owner, name)));
      expect(new Set(made.map(({ slug }) => slug)).size).toBe(10);
      expect(made.every(({ slug }) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug))).toBe(true);
    });

    it('lists only the own ones, oldest first, each once over all pages', async () => {
      const [owner, stranger] = [await signup(node.base), await signup(node.base)];
      await found(stranger);
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) ids.push((await found(owner, `W${n}`)).id);
      const seen: string[] = [];
      let cursor = '';
      for (let pages = 0; pages < 3; pages++) {
        const { body } = await owner.get<List<Workspace>>(`/workspaces?limit=2${cursor}`);
        seen.push(...body.data.map(({ id }) => id));
        expect(body.page.nextCursor === undefined).toBe(pages === 2);
        cursor = `&cursor=${body.page.nextCursor ?? ''}`;
      }
      expect(seen).toEqual(ids);
      expect((await owner.get<List<Workspace>>('/workspaces?limit=5000')).body.page).toEqual({ limit: 1000 });
    });

    it.each([
      ['limit=0'],
      ['limit=-1'],
      ['limit=x'],
      ['limit=1&limit=2'],
      ['unknown=1'],
      ['cursor[a]=b'],
      ['constructor=1'],
    ])('refuses a list with %s', async (query) => {
      const owner = await signup(node.base);
      expect((await owner.get(`/workspaces?${query}`)).status).toBe(422);
    });

    it.each([
      ['no name', {}],
      ['a blank name', { name: ' ' }],
      ['null', { name: null }],
      ['an array', { name: ['x'] }],
      ['an object', { name: { length: 3 } }],
      ['256 characters', { name: 'x'.repeat(256) }],
      ['a NUL', { name: 'a\u0000b' }],
      ['a lone surrogate', { name: '\udfff' }],
      ['a slug of its own', { name: 'x', slug: 'admin' }],
      ['an array as body', [{ name: 'x' }]],
    ])('refuses to create one with %s', async (_what, body) => {
      const owner = await signup(node.base);
      expect((await owner.post('/workspaces', body)).status).toBe(422);
      expect((await owner.get<List<Workspace>>('/workspaces')).body.data).toEqual([]);
    });

    it.each([['"; DROP TABLE users; --'], ["Robert'); --"], ['日本語'], ['🎉'], ['__proto__'], ['constructor']])(
      'takes %s as nothing but a name',
      async (name) => {
        const workspace = await found(await signup(node.base), name);
        expect(workspace.name).toBe(name);
        expect(workspace.slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      },
    );
  });

  describe('who is let in', () => {
    it('answers an outsider as if the workspace did not exist, word for word', async () => {
      const workspace = await found(await signup(node.base));
      const outsider = await signup(node.base);
      const said = async (id: string) => {
        const { status, body } = await outsider.get<ProblemBody>(`/workspaces/${id}`);
        return { status, code: body.code, detail: body.detail };
      };
      const real = await said(workspace.id);
      expect(real).toMatchObject({ status: 404, code: 'not_found' });
      for (const id of [randomUUID(), 'not-an-id', workspace.id.toUpperCase(), '%00', `${workspace.id}%20`]) {
        expect(await said(id)).toEqual(real);
      }
    });

    it('lets nobody else touch it on any route', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const outsider = await signup(node.base);
      const { body } = await owner.get<List<Member>>(`/workspaces/${workspace.id}/members`);
      const path = `/workspaces/${workspace.id}`;
      const own = await found(outsider);
      const id = body.data[0]?.id ?? '';
      expect(refusal(await outsider.patch(path, { name: 'mine' }))).toEqual([404, 'not_found']);
      expect(refusal(await outsider.del(path))).toEqual([404, 'not_found']);
      expect(refusal(await outsider.get(`${path}/members`))).toEqual([404, 'not_found']);
      expect(refusal(await add(outsider, workspace, outsider.email, 'owner'))).toEqual([404, 'not_found']);
      expect(refusal(await outsider.patch(`${path}/members/${id}`, { role: 'viewer' }))).toEqual([404, 'not_found']);
      // A member of another workspace, addressed through one's own.
      expect(refusal(await outsider.patch(`/workspaces/${own.id}/members/${id}`, { role: 'viewer' }))).toEqual([
        404,
        'not_found',
      ]);
      expect(refusal(await outsider.del(`/workspaces/${own.id}/members/${id}`))).toEqual([404, 'not_found']);
      expect((await owner.get<List<Member>>(`${path}/members`)).body).toEqual(body);
    });

    it('refuses in the order 401, 404, 403, 422', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { person: viewer } = await join(owner, workspace, 'viewer');
      const bad = { role: 'emperor', unknown: true };
      const path = `/workspaces/${workspace.id}/members`;
      const post = (token: string | undefined, body: unknown = bad, to = path) =>
        client(node.base, token).post(to, body);
      expect(refusal(await post(undefined))).toEqual([401, 'unauthenticated']);
      expect(refusal(await post('forged'))).toEqual([401, 'unauthenticated']);
      expect(refusal(await post(undefined, '{"half'))).toEqual([401, 'unauthenticated']);
      expect(refusal(await post((await signup(node.base)).accessToken))).toEqual([404, 'not_found']);
      expect(refusal(await post(viewer.accessToken, bad, `/workspaces/${randomUUID()}/members`))).toEqual([
        404,
        'not_found',
      ]);
      expect(refusal(await post(viewer.accessToken))).toEqual([403, 'role_too_low']);
      expect(refusal(await post(owner.accessToken))).toEqual([422, 'validation_failed']);
    });

    const table: [
      string,
      Record<Role, number>,
      (path: string, by: Person, victim: string) => Promise<{ status: number }>,
    ][] = [
      ['read it', { owner: 200, admin: 200, editor: 200, viewer: 200 }, (path, by) => by.get(path)],
      [
        'see the members',
        { owner: 200, admin: 200, editor: 200, viewer: 200 },
        (path, by) => by.get(`${path}/members`),
      ],
      [
        'rename it',
        { owner: 200, admin: 200, editor: 403, viewer: 403 },
        (path, by) => by.patch(path, { name: 'New' }),
      ],
      [
        'remove a viewer',
        { owner: 204, admin: 204, editor: 403, viewer: 403 },
        (path, by, victim) => by.del(`${path}/members/${victim}`),
      ],
      [
        'promote a viewer to editor',
        { owner: 200, admin: 200, editor: 403, viewer: 403 },
        (path, by, victim) => by.patch(`${path}/members/${victim}`, { role: 'editor' }),
      ],
      [
        'promote a viewer to admin',
        { owner: 200, admin: 403, editor: 403, viewer: 403 },
        (path, by, victim) => by.patch(`${path}/members/${victim}`, { role: 'admin' }),
      ],
      [
        'promote a viewer to owner',
        { owner: 200, admin: 403, editor: 403, viewer: 403 },
        (path, by, victim) => by.patch(`${path}/members/${victim}`, { role: 'owner' }),
      ],
      ['delete it', { owner: 204, admin: 403, editor: 403, viewer: 403 }, (path, by) => by.del(path)],
    ];
    it.each(table)('holds the role table: %s', async (_what, expected, act) => {
      for (const role of ['owner', 'admin', 'editor', 'viewer'] as const) {
        const owner = await signup(node.base);
        const workspace = await found(owner);
        const { person } = await join(owner, workspace, role);
        const { member: victim } = await join(owner, workspace, 'viewer');
        expect([role, (await act(`/workspaces/${workspace.id}`, person, victim.id)).status]).toEqual([
          role,
          expected[role],
        ]);
      }
    });

    it.each([
      ['owner', ['owner', 'admin', 'editor', 'viewer']],
      ['admin', ['editor', 'viewer']],
      ['editor', []],
      ['viewer', []],
    ] as [Role, Role[]][])('lets an %s add people as %j only', async (role, grantable) => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { person } = await join(owner, workspace, role);
      for (const given of ['owner', 'admin', 'editor', 'viewer'] as const) {
        const { email } = await signup(node.base);
        const answer = await add(person, workspace, email, given);
        expect([given, answer.status]).toEqual([given, grantable.includes(given) ? 201 : 403]);
      }
    });
  });

  describe('members', () => {
    it('are active at once, wherever the address was typed from, and see the workspace with their role', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const person = await signup(node.base);
      expect((await person.get(`/workspaces/${workspace.id}`)).status).toBe(404);
      const answer = await add(owner, workspace, ` ${person.email.toUpperCase()} `, 'editor');
      expect(answer.status).toBe(201);
      expect(answer.headers.get('location')).toBe(`/api/v1/workspaces/${workspace.id}/members/${answer.body.id}`);
      expect(answer.body).toEqual({
        id: expect.any(String),
        user: { id: person.user.id, email: person.email, name: 'Ada Lovelace' },
        role: 'editor',
        status: 'active',
        createdAt: TIME,
      });
      const list = await person.get<List<Workspace>>('/workspaces');
      expect(list.body.data).toEqual([{ ...workspace, role: 'editor' }]);
      const elsewhere = await client(other.base, person.accessToken).get<Workspace>(`/workspaces/${workspace.id}`);
      expect(elsewhere.body.role).toBe('editor');
    });

    it('are members once: ten additions at once make one', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { email } = await signup(node.base);
      const answers = await Promise.all(Array.from({ length: 10 }, () => add(owner, workspace, email, 'viewer')));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      const codes = answers.filter(({ status }) => status === 409).map(({ body }) => body.code);
      expect(codes).toEqual(Array<string>(9).fill('already_member'));
    });

    it('of an address without an account are invited only', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const invited = expectStatus(await add(owner, workspace, `${randomUUID()}@example.org`, 'viewer'), 201);
      expect(invited).toMatchObject({ status: 'invited', user: null });
      expect((await owner.get<List<Member>>(`/workspaces/${workspace.id}/members`)).body.data).toHaveLength(1);
    });

    it('lose access with their membership: at once here, within 5 s on another node', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { person, member } = await join(owner, workspace, 'editor');
      const path = `/workspaces/${workspace.id}`;
      const elsewhere = client(other.base, person.accessToken);
      expect((await person.get(path)).status).toBe(200);
      expect((await elsewhere.get(path)).status).toBe(200);
      expect((await owner.del(`${path}/members/${member.id}`)).status).toBe(204);
      const removed = Date.now();
      expect((await person.get(path)).status).toBe(404);
      await waitFor(async () => (await elsewhere.get(path)).status === 404, 8_000);
      expect(Date.now() - removed).toBeLessThan(5_500);
    }, 20_000);

    it('feel a demotion at the next request', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { person, member } = await join(owner, workspace, 'admin');
      const path = `/workspaces/${workspace.id}`;
      expect((await person.patch(path, { name: 'Renamed' })).status).toBe(200);
      expect((await person.get<Workspace>(path)).body.role).toBe('admin'); // known to this node again
      const changed = await owner.patch<Member>(`${path}/members/${member.id}`, { role: 'viewer' });
      expect(changed.body).toEqual({ ...member, role: 'viewer', attributes: {} });
      expect(refusal(await person.patch(path, { name: 'Again' }))).toEqual([403, 'role_too_low']);
    });

    it('may leave, whatever their role', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      for (const role of ['admin', 'editor', 'viewer'] as const) {
        const { person, member } = await join(owner, workspace, role);
        expect((await person.del(`/workspaces/${workspace.id}/members/${member.id}`)).status).toBe(204);
        expect((await person.get(`/workspaces/${workspace.id}`)).status).toBe(404);
      }
    });

    it('cannot be changed or removed by an admin when they are admin or owner', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { person: admin } = await join(owner, workspace, 'admin');
      const { data } = (await owner.get<List<Member>>(`/workspaces/${workspace.id}/members`)).body;
      const { member: peer } = await join(owner, workspace, 'admin');
      for (const id of [peer.id, data.find(({ role }) => role === 'owner')?.id ?? '']) {
        const path = `/workspaces/${workspace.id}/members/${id}`;
        expect(refusal(await admin.patch(path, { role: 'viewer' }))).toEqual([403, 'role_too_low']);
        expect(refusal(await admin.del(path))).toEqual([403, 'role_too_low']);
      }
    });

    it.each([
      [{ role: 'emperor' }],
      [{ role: null }],
      [{ role: ['viewer'] }],
      [{ role: 'viewer', status: 'x' }],
      [{ id: 1 }],
    ])('refuse the change %j', async (body) => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { member } = await join(owner, workspace, 'editor');
      expect((await owner.patch(`/workspaces/${workspace.id}/members/${member.id}`, body)).status).toBe(422);
    });

    it('always keep an owner: alone, and when all of them go at once', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const path = `/workspaces/${workspace.id}/members`;
      const [self] = (await owner.get<List<Member>>(path)).body.data;
      expect(refusal(await owner.del(`${path}/${self?.id ?? ''}`))).toEqual([409, 'last_owner']);
      expect(refusal(await owner.patch(`${path}/${self?.id ?? ''}`, { role: 'viewer' }))).toEqual([409, 'last_owner']);
      for (let round = 0; round < 5; round++) {
        const founder = await signup(node.base);
        const shared = await found(founder);
        const others = await Promise.all(Array.from({ length: 3 }, () => join(founder, shared, 'owner')));
        const { data } = (await founder.get<List<Member>>(`/workspaces/${shared.id}/members`)).body;
        const people = [founder, ...others.map(({ person }) => person)];
        const answers = await Promise.all(
          people.map((person, n) => {
            const own = data.find(({ user }) => user.id === person.user.id)?.id ?? '';
            const via = client(n % 2 ? node.base : other.base, person.accessToken);
            const target = `/workspaces/${shared.id}/members/${own}`;
            return n < 2 ? via.patch(target, { role: 'viewer' }) : via.del(target);
          }),
        );
        expect(answers.filter(({ status }) => status === 409)).toHaveLength(1);
        const rows = await sql(
          node.config.mainDb,
          `select from workspace_members where workspace_id = $1 and role = 'owner'`,
          [shared.id],
        );
        expect(rows).toHaveLength(1);
      }
    }, 60_000);

    it('cannot push each other out at once: of two owners who remove each other one stays', async () => {
      for (let round = 0; round < 5; round++) {
        const founder = await signup(node.base);
        const workspace = await found(founder);
        const { person, member } = await join(founder, workspace, 'owner');
        const path = `/workspaces/${workspace.id}/members`;
        const first = (await founder.get<List<Member>>(path)).body.data[0]?.id ?? '';
        await person.get(path);
        const answers = await Promise.all([founder.del(`${path}/${member.id}`), person.del(`${path}/${first}`)]);
        expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
        const rows = await sql(node.config.mainDb, 'select role from workspace_members where workspace_id = $1', [
          workspace.id,
        ]);
        expect(rows).toEqual([{ role: 'owner' }]);
      }
    });
  });

  describe('change and delete', () => {
    it('renames and keeps the slug; an empty change changes nothing; null and unknown are refused', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner, 'Before');
      const path = `/workspaces/${workspace.id}`;
      const renamed = await owner.patch<Workspace>(path, { name: ' After ' });
      expect(renamed.body).toEqual({ ...workspace, name: 'After', updatedAt: TIME });
      expect((await owner.patch(path, {})).body).toEqual(renamed.body);
      expect((await owner.patch(path, { name: null })).status).toBe(422);
      expect((await owner.patch(path, { slug: 'mine' })).status).toBe(422);
      expect((await owner.get(path)).body).toEqual(renamed.body);
    });

    it('hides a deleted workspace from everybody, at once', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner);
      const { person } = await join(owner, workspace, 'editor');
      const path = `/workspaces/${workspace.id}`;
      expect((await person.get(path)).status).toBe(200);
      expect((await owner.del(path)).status).toBe(204);
      for (const somebody of [owner, person]) {
        expect((await somebody.get(path)).status).toBe(404);
        expect((await somebody.get(`${path}/members`)).status).toBe(404);
        expect((await somebody.get<List<Workspace>>('/workspaces')).body.data).toEqual([]);
      }
      expect((await owner.del(path)).status).toBe(404);
    });

    it('writes down who did what, with the data in one transaction', async () => {
      const owner = await signup(node.base);
      const workspace = await found(owner, 'Ledger');
      const { person, member } = await join(owner, workspace, 'viewer');
      const path = `/workspaces/${workspace.id}`;
      await owner.patch(`${path}/members/${member.id}`, { role: 'editor' });
      await person.del(`${path}/members/${member.id}`);
      await owner.patch(path, { name: 'Book' });
      await owner.del(path);
      const entries = await sql<{ action: string; actor_id: string; before: object | null; after: object | null }>(
        node.config.mainDb,
        'select action, actor_id, before, after from audit_log where workspace_id = $1 order by id',
        [workspace.id],
      );
      const by = (actor: Person) => actor.user.id;
      expect(entries).toEqual([
        {
          action: 'workspace.created',
          actor_id: by(owner),
          before: null,
          after: { name: 'Ledger', slug: workspace.slug },
        },
        { action: 'member.added', actor_id: by(owner), before: null, after: { role: 'viewer' } },
        { action: 'member.updated', actor_id: by(owner), before: { role: 'viewer' }, after: { role: 'editor' } },
        {
          action: 'member.removed',
          actor_id: by(person),
          before: { userId: by(person), role: 'editor', attributes: {} },
          after: null,
        },
        { action: 'workspace.updated', actor_id: by(owner), before: { name: 'Ledger' }, after: { name: 'Book' } },
        {
          action: 'workspace.deleted',
          actor_id: by(owner),
          before: { name: 'Book', slug: workspace.slug },
          after: null,
        },
      ]);
    });
  });
});
