import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  must,
  ROLES,
  SCOPES,
  TOKEN_SCOPES,
  type Permission,
  type Role,
  type TokenScope,
} from '../../src/common/index.js';
import { ACCESS, CHANGE_LOG, hookTo, MESSAGES, type Call, type Ids, type Line, type Needs } from '../access-table.js';
import {
  client,
  databases,
  expectStatus,
  mailbox,
  member,
  PASSWORD,
  ownFolder,
  redis,
  signup,
  socket,
  sql,
  startNode,
  waitFor,
  world,
  type Answer,
  type Client,
  type Mailbox,
  type Person,
  type ProblemBody,
  type Row,
  type Table,
  type TestDatabases,
  type TestRedis,
  type World,
} from '../harness/index.js';
import { clientMessages, servedAsyncApi } from '../support/asyncapi.js';
import { form, type Attachment } from '../support/attachments.js';
import { fingerprint } from '../support/fingerprint.js';
import { tokenIn } from '../support/people.js';
import { rawStatus } from '../support/raw-status.js';

jest.setTimeout(180_000);

interface Operation {
  readonly responses: Readonly<Record<string, object>>;
  readonly 'x-access': string;
  readonly 'x-permission'?: Permission;
  readonly 'x-token-scope'?: TokenScope;
}

const lineOf = (entry: Needs | Line): Line => (typeof entry === 'string' ? { needs: entry } : entry);
const LINES = Object.entries(ACCESS).map(([name, entry]) => [name, lineOf(entry)] as const);
const isRole = (needs: Needs): needs is Role => ROLES.some((role) => role === needs);
const methodOf = (name: string): string => name.split(' ')[0] ?? '';
const pathOf = (name: string): string => name.split(' ')[1] ?? '';
const parametersOf = (name: string): string[] => [...name.matchAll(/\{(\w+)\}/g)].map(([, each = '']) => each);
const concrete = (name: string, ids: Ids): string =>
  pathOf(name).replaceAll(/\{(\w+)\}/g, (_, key: string) =>
    must(ids[key], `test/access-table.ts knows an id for {${key}}`),
  );

let base: string;
let nodes: readonly string[];
let mail: Mailbox;
let asked = 0;
/** Another node than the time before: what holds has to hold on each. */
const nextNode = (): string => must(nodes[(asked += 1) % nodes.length], 'a node');
let pair: TestDatabases;
let operations: ReadonlyMap<string, Operation>;
/** The workspace that everybody is tried on, and that of somebody else. */
let home: World;
let homeIds: Ids;
let foreignIds: Ids;
let members: Readonly<Record<Role, Person>>;
let outsider: Person;
let exMember: Person;
let loggedOut: Person;
/** The owner's programs: one of each scope, and one that may everything elsewhere. */
let programs: Readonly<Record<TokenScope | 'elsewhere', Client>>;

const newToken = async (person: Person, scope: TokenScope, workspaceIds?: readonly string[]) => {
  const body = { name: scope, scope, password: PASSWORD, ...(workspaceIds ? { workspaceIds } : {}) };
  return expectStatus(await person.post<{ id: string; token: string }>('/users/me/tokens', body), 201);
};

