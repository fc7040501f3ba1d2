import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/common/index.js';
import { AuditedTransaction, systemActor } from '../../src/database/main/index.js';
import {
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
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly id: string | null; readonly name: string; readonly via: string };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string | null; readonly name: string };
  readonly before: object | null;
  readonly after: object | null;
  readonly requestId: string;
  readonly ip: string;
  readonly changeSet: string | null;
}
interface Log {
  readonly data: readonly Entry[];
  readonly page: { readonly limit: number; readonly nextCursor?: string };
}

describe('the audit log', () => {
  let pair: TestDatabases;
  let node: TestApp;
  let at: World;
  let admin: Person;
  beforeAll(async () => {
    pair = await databases();
    node = await startApp({ databases: pair });
    at = await world(node.base);
    admin = await member(at, 'admin');
  }, 60_000);

  const path = (query = '') => `/workspaces/${at.workspace.id}/audit-logs${query}`;
  const log = async (query = '', as: Person = admin): Promise<readonly Entry[]> =>
    expectStatus(await as.get<Log>(path(query)), 200).data;
  const actions = async (query: string) => (await log(query)).map(({ action }) => action);
  /** Entries at times that the test chooses; `minute` 0 is the oldest. */
  const plant = (workspaceId: string, minute: number, count = 1) =>
    sql(
      pair.main,
      `insert into audit_log (id, at, workspace_id, actor_id, actor_name, actor_via, action, resource_type, resource_id,
         resource_name, request_id, ip)
       select gen_random_uuid(), '2020-01-01T00:00Z'::timestamptz + $2 * interval '1 minute', $1, null, 'system', 'system',
         'planted.' || n, 'seed', null, 'seed', 'planted', '' from generate_series(1, $3) n`,
      [workspaceId, minute, count],
    );

  describe('tells', () => {
    it('who changed what, from where, with what it was and what it became', async () => {
      const requestId = `rename-${randomUUID()}`;
      const { id } = at.workspace;
      expectStatus(await at.owner.patch(`/workspaces/${id}`, { name: 'Acme 2' }, { 'x-request-id': requestId }), 200);
      expect(await log(`?requestId=${requestId}`)).toEqual([
        {
          id: expect.any(String),
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          actor: { id: at.owner.user.id, name: 'Ada Lovelace', via: 'session' },
          action: 'workspace.updated',
          resource: { type: 'workspace', id, name: 'Acme 2' },
          before: { name: 'Acme' },
          after: { name: 'Acme 2' },
          requestId,
          ip: '127.0.0.1',
          changeSet: null,
        },
      ]);
    });

    it('what was deleted, after it is gone', async () => {
      const table = expectStatus(
        await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, {
          name: 'Short lived',
          columns: [{ name: 'A', type: 'text' }],
        }),
        201,
      );
      expectStatus(await at.owner.del(`/tables/${table.id}`), 204);
      const [deleted, created] = await log(`?resourceId=${table.id}`);
      expect(deleted).toMatchObject({
        action: 'table.deleted',
        resource: { type: 'table', name: 'Short lived' },
        before: { name: 'Short lived', key: 'short_lived', columns: [{ name: 'A', type: 'text' }] },
        after: null,
      });
      expect(created).toMatchObject({ action: 'table.created', before: null, after: { name: 'Short lived' } });
    });

    it('newest first, and nothing that concerns no workspace', async () => {
      const entries = await log();
      const times = entries.map(({ at: time }) => time);
      expect(times).toEqual([...times].sort().reverse());
      expect(entries.length).toBeGreaterThan(3);
      expect(entries.filter(({ resource }) => ['session', 'user'].includes(resource.type))).toEqual([]);
      const kept = await sql(
        pair.main,
        `select from audit_log where workspace_id is null and action = 'session.created'`,
      );
      expect(kept.length).toBeGreaterThan(0);
    });

    it('no secret, whoever put one into an entry', async () => {
      const resource = { type: 'seed', id: newId(), name: 'hostile' };
      await node.app.get(AuditedTransaction).run(systemActor('test'), () =>
        Promise.resolve({
          result: undefined,
          audit: [
            {
              workspaceId: at.workspace.id,
              action: 'seed.planted',
              resource,
              before: { host: 'db', password: 'do-not-store' },
              after: { deep: [{ er: { accessToken: 'do-not-store', text: 'x'.repeat(70_000) } }] },
            },
          ],
          events: [],
        }),
      );
      expect(await log(`?resourceId=${resource.id}`)).toMatchObject([
        {
          actor: { id: null, name: 'system', via: 'system' },
          before: { host: 'db', password: '[redacted]' },
          after: { omitted: 'too_large', bytes: expect.any(Number) },
        },
      ]);
      const [stored] = await sql<{ text: string }>(
        pair.main,
        'select string_agg(l::text, $2) as text from audit_log l where resource_id = $1',
        [resource.id, '\n'],
      );
      expect(stored?.text).not.toContain('do-not-store');
    });
  });

  describe('is filtered', () => {
    it('by who did it', async () => {
      const helper = await member(at, 'admin');
      expectStatus(await helper.patch(`/bases/${at.base.id}`, { description: 'by the helper' }), 200);
      expect(await actions(`?actorId=${helper.user.id}`)).toEqual(['base.updated']);
      expect(await log(`?actorId=${randomUUID()}`)).toEqual([]);
    });

    it('by what was done: an action, or all that begin alike', async () => {
      expect(new Set(await actions('?action=table.created'))).toEqual(new Set(['table.created']));
      const ofMembers = await log('?action=member.*');
      expect(ofMembers.length).toBeGreaterThan(0);
      expect(ofMembers.every(({ action }) => action.startsWith('member.'))).toBe(true);
      expect(await log('?action=member')).toEqual([]);
      expect(await log('?action=m.*')).toEqual([]);
      // "_" stands for itself and not for any character.
      expect(await log('?action=membe_.*')).toEqual([]);
    });

    it('by what it was done to', async () => {
      expect(new Set((await log('?resourceType=base')).map(({ resource }) => resource.type))).toEqual(
        new Set(['base']),
      );
      expect(new Set((await log(`?resourceId=${at.base.id}`)).map(({ resource }) => resource.id))).toEqual(
        new Set([at.base.id]),
      );
    });

    it('by address, and by several things at once', async () => {
      expect((await log('?ip=127.0.0.1')).length).toBeGreaterThan(0);
      expect(await log('?ip=203.0.113.7')).toEqual([]);
      expect(await actions(`?action=base.*&resourceId=${at.base.id}&actorId=${at.owner.user.id}`)).toEqual([
        'base.created',
      ]);
      expect(await log(`?action=base.created&resourceId=${at.table.id}`)).toEqual([]);
    });

    it('by time, whose beginning is in it and whose end is not, in any time zone', async () => {
      for (const minute of [0, 10, 20]) await plant(at.workspace.id, minute);
      const minutes = async (query: string) =>
        (await log(`?resourceType=seed&${query}`)).map((entry) => entry.at.slice(11, 16)).reverse();
      const range = (from: string, to: string) =>
        minutes(`from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`);
      expect(await range('2020-01-01T00:00:00Z', '2020-01-01T00:10:00Z')).toEqual(['00:00']);
      expect(await range('2020-01-01T02:10:00+02:00', '2020-01-01T00:20:00.001Z')).toEqual(['00:10', '00:20']);
      expect(await range('2019-12-31T14:00:00-10:00', '2019-12-31T14:20:00-10:00')).toEqual(['00:00', '00:10']);
      expect(await range('2020-01-01T00:10:00Z', '2020-01-01T00:00:00Z')).toEqual([]);
      expect(await minutes('to=2020-01-01T00:10:00Z')).toEqual(['00:00']);
    });

    it.each([
      ['from=yesterday', '/from'],
      ['from=2020-01-01', '/from'],
      ['from=2020-01-01T00:00:00', '/from'],
      ['from=2020-02-30T00:00:00Z', '/from'],
      ['from=2020-01-01T00:00:00+02:00', '/from'], // the bare + is a space
      ['to=2020-01-01T25:00:00Z', '/to'],
      ['to=2020-01-01T00:00:00.0001Z', '/to'],
      ['to=', '/to'],
      ['to=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z', '/to'],
      ['actorId=me', '/actorId'],
      ['resourceId=1', '/resourceId'],
      ['action=', '/action'],
      ['action=*', '/action'],
      ['action=member.%25', '/action'],
      ['action[]=member.*', '/action[]'],
      [`action=${'a'.repeat(101)}`, '/action'],
      ['resourceType=Table', '/resourceType'],
      ['requestId=%00', '/requestId'],
      ['ip=%C3%A9', '/ip'],
      ['limit=0', '/limit'],
      ['actor=x', '/actor'],
      ['workspaceId=x', '/workspaceId'],
    ])('and refuses %.60s', async (query, pointer) => {
      const { status, body } = await admin.get<ProblemBody>(path(`?${query}`));
      expect([status, body.code, body.errors?.[0]?.pointer]).toEqual([422, 'validation_failed', pointer]);
    });
  });

  describe('in pages', () => {
    it('shows each entry that was there once and in order, while others are added', async () => {
      const owner = await signup(node.base);
      const workspace = expectStatus(await owner.post<{ id: string }>('/workspaces', { name: 'Busy' }), 201);
      // Many of one moment: their order is the order of ids.
      for (let minute = 0; minute < 5; minute++) await plant(workspace.id, minute, 13);
      const url = `/workspaces/${workspace.id}/audit-logs`;
      const there = expectStatus(await owner.get<Log>(`${url}?limit=1000`), 200).data.map(({ id }) => id);
      expect(there).toHaveLength(66);
      const writing = { on: true };
      const writer = (async () => {
        for (let n = 0; writing.on; n++)
          expectStatus(await owner.patch(`/workspaces/${workspace.id}`, { name: `Busy ${n}` }), 200);
      })();
      const seen: string[] = [];
      let cursor = '';
      do {
        const { data, page } = expectStatus(await owner.get<Log>(`${url}?limit=7${cursor}`), 200);
        expect(page.limit).toBe(7);
        seen.push(...data.map(({ id }) => id));
        cursor = page.nextCursor === undefined ? '' : `&cursor=${page.nextCursor}`;
      } while (cursor !== '');
      writing.on = false;
      await writer;
      expect(seen.filter((id) => there.includes(id))).toEqual(there);
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('takes a cursor with the filters that it came with, and no other', async () => {
      const cursorOf = async (query: string) =>
        expectStatus(await admin.get<Log>(path(`?limit=1${query}`)), 200).page.nextCursor ?? '';
      const cursor = await cursorOf('&resourceType=table');
      expect((await admin.get(path(`?limit=3&resourceType=table&cursor=${cursor}`))).status).toBe(200);
      const other = await world(node.base);
      const rows = await admin.get<{ page: { nextCursor?: string } }>(`/tables/${at.table.id}/rows?limit=1`);
      expect(rows.status).toBe(200);
      for (const [as, url] of [
        [admin, path(`?cursor=${cursor}`)],
        [admin, path(`?resourceType=base&cursor=${cursor}`)],
        [other.owner, `/workspaces/${other.workspace.id}/audit-logs?resourceType=table&cursor=${cursor}`],
      ] as const) {
        const { status, body } = await as.get<ProblemBody>(url);
        expect([status, body.code]).toEqual([400, 'cursor_mismatch']);
      }
    });

    it.each([
      'x',
      'AAAA',
      'a'.repeat(4000),
      '%00',
      "';drop table audit_log",
      Buffer.from('["a",["b"]]').toString('base64url'),
    ])('refuses the cursor %.40s', async (cursor) => {
      const { status, body } = await admin.get<ProblemBody>(path(`?cursor=${cursor}`));
      expect([status, body.code]).toEqual([400, 'cursor_invalid']);
    });
  });

  describe('is read', () => {
    it('by owners and admins, and by nobody else', async () => {
      const [editor, viewer] = [await member(at, 'editor'), await member(at, 'viewer')];
      const outsider = (await world(node.base)).owner;
      const answers = await Promise.all(
        [at.owner, admin, editor, viewer, outsider].map(async (person) => (await person.get(path())).status),
      );
      expect(answers).toEqual([200, 200, 403, 403, 404]);
      expect((await fetch(`${node.base}/api/v1${path()}`)).status).toBe(401);
    });

    it('of one workspace only, whatever ids are asked for', async () => {
      const other = await world(node.base);
      expect(await log(`?actorId=${other.owner.user.id}`)).toEqual([]);
      expect(await log(`?resourceId=${other.table.id}`)).toEqual([]);
      expect((await log('?limit=1000')).every(({ resource }) => resource.id !== other.workspace.id)).toBe(true);
      expect((await admin.get('/workspaces/not-an-id/audit-logs')).status).toBe(404);
      expect((await admin.get(`/workspaces/${randomUUID()}/audit-logs`)).status).toBe(404);
    });

    it('by no way that could change it', async () => {
      for (const method of ['POST', 'PATCH', 'DELETE'])
        expect((await admin.call(method, path(), {})).status).toBeGreaterThanOrEqual(404);
    });
  });
});
