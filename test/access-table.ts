import { must, newId, type Role } from '../src/common/index.js';
import {
  client,
  expectStatus,
  PASSWORD,
  signup,
  type Client,
  type Column,
  type Mailbox,
  type Person,
  type Row,
  type Table,
} from './harness/index.js';
import { form, type Attachment } from './support/attachments.js';
import { tokenIn } from './support/people.js';

/**
 * Who may call what: one line for every operation of the OpenAPI document, written by hand, so that a right that changes by
 * mistake is seen. test/e2e/access-matrix.e2e-spec.ts calls every line as everybody and fails for a line too many or too few.
 *
 * A line is the weakest that may (`'viewer'`), or an object where a call needs more than the ids in its path.
 */
export type Needs = 'public' | 'signed-in' | Role;

/** The ids that stand in paths, by the parameter's name. */
export type Ids = Readonly<Record<string, string>>;

/** One call that is meant to succeed. */
export interface Call {
  readonly base: string;
  /** Somebody who may do everything in the workspace. */
  readonly owner: Person;
  readonly caller: Client;
  readonly ids: Ids;
  /** Where mails arrive. */
  readonly mail: Mailbox;
}

export interface Line {
  readonly needs: Needs;
  /** A body that is accepted; made anew for every call. */
  readonly body?: (call: Call) => object | Promise<object>;
  /** What stands behind the path. */
  readonly query?: (ids: Ids) => string;
  /** For calls that use up what they act on: new things (or another caller of the same role) for each call. */
  readonly fresh?: (call: Call) => Promise<Partial<Call>>;
  /** A body that names a thing of another workspace: the code of the refusal, in which a `not_found` says why. */
  readonly foreignBody?: (foreign: Ids) => { readonly body: object; readonly refused: string };
  /** The workspace in whose audit log a success is, where that is not the one of the path. */
  readonly auditedIn?: (answer: Readonly<Record<string, unknown>>, ids: Ids) => unknown;
  /** An import goes on behind the answer; the test waits until it is over. */
  readonly beginsImport?: true;
  /** A read of much or of something sensitive, which leaves an entry as a write does. */
  readonly audited?: true;
  /** Why a success leaves no row in the audit log. */
  readonly unaudited?: string;
}

/** The reason of those whose trace is in another log; the test looks for it there. */
export const CHANGE_LOG = 'rows are logged in the change log of their base, in the transaction of the write';
const READS = 'it only reads';
const BY_IMPORT = 'what it asks for is done later, and logged by the import that does it';
const FILES = 'a file is nothing but bytes until a row holds it, and that is logged in the change log';

let made = 0;
/** Names are unique within a base or table. */
const name = (): string => `Thing ${(made += 1)}`;
const freshEmail = (): string => `${name().replace(' ', '-').toLowerCase()}@example.net`;
const ids = (call: Call, more: Ids): Partial<Call> => ({ ids: { ...call.ids, ...more } });

const csvFile = (): Blob => new Blob([`name\n${name()}\n`], { type: 'text/csv' });

const newWorkspace = async (call: Call): Promise<Partial<Call>> =>
  ids(call, {
    workspaceId: expectStatus(await call.caller.post<{ id: string }>('/workspaces', { name: name() }), 201).id,
  });