/** One of everything that a path may name. */
async function idsOf({ owner, workspace, base: made, table }: World): Promise<Ids> {
  const path = `/tables/${table.id}/rows`;
  const row = expectStatus(await owner.post<Row>(path, { fields: { name: 'Acme' } }), 201);
  const index = await owner.post<{ id: string }>(`/tables/${table.id}/indexes`, { columns: [{ field: 'due' }] });
  const trashed = expectStatus(await owner.post<Table>(`/bases/${made.id}/tables`, { name: 'Trashed' }), 201);
  expectStatus(await owner.del(`/tables/${trashed.id}`), 204);
  const trashedBase = await owner.post<{ id: string }>(`/workspaces/${workspace.id}/bases`, { name: 'Trashed' });
  expectStatus(await owner.del(`/bases/${expectStatus(trashedBase, 201).id}`), 204);
  const guest = await signup(owner.base);
  const joined = await owner.post<{ id: string }>(`/workspaces/${workspace.id}/members`, {
    email: guest.email,
    role: 'viewer',
  });
  const invited = await owner.post<{ id: string; inviteUrl: string }>(`/workspaces/${workspace.id}/members`, {
    email: `guest-${randomUUID()}@example.net`,
    role: 'viewer',
  });
  const trash = expectStatus(await owner.post<{ id: string }>('/workspaces', { name: 'Trash' }), 201);
  expectStatus(await owner.del(`/workspaces/${trash.id}`), 204);
  const attached = await owner.post<{ data: readonly Attachment[] }>(`/tables/${table.id}/attachments`, form('text'));
  const sessions = await owner.get<{ data: readonly { id: string }[] }>('/auth/sessions');
  const columnId = must(table.columns[2], 'a table has columns').id;
  await sql(
    pair.main,
    `insert into column_conversions (id, table_id, base_id, column_id, to_type, to_options, on_error, hidden_name, trigger_name, state, rows, next_at,
       actor, context, created_at) values ($1, $2, $3, $4, 'text', '{}', 'abort', 'x', 'x', 'done', 1, now(), '{}', '{}', now())`,
    [randomUUID(), table.id, made.id, columnId],
  );
  // Under way for as long as the test: whoever may can ask for its end again and again.
  const importId = randomUUID();
  await sql(
    pair.main,
    `insert into imports (id, workspace_id, base_id, table_id, wish, form, caller, bytes, stored, arrived, state, leased_by, lease_until, next_at, progress, created_at)
     values ($1, $2, $3, $4, '{"kind":"rows","mode":"append","matchOn":[],"onError":"abort","dryRun":false}', '{}', $5, 1, false, true, 'running', $1,
       now() + interval '1 hour', now(), '{"bytesRead":1,"created":0,"updated":0,"unchanged":0,"failed":0}', now())`,
    [importId, workspace.id, made.id, table.id, { principal: { userId: randomUUID() } }],
  );
  await sql(
    pair.main,
    `create schema if not exists x; create table if not exists x.y (name text primary key, note text);
     insert into x.y values ('a') on conflict do nothing; grant usage on schema x to public; grant all on x.y to public`,
  );
  const { host, port, database, username, password } = pair.main;
  const connected = await owner.post<{ id: string }>(`/workspaces/${workspace.id}/connections`, {
    ...{ name: 'Shop', engine: 'postgresql', host, port, database, username, password, access: 'read-write' },
  });
  const connectionId = expectStatus(connected, 201).id;
  const view = (title: string) =>
    owner.post<{ id: string }>(`/workspaces/${workspace.id}/views`, {
      name: title,
      definition: { source: { table: table.id } },
    });
  const viewId = expectStatus(await view('All'), 201).id;
  const { slug } = expectStatus(
    await owner.post<{ slug: string }>(`/views/${viewId}/api`, { auth: 'public', page: true }),
    201,
  );
  expectStatus(await owner.post(`/views/${viewId}/api`, { asNewVersion: true }), 201);
  const opener = await owner.post<{ id: string }>(`/views/${viewId}/api/keys`, { name: 'Website' });
  const trashedViewId = expectStatus(await view('Trashed'), 201).id;
  expectStatus(await owner.del(`/views/${trashedViewId}`), 204);
  const hook = await owner.post<{ id: string }>(`/workspaces/${workspace.id}/webhooks`, hookTo(table.id));
  const webhookId = expectStatus(hook, 201).id;
  expectStatus(await owner.patch(`/workspaces/${workspace.id}/webhooks/${webhookId}`, { active: false }), 200);
  const changes = await owner.get<{ meta: { epoch: string } }>(`/tables/${table.id}/changes`);
  const deliveryId = randomUUID();
  await sql(
    pair.main,
    `insert into webhook_deliveries (id, webhook_id, message_id, type, table_id, epoch, seq, manual, attempt, ok, excerpt, ms, at)
     values ($1, $2, 'msg_1', 'rows.changed', $3, $4, $5, false, 1, false, '', 1, now())`,
    [deliveryId, webhookId, table.id, expectStatus(changes, 200).meta.epoch, 1],
  );
  const opened = await newToken(owner, 'manage');
  const entries = await owner.get<{ data: { id: string }[] }>(`/workspaces/${workspace.id}/audit-logs?action=base.created`); // prettier-ignore
  return {
    entryId: must(expectStatus(entries, 200).data[0], 'an entry').id,
    tokenId: opened.id,
    importId,
    viewId,
    slug,
    apiVersion: 'v2',
    keyId: expectStatus(opener, 201).id,
    trashedViewId,
    version: '1',
    connectionId,
    webhookId,
    deliveryId,
    workspaceId: workspace.id,
    baseId: made.id,
    tableId: table.id,
    trashedWorkspaceId: trash.id,
    invitationId: expectStatus(invited, 201).id,
    token: tokenIn(invited.body.inviteUrl),
    trashedTableId: trashed.id,
    trashedBaseId: trashedBase.body.id,
    columnId,
    rowId: row.id,
    indexId: expectStatus(index, 202).id,
    attachmentId: must(expectStatus(attached, 201).data[0], 'an attachment').id,
    memberId: expectStatus(joined, 201).id,
    sessionId: must(sessions.body.data[0], 'a session').id,
  };
}

const importsAreOver = () =>
  waitFor(async () => ((await sql(pair.main, 'select from imports where stored')).length === 0 ? true : undefined));

async function setUp(shared: TestRedis): Promise<void> {
  pair = await databases();
  mail = await mailbox();
  const env = {
    SMTP_URL: mail.url,
    FILES_DIR: ownFolder('files'),
    // Conversions are begun, and nobody does anything at them.
    CONVERSION_BACKGROUND_ROWS: '0',
    FAULT_POINT: 'conversion.turn*99',
  };
  const options = { databases: pair, redis: shared, env };
  const started = await Promise.all([startNode(options), startNode(options)]);
  nodes = started.map((node) => node.base);
  base = must(nodes[0], 'a node');
  const { body } = await client(base).get<{ paths: Record<string, Record<string, Operation>> }>('/api/docs-json');
  operations = new Map(
    Object.entries(body.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    ),
  );
  const elsewhere = await world(base);
  home = await world(base);
  [homeIds, foreignIds] = [await idsOf(home), await idsOf(elsewhere)];
  const join = (role: Role) => member(home, role);
  members = {
    owner: home.owner,
    admin: await join('admin'),
    editor: await join('editor'),
    viewer: await join('viewer'),
  };
  const program = async (scope: TokenScope, workspaceIds?: readonly string[]) =>
    client(base, (await newToken(home.owner, scope, workspaceIds)).token);
  programs = {
    read: await program('read'),
    write: await program('write'),
    manage: await program('manage'),
    elsewhere: await program('manage', [elsewhere.workspace.id]),
  };
  outsider = elsewhere.owner;
  exMember = await join('admin');
  loggedOut = await join('owner');
  const listed = await home.owner.get<{ data: readonly { id: string; user: { id: string } }[] }>(
    `/workspaces/${home.workspace.id}/members`,
  );
  const left = must(
    listed.body.data.find(({ user }) => user.id === exMember.user.id),
    'the ex-member was a member',
  );
  expectStatus(await home.owner.del(`/workspaces/${home.workspace.id}/members/${left.id}`), 204);
  expectStatus(await loggedOut.post('/auth/logout', {}), 204);
}

/** A call of the line as somebody, with all that it needs made for it. */
async function prepare(line: Line, caller: Client): Promise<Call & { readonly body?: object }> {
  const plain: Call = { base, owner: home.owner, caller, ids: homeIds, mail };
  const call = { ...plain, ...(await line.fresh?.(plain)) };
  return { ...call, body: await line.body?.(call) };
}

/** Sends it under a request id of its own, by which its traces are found. */
async function send(name: string, caller: Client, ids: Ids, body?: object) {
  const requestId = randomUUID();
  const { query } = lineOf(must(ACCESS[name], name));
  const path = concrete(name, ids) + (query ? `?${query(ids)}` : '');
  const answer = await client(nextNode(), caller.token).call<ProblemBody>(methodOf(name), path, body, {
    'x-request-id': requestId,
  });
  return { answer, requestId };
}

interface Trace {
  readonly request_id: string;
  readonly workspace_id: string | null;
}
const tracesOf = (requestIds: readonly string[]): Promise<Trace[]> =>
  sql<Trace>(pair.main, 'select request_id, workspace_id from audit_log where request_id = any($1)', [requestIds]);