const newBase = async (call: Call): Promise<Partial<Call>> => {
  const path = `/workspaces/${call.ids.workspaceId ?? ''}/bases`;
  return ids(call, { baseId: expectStatus(await call.owner.post<{ id: string }>(path, { name: name() }), 201).id });
};
/** The making of a base, and what confirms that it is taken back. */
const newEntry = async (call: Call): Promise<Partial<Call>> => {
  const { baseId = '' } = (await newBase(call)).ids ?? {};
  const path = `/workspaces/${call.ids.workspaceId ?? ''}/audit-logs`;
  const found = await call.owner.get<{ data: { id: string }[] }>(`${path}?resourceId=${baseId}`);
  const entryId = must(expectStatus(found, 200).data[0], 'an entry').id;
  const tried = await call.owner.post<{ confirmToken: string }>(`${path}/${entryId}/revert`, { dryRun: true });
  return ids(call, { entryId, confirmToken: expectStatus(tried, 200).confirmToken });
};
const newTable = async (call: Call): Promise<Partial<Call>> => {
  const path = `/bases/${call.ids.baseId ?? ''}/tables`;
  return ids(call, { tableId: expectStatus(await call.owner.post<Table>(path, { name: name() }), 201).id });
};
/** Something for the caller to undo, where he may write at all. */
const ownRow = async (call: Call): Promise<Partial<Call>> => {
  await call.caller.post(`/tables/${call.ids.tableId ?? ''}/rows`, { fields: { name: name() } });
  return {};
};
const undoneRow = async (call: Call): Promise<Partial<Call>> => {
  await ownRow(call);
  await call.caller.post(`/tables/${call.ids.tableId ?? ''}/undo`, {});
  return {};
};
const trashedTable = async (call: Call): Promise<Partial<Call>> => {
  const { tableId = '' } = (await newTable(call)).ids ?? {};
  expectStatus(await call.owner.del(`/tables/${tableId}`), 204);
  return ids(call, { trashedTableId: tableId });
};
const trashedBase = async (call: Call): Promise<Partial<Call>> => {
  const { baseId = '' } = (await newBase(call)).ids ?? {};
  expectStatus(await call.owner.del(`/bases/${baseId}`), 204);
  return ids(call, { trashedBaseId: baseId });
};
const newColumn = async (call: Call): Promise<Partial<Call>> => {
  const path = `/tables/${call.ids.tableId ?? ''}/columns`;
  const column = await call.owner.post<Column>(path, { name: name(), type: 'text' });
  return ids(call, { columnId: expectStatus(column, 201).id });
};
const trashedColumn = async (call: Call): Promise<Partial<Call>> => {
  const made = await newColumn(call);
  expectStatus(await call.owner.del(`/tables/${call.ids.tableId ?? ''}/columns/${made.ids?.columnId ?? ''}`), 204);
  return made;
};
const newTableWithColumn = async (call: Call): Promise<Partial<Call>> => {
  const made = await newTable(call);
  const { tableId = '' } = made.ids ?? {};
  expectStatus(await call.owner.post(`/tables/${tableId}/columns`, { name: 'Qty', type: 'integer' }), 201);
  return made;
};
/** Under way for as long as the test takes: see the environment of its nodes. */
const newConversion = async (call: Call): Promise<Partial<Call>> => {
  const made = await newTable(call);
  const { tableId = '' } = made.ids ?? {};
  const column = await call.owner.post<Column>(`/tables/${tableId}/columns`, { name: 'Amount', type: 'text' });
  const columnId = expectStatus(column, 201).id;
  expectStatus(await call.owner.post(`/tables/${tableId}/rows`, { fields: { amount: '1' } }), 201);
  const path = `/tables/${tableId}/columns/${columnId}/convert`;
  const to = { type: 'integer' };
  const tried = await call.owner.post<{ confirmToken: string }>(path, { to, dryRun: true });
  const { confirmToken } = expectStatus(tried, 200);
  expectStatus(await call.owner.post(path, { to, confirmToken }), 202);
  return ids({ ...call, ...made }, { columnId });
};
const newIndex = async (call: Call): Promise<Partial<Call>> => {
  const made = await newTableWithColumn(call);
  const { tableId = '' } = made.ids ?? {};
  const body = { columns: [{ field: 'qty' }] };
  const index = await call.owner.post<{ id: string }>(`/tables/${tableId}/indexes`, body);
  return ids({ ...call, ...made }, { indexId: expectStatus(index, 202).id });
};
const newRow = async (call: Call): Promise<Partial<Call>> => {
  const path = `/tables/${call.ids.tableId ?? ''}/rows`;
  return ids(call, { rowId: expectStatus(await call.owner.post<Row>(path, { fields: { name: name() } }), 201).id });
};
const deletedRow = async (call: Call): Promise<Partial<Call>> => {
  const made = await newRow(call);
  expectStatus(await call.owner.del(`/tables/${call.ids.tableId ?? ''}/rows/${made.ids?.rowId ?? ''}`), 204);
  return made;
};
const newMember = async (call: Call): Promise<Partial<Call>> => {
  const { email } = await signup(call.base);
  const path = `/workspaces/${call.ids.workspaceId ?? ''}/members`;
  const member = await call.owner.post<{ id: string }>(path, { email, role: 'viewer' });
  return ids(call, { memberId: expectStatus(member, 201).id });
};
const newInvitation = async (call: Call, email = freshEmail()): Promise<Partial<Call>> => {
  const path = `/workspaces/${call.ids.workspaceId ?? ''}/members`;
  const answer = await call.owner.post<{ id: string; inviteUrl: string }>(path, { email, role: 'viewer' });
  const { id, inviteUrl } = expectStatus(answer, 201);
  return ids(call, { invitationId: id, token: tokenIn(inviteUrl) });
};
/** Somebody who was invited and has an account since. */
const newGuest = async (call: Call): Promise<Partial<Call>> => {
  const email = freshEmail();
  const invited = await newInvitation(call, email);
  return { ...invited, caller: await signup(call.base, { email }) };
};
/** A workspace of the caller's with another member, to whom it can be given. */
const newHeir = async (call: Call): Promise<Partial<Call>> => {
  const made = { ...call, ...(await newWorkspace(call)) };
  return newMember({ ...made, owner: call.caller as Person });
};
const trashedWorkspace = async (call: Call): Promise<Partial<Call>> => {
  const { workspaceId = '' } = (await newWorkspace(call)).ids ?? {};
  expectStatus(await call.caller.del(`/workspaces/${workspaceId}`), 204);
  return ids(call, { trashedWorkspaceId: workspaceId });
};
/** Nobody listens there: what is asked for is whether one may, not what is found. */
/** Nobody listens there. */
export const hookTo = (tableId: string | undefined): object => ({
  name: name(),
  url: 'http://127.0.0.1:9/',
  tables: [tableId],
});
const newWebhook = async (call: Call): Promise<Partial<Call>> => {
  const path = `/workspaces/${call.ids.workspaceId ?? ''}/webhooks`;
  const hook = await call.owner.post<{ id: string }>(path, hookTo(call.ids.tableId));
  return ids(call, { webhookId: expectStatus(hook, 201).id });
};
const nowhere = (): object => ({
  name: name(),
  engine: 'postgresql',
  host: '127.0.0.1',
  port: 1,
  database: 'shop',
  username: 'reader',
  password: 'of the tests only',
});
const newConnection = async (call: Call): Promise<Partial<Call>> => {
  const path = `/workspaces/${call.ids.workspaceId ?? ''}/connections`;
  return ids(call, { connectionId: expectStatus(await call.owner.post<{ id: string }>(path, nowhere()), 201).id });
};
/** All rows of the table, that are those of whoever may see the view. */
const ofTable = ({ ids: { tableId = '' } }: Call): object => ({ source: { table: tableId } });
const newView = async (call: Call): Promise<Partial<Call>> => {
  const path = `/workspaces/${call.ids.workspaceId ?? ''}/views`;
  const made = await call.owner.post<{ id: string }>(path, { name: name(), definition: ofTable(call) });
  return ids(call, { viewId: expectStatus(made, 201).id });
};
const publishedView = async (call: Call): Promise<Partial<Call>> => {
  const made = await newView(call);
  expectStatus(await call.owner.post(`/views/${made.ids?.viewId ?? ''}/api`, {}), 201);
  return made;
};
const republishedView = async (call: Call): Promise<Partial<Call>> => {
  const made = await publishedView(call);
  expectStatus(await call.owner.post(`/views/${made.ids?.viewId ?? ''}/api`, { asNewVersion: true }), 201);
  return made;
};
const apiKey = async (call: Call): Promise<Partial<Call>> => {
  const made = await call.owner.post<{ id: string }>(`/views/${call.ids.viewId ?? ''}/api/keys`, { name: name() });
  return ids(call, { keyId: expectStatus(made, 201).id });
};
const trashedView = async (call: Call): Promise<Partial<Call>> => {
  const { viewId = '' } = (await newView(call)).ids ?? {};
  expectStatus(await call.owner.del(`/views/${viewId}`), 204);
  return ids(call, { trashedViewId: viewId });
};
const resetToken = async ({ base, mail }: Call): Promise<string> => {
  const { email } = await signup(base);
  expectStatus(await client(base).post('/auth/password/forgot', { email }), 202);
  return tokenIn((await mail.to(email)).text);
};
/** A second sign-in of somebody new, who is the caller: his other session may end. */
const newSession = async (call: Call): Promise<Partial<Call>> => {
  const { email, password, accessToken } = await signup(call.base);
  expectStatus(await client(call.base).post('/auth/login', { email, password }), 200);
  const caller = client(call.base, accessToken);
  const { data } = expectStatus(
    await caller.get<{ data: readonly { id: string; current: boolean }[] }>('/auth/sessions'),
    200,
  );
  return { caller, ...ids(call, { sessionId: data.find(({ current }) => !current)?.id ?? '' }) };
};
const newcomer = async (call: Call): Promise<Partial<Call>> => ({ caller: await signup(call.base) });
const credentials = async ({ base }: Call): Promise<object> => {
  const { email, password } = await signup(base);
  return { email, password };
};