/** Those of the request ids that the change log of the home base knows. */
async function changesOf(requestIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ request_id: string }>(
    pair.mini,
    `select distinct request_id from "${home.table.physical.schema}"._change where request_id = any($1) order by 1`,
    [requestIds],
  );
  return rows.map(({ request_id }) => request_id);
}

/** Parameters that are no ids of things in a workspace. */
const BARE: ReadonlySet<string> = new Set(['token', 'version', 'slug', 'apiVersion']);

/** A problem without what differs from call to call. */
const words = ({ body }: Answer<ProblemBody>): object => ({ ...body, instance: undefined, requestId: undefined });

const randomIds = (): Ids => Object.fromEntries(Object.keys(homeIds).map((key) => [key, randomUUID()]));

/** Everybody of the matrix who is to succeed, by what he is called. */
function whoMay({ needs }: Line): (readonly [who: string, person: Client])[] {
  const strangers = { outsider, 'ex-member': exMember };
  if (needs === 'public')
    return Object.entries({ nobody: client(base), 'logged out': loggedOut, ...members, ...strangers });
  if (needs === 'signed-in') return Object.entries({ ...members, ...strangers });
  return ROLES.slice(0, ROLES.indexOf(needs) + 1).map((role) => [role, members[role]]);
}

/** Other ways to write a path that a router, or a proxy before it, might take for the same. */
function spellings(path: string): (readonly [method: string, path: string])[] {
  const encoded = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`;
  const last = path.lastIndexOf('/');
  return [
    ['HEAD', path],
    ['GET', `/${path}`],
    ['GET', path.replaceAll('/', '//')],
    ['GET', `${path}/`],
    ['GET', `${path}//`],
    ['GET', path.replace('/api/', '/%2e/api/')],
    ['GET', path.replace('/v1/', '/v1/%2e%2e/v1/')],
    ['GET', path.replace('/v1/', '/v1/../v1/')],
    ['GET', path.replace('/api/v1/', '/api%2fv1%2f')],
    ['GET', `${path.slice(0, last)}%2f${path.slice(last + 1)}`],
    ['GET', path.replace('/v1/', `/${encoded('v')}1/`)],
    ['GET', path.replace('/v1/', '/%25761/')],
    ['GET', path.replace('/api/', '/API/')],
    ['GET', path.toUpperCase()],
    ['GET', `${path}%20`],
    ['GET', `${path}%00`],
    ['GET', `${path};x=1`],
    ['GET', `${path}?`],
    ['GET', `${path}%3f`],
    ['GET', `${path}.json`],
    ['GET', path.replaceAll('/', '\\')],
    ['GET', `http://127.0.0.1${path}`],
  ];
}

/** Stopped when everything is set up: nothing that anybody may or may not do depends on Redis. */
const MODES: readonly (readonly [mode: string, disturb: (shared: TestRedis) => unknown])[] = [
  ['on two nodes with Redis', () => undefined],
  ['on two nodes whose Redis was stopped in the middle', (shared) => shared.kill()],
];