/** What makes a personal token; every call by somebody who has not made many yet. */
const tokenBody = (): object => ({ name: name(), scope: 'read', password: PASSWORD });
const newPersonalToken = async ({ base }: Call): Promise<Partial<Call>> => {
  const caller = await signup(base);
  const { id } = expectStatus(await caller.post<{ id: string }>('/users/me/tokens', tokenBody()), 201);
  return { caller, ids: { tokenId: id } };
};

/** Somebody's address of a file. */
const newFileLink = async (call: Call): Promise<Partial<Call>> => {
  const path = `/tables/${call.ids.tableId ?? ''}/attachments`;
  const { data } = expectStatus(await call.owner.post<{ data: readonly Attachment[] }>(path, form('text')), 201);
  const { url } = expectStatus(await call.owner.get<{ url: string }>(`${path}/${data[0]?.id ?? ''}`), 200);
  return ids(call, { token: url.split('/').at(-1) ?? '' });
};

/** By `METHOD path`, as the document writes it. */
export const ACCESS: Readonly<Record<string, Needs | Line>> = {
  'GET /api/v1/health': 'public',
  'GET /api/v1/health/live': 'public',
  'GET /api/v1/health/ready': 'public',

  'POST /api/v1/auth/register': {
    needs: 'public',
    body: () => ({
      email: freshEmail(),
      password: PASSWORD,
      name: 'Ada',
    }),
  },
  'POST /api/v1/auth/login': { needs: 'public', body: credentials },
  'POST /api/v1/auth/refresh': {
    needs: 'public',
    body: async ({ base }) => ({ refreshToken: (await signup(base)).refreshToken }),
  },
  'POST /api/v1/auth/logout': { needs: 'signed-in', body: () => ({}), fresh: newcomer },
  'POST /api/v1/auth/password': {
    needs: 'signed-in',
    fresh: newcomer,
    body: () => ({ currentPassword: PASSWORD, newPassword: 'another fine phrase 77' }),
  },
  'POST /api/v1/auth/password/forgot': { needs: 'public', body: () => ({ email: freshEmail() }) },
  'POST /api/v1/auth/password/reset': {
    needs: 'public',
    body: async (call) => ({ token: await resetToken(call), newPassword: 'another fine phrase 77' }),
  },
  'GET /api/v1/auth/me': 'signed-in',
  'GET /api/v1/auth/sessions': 'signed-in',
  'DELETE /api/v1/auth/sessions/{sessionId}': { needs: 'signed-in', fresh: newSession },

  'GET /api/v1/users/me': 'signed-in',
  'PATCH /api/v1/users/me': { needs: 'signed-in', fresh: newcomer, body: () => ({ name: name() }) },
  'DELETE /api/v1/users/me': { needs: 'signed-in', fresh: newcomer, body: () => ({ password: PASSWORD }) },
  'POST /api/v1/users/me/tokens': { needs: 'signed-in', body: tokenBody },
  'GET /api/v1/users/me/tokens': 'signed-in',
  'DELETE /api/v1/users/me/tokens/{tokenId}': { needs: 'signed-in', fresh: newPersonalToken },

  'POST /api/v1/workspaces': { needs: 'signed-in', body: () => ({ name: name() }), auditedIn: ({ id }) => id },
  'GET /api/v1/workspaces': 'signed-in',
  'GET /api/v1/workspaces/{workspaceId}': 'viewer',
  'PATCH /api/v1/workspaces/{workspaceId}': { needs: 'admin', body: () => ({ name: name() }) },
  'DELETE /api/v1/workspaces/{workspaceId}': { needs: 'owner', fresh: newWorkspace },

  'POST /api/v1/workspaces/{workspaceId}/transfer': {
    needs: 'owner',
    fresh: newHeir,
    body: ({ ids: { memberId } }) => ({ memberId }),
    foreignBody: ({ memberId }) => ({ body: { memberId }, refused: 'not_found' }),
  },
  'POST /api/v1/workspaces/{trashedWorkspaceId}/restore': {
    needs: 'signed-in',
    fresh: trashedWorkspace,
    auditedIn: (_, { trashedWorkspaceId }) => trashedWorkspaceId,
  },
  'GET /api/v1/workspaces/{workspaceId}/audit-logs': 'admin',
  'GET /api/v1/workspaces/{workspaceId}/audit-logs/verify': 'admin',
  'GET /api/v1/workspaces/{workspaceId}/audit-logs/checkpoint': 'admin',
  'POST /api/v1/workspaces/{workspaceId}/audit-logs/{entryId}/revert': {
    needs: 'admin',
    fresh: newEntry,
    body: ({ ids: { confirmToken } }) => ({ confirmToken }),
  },
  'GET /api/v1/workspaces/{workspaceId}/audit-logs/export': { needs: 'admin', audited: true },

  'GET /api/v1/workspaces/{workspaceId}/invitations': 'admin',
  'GET /api/v1/workspaces/{workspaceId}/invitations/{invitationId}': 'admin',
  'DELETE /api/v1/workspaces/{workspaceId}/invitations/{invitationId}': { needs: 'admin', fresh: newInvitation },
  'GET /api/v1/invitations/{token}': 'public',
  'POST /api/v1/invitations/{token}/accept': {
    needs: 'signed-in',
    fresh: newGuest,
    auditedIn: ({ workspaceId }) => workspaceId,
  },

  'GET /api/v1/workspaces/{workspaceId}/members': 'viewer',
  'POST /api/v1/workspaces/{workspaceId}/members': {
    needs: 'admin',
    body: async ({ base }) => ({ email: (await signup(base)).email, role: 'viewer' }),
  },
  'GET /api/v1/workspaces/{workspaceId}/members/{memberId}': 'viewer',
  'PATCH /api/v1/workspaces/{workspaceId}/members/{memberId}': {
    needs: 'admin',
    fresh: newMember,
    body: () => ({ role: 'editor' }),
  },
  // Whoever leaves is the caller; who makes others go is asked for `members:manage` by the service.
  'DELETE /api/v1/workspaces/{workspaceId}/members/{memberId}': {
    needs: 'viewer',
    fresh: async (call) => {
      const person = await signup(call.base);
      const path = `/workspaces/${call.ids.workspaceId ?? ''}/members`;
      const member = await call.owner.post<{ id: string }>(path, { email: person.email, role: 'viewer' });
      return { caller: person, ...ids(call, { memberId: expectStatus(member, 201).id }) };
    },
  },

  'GET /api/v1/workspaces/{workspaceId}/connections': 'viewer',
  'POST /api/v1/workspaces/{workspaceId}/connections': { needs: 'admin', body: nowhere },
  'POST /api/v1/workspaces/{workspaceId}/connections/test': { needs: 'admin', body: nowhere },
  'GET /api/v1/workspaces/{workspaceId}/webhooks': 'admin',
  'POST /api/v1/workspaces/{workspaceId}/webhooks': {
    needs: 'admin',
    body: ({ ids }) => hookTo(ids.tableId),
    foreignBody: ({ tableId }) => ({ body: hookTo(tableId), refused: 'validation_failed' }),
  },
  'GET /api/v1/workspaces/{workspaceId}/webhooks/{webhookId}': 'admin',
  'PATCH /api/v1/workspaces/{workspaceId}/webhooks/{webhookId}': {
    needs: 'admin',
    body: () => ({ name: name() }),
    foreignBody: ({ tableId }) => ({ body: { tables: [tableId] }, refused: 'validation_failed' }),
  },
  'DELETE /api/v1/workspaces/{workspaceId}/webhooks/{webhookId}': { needs: 'admin', fresh: newWebhook },
  'POST /api/v1/workspaces/{workspaceId}/webhooks/{webhookId}/secret': { needs: 'admin', body: () => ({}) },
  'POST /api/v1/workspaces/{workspaceId}/webhooks/{webhookId}/test': { needs: 'admin' },
  'GET /api/v1/workspaces/{workspaceId}/webhooks/{webhookId}/deliveries': 'admin',
  'POST /api/v1/workspaces/{workspaceId}/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver': { needs: 'admin' },
  'GET /api/v1/connections/{connectionId}': 'viewer',
  'PATCH /api/v1/connections/{connectionId}': { needs: 'admin', body: () => ({ name: name() }) },
  'DELETE /api/v1/connections/{connectionId}': { needs: 'admin', fresh: newConnection },
  'POST /api/v1/connections/{connectionId}/test': { needs: 'admin', body: () => ({}) },
  'GET /api/v1/connections/{connectionId}/schema': 'viewer',
  'POST /api/v1/connections/{connectionId}/query': {
    needs: 'viewer',
    body: () => ({ from: 'x.y' }),
    unaudited: READS,
  },
  'POST /api/v1/connections/{connectionId}/mutate': {
    needs: 'editor',
    body: () => ({ object: 'x.y', op: 'update', key: { name: 'a' }, values: { note: name() } }),
  },

  'GET /api/v1/workspaces/{workspaceId}/views': 'viewer',
  'POST /api/v1/workspaces/{workspaceId}/views': {
    needs: 'editor',
    body: (call) => ({ name: name(), definition: ofTable(call) }),
  },
  'POST /api/v1/workspaces/{workspaceId}/views/preview': {
    needs: 'editor',
    body: (call) => ({ definition: ofTable(call) }),
    unaudited: READS,
  },
  'GET /api/v1/views/{viewId}': 'viewer',
  'PATCH /api/v1/views/{viewId}': { needs: 'editor', body: () => ({ name: name() }) },
  'DELETE /api/v1/views/{viewId}': { needs: 'editor', fresh: newView },
  'POST /api/v1/views/{viewId}/duplicate': { needs: 'editor', body: () => ({ name: name() }) },
  'POST /api/v1/views/{trashedViewId}/restore': { needs: 'editor', body: () => ({}), fresh: trashedView },
  'GET /api/v1/views/{viewId}/versions': 'viewer',
  'GET /api/v1/views/{viewId}/versions/{version}': 'viewer',
  'POST /api/v1/views/{viewId}/versions/{version}/restore': { needs: 'editor', body: () => ({}), fresh: newView },
  'GET /api/v1/views/{viewId}/data': 'viewer',
  'POST /api/v1/views/{viewId}/data': { needs: 'viewer', body: () => ({}), unaudited: READS },
  'GET /public/views/{slug}': 'public',
  'GET /public/views/{slug}/data': 'public',
  'GET /public/views/{slug}/openapi.json': 'public',
  'GET /public/views/{slug}/stream': 'public',
  'GET /public/views/{slug}/{apiVersion}': 'public',
  'GET /public/views/{slug}/{apiVersion}/data': 'public',
  'GET /public/views/{slug}/{apiVersion}/openapi.json': 'public',
  'GET /public/views/{slug}/{apiVersion}/stream': 'public',
  'GET /api/v1/views/{viewId}/api/usage': 'admin',
  'GET /api/v1/views/{viewId}/api/keys': 'admin',
  'POST /api/v1/views/{viewId}/api/keys': { needs: 'admin', body: () => ({ name: name() }) },
  'POST /api/v1/views/{viewId}/api/keys/{keyId}/rotate': { needs: 'admin', body: () => ({}) },
  'DELETE /api/v1/views/{viewId}/api/keys/{keyId}': { needs: 'admin', fresh: apiKey },
  'GET /api/v1/views/{viewId}/api/versions': 'admin',
  'PATCH /api/v1/views/{viewId}/api/versions/{version}': { needs: 'admin', body: () => ({ sunsetAt: null }) },
  'DELETE /api/v1/views/{viewId}/api/versions/{version}': { needs: 'admin', fresh: republishedView },
  'GET /api/v1/views/{viewId}/api': 'admin',
  'POST /api/v1/views/{viewId}/api': { needs: 'admin', body: () => ({}), fresh: newView },
  'PATCH /api/v1/views/{viewId}/api': { needs: 'admin', body: () => ({ cacheSeconds: 10 }) },
  'DELETE /api/v1/views/{viewId}/api': { needs: 'admin', fresh: publishedView },
  'POST /api/v1/views/{viewId}/explain': { needs: 'viewer', body: () => ({}), unaudited: READS },

  'GET /api/v1/workspaces/{workspaceId}/bases': 'viewer',
  'POST /api/v1/workspaces/{workspaceId}/bases': { needs: 'admin', body: () => ({ name: name() }) },
  'POST /api/v1/workspaces/{workspaceId}/bases/from-template': {
    needs: 'admin',
    body: () => ({ name: name(), templateId: 'crm' }),
  },
  'GET /api/v1/templates': 'signed-in',
  'POST /api/v1/formulas/check': {
    needs: 'signed-in',
    body: () => ({ formula: '1 + 1', position: 0 }),
    foreignBody: ({ tableId }) => ({ body: { formula: '1', tableId }, refused: 'not_found' }),
    unaudited: READS,
  },
  'GET /api/v1/bases/{baseId}/template': 'viewer',
  'POST /api/v1/bases/{baseId}/duplicate': { needs: 'admin', body: () => ({ name: name(), withRows: true }) },
  'GET /api/v1/bases/{baseId}': 'viewer',
  'PATCH /api/v1/bases/{baseId}': { needs: 'admin', body: () => ({ name: name() }) },
  'DELETE /api/v1/bases/{baseId}': { needs: 'admin', fresh: newBase },

  'POST /api/v1/bases/{trashedBaseId}/restore': { needs: 'admin', fresh: trashedBase },

  'GET /api/v1/bases/{baseId}/tables': 'viewer',
  'POST /api/v1/bases/{baseId}/tables': {
    needs: 'admin',
    body: () => ({ name: name(), columns: [{ name: 'Name', type: 'text' }] }),
  },
  'POST /api/v1/tables/{tableId}/duplicate': { needs: 'admin', body: () => ({ name: name(), withRows: true }) },
  'GET /api/v1/tables/{tableId}': 'viewer',
  'PATCH /api/v1/tables/{tableId}': { needs: 'admin', body: () => ({ name: name() }) },
  'DELETE /api/v1/tables/{tableId}': { needs: 'admin', fresh: newTable },
  'POST /api/v1/tables/{trashedTableId}/restore': { needs: 'admin', fresh: trashedTable },

  'GET /api/v1/tables/{tableId}/rules': 'admin',
  'PUT /api/v1/tables/{tableId}/rules': { needs: 'admin', body: () => ({ rules: [] }) },
  'GET /api/v1/tables/{tableId}/rules/explain': {
    needs: 'admin',
    query: ({ memberId = '' }) => `memberId=${memberId}`,
  },

  'GET /api/v1/tables/{tableId}/columns': 'viewer',
  'POST /api/v1/tables/{tableId}/columns': { needs: 'admin', body: () => ({ name: name(), type: 'text' }) },
  'PATCH /api/v1/tables/{tableId}/columns/{columnId}': { needs: 'admin', body: () => ({ name: name() }) },
  'DELETE /api/v1/tables/{tableId}/columns/{columnId}': { needs: 'admin', fresh: newColumn },
  'POST /api/v1/tables/{tableId}/columns/{columnId}/restore': {
    needs: 'admin',
    fresh: trashedColumn,
    body: () => ({ relax: true }),
  },

  'POST /api/v1/tables/{tableId}/columns/{columnId}/convert': {
    needs: 'admin',
    fresh: newColumn,
    body: () => ({ to: { type: 'long_text' }, dryRun: true }),
    unaudited: READS,
  },
  'GET /api/v1/tables/{tableId}/columns/{columnId}/conversion': 'viewer',
  'DELETE /api/v1/tables/{tableId}/columns/{columnId}/conversion': { needs: 'admin', fresh: newConversion },

  'GET /api/v1/tables/{tableId}/indexes': 'viewer',
  'POST /api/v1/tables/{tableId}/indexes': {
    needs: 'admin',
    fresh: newTableWithColumn,
    body: () => ({ columns: [{ field: 'qty', dir: 'desc' }] }),
  },
  'GET /api/v1/tables/{tableId}/indexes/advice': 'viewer',
  'DELETE /api/v1/tables/{tableId}/indexes/{indexId}': { needs: 'admin', fresh: newIndex },

  'GET /api/v1/tables/{tableId}/export': { needs: 'viewer', audited: true },
  'POST /api/v1/tables/{tableId}/import': { needs: 'editor', body: () => csvFile(), unaudited: CHANGE_LOG },
  'POST /api/v1/bases/{baseId}/import': {
    needs: 'admin',
    query: () => `name=${encodeURIComponent(name())}`,
    body: () => csvFile(),
  },
  'POST /api/v1/tables/{tableId}/import/external': {
    needs: 'editor',
    body: ({ ids }) => ({ connectionId: ids.connectionId, query: { from: 'x.y' } }),
    foreignBody: ({ connectionId }) => ({ body: { connectionId, query: { from: 'x.y' } }, refused: 'not_found' }),
    beginsImport: true,
    unaudited: BY_IMPORT,
  },
  'POST /api/v1/bases/{baseId}/import/external': {
    needs: 'admin',
    body: ({ ids }) => ({ connectionId: ids.connectionId, query: { from: 'x.y' }, name: name() }),
    foreignBody: ({ connectionId }) => ({
      body: { connectionId, query: { from: 'x.y' }, name: name() },
      refused: 'not_found',
    }),
    beginsImport: true,
  },
  'GET /api/v1/tables/{tableId}/imports': 'viewer',
  'GET /api/v1/imports/{importId}': 'viewer',
  'DELETE /api/v1/imports/{importId}': 'editor',
  'POST /api/v1/tables/{tableId}/attachments': { needs: 'editor', body: () => form('text'), unaudited: FILES },
  'GET /api/v1/tables/{tableId}/attachments/{attachmentId}': 'viewer',
  'GET /api/v1/files/{token}': { needs: 'public', fresh: newFileLink },

  'GET /api/v1/tables/{tableId}/changes': 'viewer',
  'GET /api/v1/tables/{tableId}/history': 'viewer',
  'GET /api/v1/tables/{tableId}/history/verify': 'viewer',
  'GET /api/v1/tables/{tableId}/history/checkpoint': 'viewer',
  'GET /api/v1/tables/{tableId}/rows/{rowId}/history': 'viewer',
  'POST /api/v1/tables/{tableId}/rows/{rowId}/revert': {
    needs: 'editor',
    body: () => ({ toVersion: 1 }),
    unaudited: READS,
  },
  'POST /api/v1/tables/{tableId}/revert': {
    needs: 'admin',
    body: () => ({ fromSeq: 1, toSeq: 1, dryRun: true }),
    unaudited: READS,
  },
  'POST /api/v1/bases/{baseId}/revert': {
    needs: 'admin',
    body: () => ({ changeSet: newId(), dryRun: true }),
    unaudited: READS,
  },
  'POST /api/v1/tables/{tableId}/undo': { needs: 'editor', body: () => ({}), fresh: ownRow, unaudited: CHANGE_LOG },
  'POST /api/v1/tables/{tableId}/redo': { needs: 'editor', body: () => ({}), fresh: undoneRow, unaudited: CHANGE_LOG },
  'GET /api/v1/tables/{tableId}/rows': 'viewer',
  'POST /api/v1/tables/{tableId}/rows/query': { needs: 'viewer', body: () => ({}), unaudited: READS },
  'POST /api/v1/tables/{tableId}/rows': {
    needs: 'editor',
    body: () => ({ fields: { name: name() } }),
    unaudited: CHANGE_LOG,
  },
  'POST /api/v1/tables/{tableId}/rows/bulk': {
    needs: 'editor',
    body: () => ({ ops: [{ op: 'create', fields: { name: name() } }] }),
    foreignBody: ({ rowId = '' }) => ({
      body: { ops: [{ op: 'update', id: rowId, fields: { name: 'mine now' } }] },
      refused: 'bulk_failed',
    }),
    unaudited: CHANGE_LOG,
  },
  'POST /api/v1/tables/{tableId}/rows/bulk-update': {
    needs: 'editor',
    body: () => ({ filter: null, set: { name: name() }, dryRun: true }),
    unaudited: READS,
  },
  'POST /api/v1/tables/{tableId}/rows/bulk-delete': {
    needs: 'editor',
    body: () => ({ filter: null, dryRun: true }),
    unaudited: READS,
  },
  'GET /api/v1/tables/{tableId}/rows/{rowId}': 'viewer',
  'PATCH /api/v1/tables/{tableId}/rows/{rowId}': {
    needs: 'editor',
    body: () => ({ fields: { name: name() } }),
    unaudited: CHANGE_LOG,
  },
  'DELETE /api/v1/tables/{tableId}/rows/{rowId}': { needs: 'editor', fresh: newRow, unaudited: CHANGE_LOG },
  'POST /api/v1/tables/{tableId}/rows/{rowId}/restore': { needs: 'editor', fresh: deletedRow, unaudited: CHANGE_LOG },
};

/** One message of a socket: the weakest that is answered with `ok: true`. */
export interface MessageLine {
  readonly needs: 'signed-in' | Role;
  readonly message: (caller: Person, ids: Ids) => object;
}

const channel = ({ tableId = '' }: Ids): string => `table:${tableId}`;

/** By the message's id in the AsyncAPI document. */
export const MESSAGES: Readonly<Record<string, MessageLine>> = {
  subscribe: { needs: 'viewer', message: (_, at) => ({ channel: channel(at) }) },
  unsubscribe: { needs: 'signed-in', message: (_, at) => ({ channel: channel(at) }) },
  presence: { needs: 'viewer', message: (_, at) => ({ channel: channel(at), state: { mode: 'viewing' } }) },
  lock: { needs: 'editor', message: (_, at) => ({ channel: channel(at), cell: { rowId: 'a', columnKey: 'name' } }) },
  unlock: {
    needs: 'signed-in',
    message: (_, at) => ({ channel: channel(at), cell: { rowId: 'a', columnKey: 'name' } }),
  },
  auth: { needs: 'signed-in', message: ({ accessToken }) => ({ token: accessToken }) },
};