describe.each(MODES)('%s', (_mode, disturb) => {
  beforeAll(async () => {
    const shared = await redis();
    await setUp(shared);
    await disturb(shared);
  });

  describe('test/access-table.ts', () => {
    it('has a line for every operation of the OpenAPI document, and for nothing else', () => {
      const missing = [...operations].filter(([name]) => !(name in ACCESS));
      const wanted = missing.map(
        ([name, operation]) =>
          `  '${name}': '${operation['x-access']}', // or { needs, body, fresh, … } where a call takes more than ids in its path`,
      );
      const text =
        wanted.length === 0
          ? ''
          : `Add to ACCESS in test/access-table.ts, if this is what you mean:\n${wanted.join('\n')}`;
      expect(text).toBe('');
      expect(Object.keys(ACCESS).filter((name) => !operations.has(name))).toEqual([]);
    });

    it('says the same as the document about who may', () => {
      const said = LINES.map(([name, { needs }]) => [name, needs]);
      const documented = LINES.map(([name]) => [name, operations.get(name)?.['x-access']]);
      expect(said).toEqual(documented);
    });
  });

  describe('what the matrix goes by', () => {
    it('sees every write, and nothing where there is none', async () => {
      const before = await fingerprint(pair);
      await home.owner.get(`/tables/${home.table.id}`);
      expect(await fingerprint(pair)).toBe(before);
      await home.owner.patch(`/tables/${home.table.id}/rows/${homeIds.rowId ?? ''}`, { fields: { qty: 1 } });
      const written = await fingerprint(pair);
      await home.owner.patch(`/bases/${home.base.id}`, { description: 'Seen' });
      expect(new Set([before, written, await fingerprint(pair)]).size).toBe(3);
    });
  });

  describe.each(LINES)('%s', (name, line) => {
    const isRead = methodOf(name) === 'GET';

    it('refuses everybody else in the words for them, and nothing happens', async () => {
      if (line.needs === 'public') return;
      const { body } = await prepare({ ...line, fresh: undefined }, home.owner);
      const before = await fingerprint(pair);
      const sent: string[] = [];
      const ask = async (caller: Client, ids: Ids = homeIds, content = body): Promise<Answer<ProblemBody>> => {
        const { answer, requestId } = await send(name, caller, ids, content);
        sent.push(requestId);
        return answer;
      };
      const shown = (who: string, { status, body: { code } }: Answer<ProblemBody>) => [who, status, code];

      expect(shown('nobody', await ask(client(base)))).toEqual(['nobody', 401, 'unauthenticated']);
      expect(shown('logged out', await ask(loggedOut))).toEqual(['logged out', 401, 'unauthenticated']);
      if (isRole(line.needs)) {
        for (const stranger of [outsider, exMember]) {
          const real = await ask(stranger);
          expect(words(real)).toEqual(words(await ask(stranger, randomIds())));
          expect(real.status).toBe(404);
        }
        for (const weak of ROLES.slice(ROLES.indexOf(line.needs) + 1))
          expect(shown(weak, await ask(members[weak]))).toEqual([weak, 403, 'role_too_low']);
      }
      for (const parameter of parametersOf(name).filter((each) => !BARE.has(each))) {
        const mixed = { ...homeIds, [parameter]: must(foreignIds[parameter], parameter) };
        expect(shown(parameter, await ask(home.owner, mixed))).toEqual([parameter, 404, 'not_found']);
      }
      if (line.foreignBody) {
        const foreign = line.foreignBody(foreignIds);
        const answer = await ask(home.owner, homeIds, foreign.body);
        expect(answer.body.code).toBe(foreign.refused);
        expect(answer.text).toContain('"code":"not_found"');
      }
      expect(await tracesOf(sent)).toEqual([]);
      expect(await fingerprint(pair)).toBe(before);
    });

    it('refuses personal tokens whose scope or workspaces do not cover it, and nothing happens', async () => {
      if (line.needs === 'public') return;
      const { body } = await prepare({ ...line, fresh: undefined }, home.owner);
      const { 'x-permission': permission, 'x-token-scope': opens } = must(operations.get(name), name);
      const scope = permission === undefined ? opens : SCOPES[permission];
      const before = await fingerprint(pair);
      const sent: string[] = [];
      const ask = async (caller: Client): Promise<readonly unknown[]> => {
        const { answer, requestId } = await send(name, caller, homeIds, body);
        sent.push(requestId);
        return [answer.status, answer.body.code];
      };
      if (isRole(line.needs)) expect(await ask(programs.elsewhere)).toEqual([404, 'not_found']);
      for (const has of TOKEN_SCOPES) {
        if (scope !== undefined && TOKEN_SCOPES.indexOf(has) >= TOKEN_SCOPES.indexOf(scope)) continue;
        const code = scope === undefined ? 'session_needed' : 'token_scope_too_low';
        expect([has, ...(await ask(programs[has]))]).toEqual([has, 403, code]);
      }
      expect(await tracesOf(sent)).toEqual([]);
      expect(await fingerprint(pair)).toBe(before);
    });

    it('does it for everybody who may, and writes it down', async () => {
      const documented = Object.keys(must(operations.get(name), name).responses).map(Number);
      const sent = new Map<string, string | null>();
      for (const [who, person] of whoMay(line)) {
        const { caller, ids, body } = await prepare(line, person);
        const { answer, requestId } = await send(name, caller, ids, body);
        expect([who, answer.status < 400 ? '' : answer.text]).toEqual([who, '']);
        expect(documented).toContain(answer.status);
        const home = isRole(line.needs) ? must(ids.workspaceId, 'a workspace') : null;
        const told = answer.body as unknown as Readonly<Record<string, unknown>>;
        sent.set(requestId, line.auditedIn ? String(line.auditedIn(told, ids)) : home);
      }
      if (line.beginsImport) await importsAreOver();
      const traces = await tracesOf([...sent.keys()]);
      if (line.unaudited === CHANGE_LOG) expect(await changesOf([...sent.keys()])).toEqual([...sent.keys()].sort());
      if ((isRead && !line.audited) || line.unaudited !== undefined) {
        expect(traces).toEqual([]);
        return;
      }
      const written = new Map(traces.map((trace) => [trace.request_id, trace.workspace_id]));
      expect(written).toEqual(sent);
    });

    if (isRead && line.needs !== 'public')
      it('is not opened by another spelling of its path', async () => {
        const path = concrete(name, homeIds);
        const asked = path + (line.query ? `?${line.query(homeIds)}` : '');
        expect(await rawStatus(nextNode(), 'HEAD', asked, home.owner.accessToken)).toBe(200);
        const strangers = isRole(line.needs) ? [undefined, outsider.accessToken] : [undefined];
        const opened: string[] = [];
        for (const token of strangers)
          for (const [method, spelling] of spellings(path)) {
            const status = await rawStatus(nextNode(), method, spelling, token);
            if (status < 400 || status >= 500)
              opened.push(`${method} ${spelling} as ${token ? 'outsider' : 'nobody'}: ${status}`);
          }
        expect(opened).toEqual([]);
      });
  });

  describe('the messages of a socket', () => {
    it('have a line each in test/access-table.ts', async () => {
      const document = await servedAsyncApi(base);
      const known = [...clientMessages(document).keys()];
      const missing = known.filter((id) => !(id in MESSAGES));
      expect(missing.map((id) => `Add to MESSAGES in test/access-table.ts: '${id}'`)).toEqual([]);
      expect(Object.keys(MESSAGES).filter((id) => !known.includes(id))).toEqual([]);
      const permissions = Object.keys(MESSAGES).map((id) => [id, 'x-permission' in must(document.operations[id], id)]);
      expect(permissions).toEqual(Object.entries(MESSAGES).map(([id, line]) => [id, isRole(line.needs)]));
    });

    it('are taken from nobody who is not signed in', async () => {
      for (const token of [undefined, loggedOut.accessToken, 'no token'])
        await expect(socket(nextNode(), token)).rejects.toMatchObject({
          data: { status: 401, code: 'unauthenticated' },
        });
    });

    it.each(Object.entries(MESSAGES))('%s: is answered by who one is', async (id, line) => {
      type Acknowledgement = { readonly ok: boolean; readonly error?: ProblemBody };
      const ask = async (person: Person, ids: Ids): Promise<object> => {
        const tab = await socket(nextNode(), person.accessToken);
        const { ok, error } = await tab.ask<Acknowledgement>(id, line.message(person, ids));
        tab.close();
        return { ok, ...error, requestId: undefined };
      };
      const may = isRole(line.needs) ? ROLES.slice(0, ROLES.indexOf(line.needs) + 1) : ROLES;
      for (const role of may) expect([role, await ask(members[role], homeIds)]).toEqual([role, { ok: true }]);
      for (const role of ROLES.filter((each) => !may.includes(each)))
        expect(await ask(members[role], homeIds)).toMatchObject({ ok: false, code: 'role_too_low' });
      for (const stranger of [outsider, exMember]) {
        const real = await ask(stranger, homeIds);
        expect(real).toEqual(await ask(stranger, randomIds()));
        expect(real).toMatchObject(isRole(line.needs) ? { ok: false, status: 404, code: 'not_found' } : { ok: true });
      }
      if (isRole(line.needs)) expect(await ask(home.owner, foreignIds)).toMatchObject({ status: 404 });
    });
  });
});
