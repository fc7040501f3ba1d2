import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, sql, startApp, world, type Answer, type Row, type Table, type TestApp, type World } from '../harness/index.js'; // prettier-ignore
import { reverting } from '../support/reverting.js';
import { path, refusal, type Page } from '../support/rows.js';
import { member, OPEN, putRules, seesOpen, type MemberOf, type Rules } from '../support/rules.js';

let app: TestApp;
let at: World;
beforeAll(async () => {
  app = await startApp();
  at = await world(app.base);
}, 60_000);

const { ask, dryRun, entryOf, takeBack } = reverting(() => at);
const newMember = (role: string): Promise<MemberOf> => member(at.owner, at.workspace.id, role);
const members = () => `/workspaces/${at.workspace.id}/members`;
const memberNow = ({ memberId }: MemberOf) => at.owner.get<{ role: string; attributes: object }>(`${members()}/${memberId}`); // prettier-ignore
const code = (answer: Answer<unknown>) => refusal(answer).slice(0, 2);
/** Tried and not done: what the call is refused with. */
async function refusedWith(entryId: string, as = at.owner) {
  const { confirmToken } = await dryRun(entryId);
  return code(await ask(entryId, { confirmToken }, as));
}
const newTable = async (): Promise<Table> => {
  const columns = [
    { name: 'Name', type: 'text', required: true },
    { name: 'Status', type: 'single_select', options: { choices: [{ label: 'Open' }, { label: 'Won' }] } },
    { name: 'Notes', type: 'text' },
  ];
  const name = `Ruled ${Math.random()}`;
  const table = expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name, columns }), 201);
  for (const status of ['open', 'won'])
    expectStatus(await at.owner.post<Row>(path(table), { fields: { name: status, status, notes: 'x' } }), 201);
  return table;
};
const seenBy = async (person: MemberOf, table: Table) =>
  expectStatus(await person.get<Page>(path(table)), 200).data.map(({ fields }) => fields);

describe('a change of members is taken back', () => {
  it('of roles and attributes, and that as well', async () => {
    const person = await newMember('editor');
    const change = { role: 'viewer', attributes: { region: 'emea' } };
    expectStatus(await at.owner.patch(`${members()}/${person.memberId}`, change), 200);
    const entry = await entryOf(person.memberId, 'member.updated');
    const done = await takeBack(entry);
    expect(done.fields.map(({ field }) => field).sort()).toEqual(['attributes', 'role']);
    expect(expectStatus(await memberNow(person), 200)).toMatchObject({ role: 'editor', attributes: {} });
    await takeBack(await entryOf(person.memberId, 'member.updated'));
    expect(expectStatus(await memberNow(person), 200)).toMatchObject(change);
  });

  it('of who is one: the same member comes back, and what rules say of him holds', async () => {
    const [person, table] = [await newMember('editor'), await newTable()];
    await putRules(at.owner, table, {
      name: 'one',
      appliesTo: { memberIds: [person.memberId] },
      read: { filter: OPEN },
      columns: { hidden: ['notes'] },
    });
    const attributes = { region: 'apac' };
    expectStatus(await at.owner.patch(`${members()}/${person.memberId}`, { attributes }), 200);
    expect(await seenBy(person, table)).toEqual([{ name: 'open', status: 'open' }]);
    expectStatus(await at.owner.del(`${members()}/${person.memberId}`), 204);
    expectStatus(await person.get(path(table)), 404);
    expect(await takeBack(await entryOf(person.memberId, 'member.removed'))).toMatchObject({ does: 'restore' });
    expect(expectStatus(await memberNow(person), 200)).toMatchObject({ role: 'editor', attributes });
    expect(await seenBy(person, table)).toEqual([{ name: 'open', status: 'open' }]);
    // Who is a member already does not become one again.
    expect(await refusedWith(await entryOf(person.memberId, 'member.removed'))).toEqual([409, 'already_member']);
    expect(await takeBack(await entryOf(person.memberId, 'member.added'))).toMatchObject({ does: 'delete' });
    expectStatus(await person.get(path(table)), 404);
    await takeBack(await entryOf(person.memberId, 'member.removed'));
    expect(await seenBy(person, table)).toEqual([{ name: 'open', status: 'open' }]);
  });

  it('by nobody who could not make it by hand', async () => {
    const [admin, other] = [await newMember('admin'), await newMember('viewer')];
    const update = (role: string) => at.owner.patch(`${members()}/${other.memberId}`, { role });
    for (const role of ['admin', 'editor']) expectStatus(await update(role), 200);
    const made = await entryOf(other.memberId, 'member.updated');
    const { confirmToken } = expectStatus(await ask(made, { dryRun: true }, admin), 200);
    // It would make an admin of him.
    expect(code(await ask(made, { confirmToken }, admin))).toEqual([403, 'role_too_low']);
    expect(expectStatus(await memberNow(other), 200)).toMatchObject({ role: 'editor' });
    expectStatus(await at.owner.del(`${members()}/${admin.memberId}`), 204);
    const peer = await newMember('admin');
    const removal = await entryOf(admin.memberId, 'member.removed');
    const tried = expectStatus(await ask(removal, { dryRun: true }, peer), 200);
    expect(code(await ask(removal, { confirmToken: tried.confirmToken }, peer))).toEqual([403, 'role_too_low']);
    expect(code(await ask(removal, { dryRun: true }, other))).toEqual([403, 'role_too_low']);
  });

  it('never so that nobody owns the workspace', async () => {
    const heir = await newMember('admin');
    expectStatus(await at.owner.patch(`${members()}/${heir.memberId}`, { role: 'owner' }), 200);
    const made = await entryOf(heir.memberId, 'member.updated');
    const { data } = expectStatus(await at.owner.get<{ data: { id: string; user: { id: string } }[] }>(members()), 200);
    const own = data.find(({ user }) => user.id === at.owner.user.id)?.id ?? '';
    expectStatus(await heir.patch(`${members()}/${own}`, { role: 'admin' }), 200);
    const { confirmToken } = expectStatus(await ask(made, { dryRun: true }, heir), 200);
    expect(code(await ask(made, { confirmToken }, heir))).toEqual([409, 'last_owner']);
    const demoted = await entryOf(own, 'member.updated');
    const tried = expectStatus(await ask(demoted, { dryRun: true }, heir), 200);
    expectStatus(await ask(demoted, { confirmToken: tried.confirmToken }, heir), 200);
    expect(expectStatus(await at.owner.get(`/workspaces/${at.workspace.id}`), 200)).toMatchObject({ role: 'owner' });
  });
});

describe('a change of rules is taken back', () => {
  it('as a new version of them, which can be taken back as well', async () => {
    const [person, table] = [await newMember('editor'), await newTable()];
    const first = await putRules(at.owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    expect(await seenBy(person, table)).toEqual([{ name: 'open', status: 'open' }]);
    await putRules(at.owner, table);
    expect(await seenBy(person, table)).toHaveLength(2);
    const entry = await entryOf(table.id, 'table.rules_changed');
    expect(await takeBack(entry)).toMatchObject({ does: 'update', fields: [{ field: 'rules', current: [] }] });
    expect(await seenBy(person, table)).toEqual([{ name: 'open', status: 'open' }]);
    const now = expectStatus(await at.owner.get<Rules>(`/tables/${table.id}/rules`), 200);
    expect(now).toEqual({ ...first, version: 3 });
    await takeBack(await entryOf(table.id, 'table.rules_changed'));
    expect(await seenBy(person, table)).toHaveLength(2);
    // Changed once more since: a conflict.
    await putRules(at.owner, table, { name: 'none', read: { filter: { field: 'name', op: 'eq', value: 'won' } } });
    expect(await dryRun(entry)).toMatchObject({ does: 'update', fields: [], conflicts: [{ field: 'rules' }] });
  });

  it('with what their keys meant: what has gone since stays closed, and what has its key by now opens nothing', async () => {
    const [person, table] = [await newMember('editor'), await newTable()];
    const column = (key: string) => table.columns.find((each) => each.key === key)?.id ?? '';
    await putRules(at.owner, table, { ...seesOpen, columns: { hidden: ['notes'] } });
    await putRules(at.owner, table);
    for (const key of ['status', 'notes'])
      expectStatus(await at.owner.del(`/tables/${table.id}/columns/${column(key)}`), 204);
    // Another column with that key, in which every row is open.
    for (const name of ['Status', 'Notes'])
      expectStatus(await at.owner.post(`/tables/${table.id}/columns`, { name, type: 'text', default: 'open' }), 201);
    expect((await seenBy(person, table)).map(({ status }) => status)).toEqual(['open', 'open']);
    await takeBack(await entryOf(table.id, 'table.rules_changed'));
    const rules = expectStatus(await at.owner.get<Rules>(`/tables/${table.id}/rules`), 200);
    expect(rules.problems).toHaveLength(1);
    expect(await seenBy(person, table)).toEqual([]);
  });

  it('not where the log does not hold what the keys meant', async () => {
    const table = await newTable();
    const { rules } = await putRules(at.owner, table, seesOpen);
    await putRules(at.owner, table);
    const entry = await entryOf(table.id, 'table.rules_changed');
    // As servers wrote it before they kept that.
    await sql(app.config.mainDb, 'update audit_log set before = $2 where id = $1', [entry, JSON.stringify({ rules })]);
    expect(await refusedWith(entry)).toEqual([409, 'not_revertible']);
  });
});

describe('a change of what leads elsewhere is taken back', () => {
  it('of a publication: settings, and that it is one, but never what was lost for good', async () => {
    const definition = { source: { table: at.table.id } };
    const name = `View ${Math.random()}`;
    const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, { name, definition });
    const view = expectStatus(made, 201).id;
    const url = `/views/${view}/api`;
    expectStatus(await at.owner.post(url, { cacheSeconds: 60 }), 201);
    const api = async () => expectStatus(await at.owner.get<Record<string, unknown>>(url), 200);
    const { slug } = await api();
    const change = { slug: 'other-name', cacheSeconds: 0, page: true, rateLimit: { limit: 5, windowSeconds: 7 } };
    expectStatus(await at.owner.patch(url, change), 200);
    const entry = await entryOf(view, 'view.publication_changed');
    expectStatus(await at.owner.patch(url, { cacheSeconds: 30 }), 200);
    const done = await takeBack(entry);
    expect(done.fields.map(({ field }) => field).sort()).toEqual(['page', 'rateLimit', 'slug']);
    expect(done.conflicts).toEqual([{ field: 'cacheSeconds', current: 30, value: 60 }]);
    expect(await api()).toMatchObject({ slug, page: false, cacheSeconds: 30, rateLimit: { limit: 600 } });
    // By the means of every change: readers keep what they were given.
    expectStatus(await at.owner.patch(url, { auth: 'public' }), 200);
    expect(await refusedWith(await entryOf(view, 'view.publication_changed'))).toEqual([409, 'contract_broken']);
    const published = await takeBack(await entryOf(view, 'view.published'));
    expect(published.fields).toEqual([{ field: 'enabled', current: true, value: false }]);
    expect(await api()).toMatchObject({ slug, enabled: false });
    expectStatus(await at.owner.del(url), 204);
    expect(code(await ask(await entryOf(view, 'view.unpublished'), { dryRun: true }))).toEqual([409, 'not_revertible']);
  });

  it('of a webhook: not its address, and one that was made is paused', async () => {
    const hooks = `/workspaces/${at.workspace.id}/webhooks`;
    const input = { name: 'Hook', url: 'https://127.0.0.1/token-in-path', tables: [at.table.id] };
    const { id } = expectStatus(await at.owner.post<{ id: string }>(hooks, input), 201);
    const hook = async () => expectStatus(await at.owner.get<Record<string, unknown>>(`${hooks}/${id}`), 200);
    const change = { name: 'Other', url: 'https://127.0.0.2/', events: ['rows.created'], active: false };
    expectStatus(await at.owner.patch(`${hooks}/${id}`, change), 200);
    const done = await takeBack(await entryOf(id, 'webhook.updated'));
    expect(done.fields.map(({ field }) => field).sort()).toEqual(['events', 'name', 'state']);
    expect(done.skipped.toSorted()).toEqual(['address', 'origin']);
    expect(await hook()).toMatchObject({ name: 'Hook', url: change.url, state: 'active' });
    await takeBack(await entryOf(id, 'webhook.created'));
    expect(await hook()).toMatchObject({ state: 'paused' });
    expectStatus(await at.owner.del(`${hooks}/${id}`), 204);
    expect(code(await ask(await entryOf(id, 'webhook.deleted'), { dryRun: true }))).toEqual([409, 'not_revertible']);
  });

  it('of a connection: not where it leads, nor what means something only there', async () => {
    const connections = `/workspaces/${at.workspace.id}/connections`;
    const place = { engine: 'postgresql', host: '127.0.0.1', port: 5432, database: 'shop', username: 'reader' };
    const made = await at.owner.post<{ id: string }>(connections, {
      name: 'Shop',
      ...place,
      password: 'a-secret-word',
    });
    const { id } = expectStatus(made, 201);
    const now = async () => expectStatus(await at.owner.get<Record<string, unknown>>(`/connections/${id}`), 200);
    const update = async (body: object) => expectStatus(await at.owner.patch(`/connections/${id}`, body), 200);
    await update({ name: 'Store', database: 'other', access: 'read-write', tls: { mode: 'require' } });
    const first = await entryOf(id, 'connection.updated');
    const done = await takeBack(first);
    expect(done.fields.map(({ field }) => field).sort()).toEqual(['access', 'database', 'name']);
    expect(done.skipped).toEqual(['tls']);
    expect(await now()).toMatchObject({ name: 'Shop', database: 'shop', access: 'read-only' });
    await update({ name: 'Moved', host: '127.0.0.2', database: 'theirs', password: 'another-word' });
    const moved = await takeBack(await entryOf(id, 'connection.updated'));
    expect(moved.fields).toEqual([{ field: 'name', current: 'Moved', value: 'Shop' }]);
    expect(moved.skipped.toSorted()).toEqual(['database', 'host', 'signIn']);
    expect(await now()).toMatchObject({ name: 'Shop', host: '127.0.0.2', database: 'theirs' });
    for (const action of ['connection.created', 'connection.deleted']) {
      if (action === 'connection.deleted') expectStatus(await at.owner.del(`/connections/${id}`), 204);
      expect(code(await ask(await entryOf(id, action), { dryRun: true }))).toEqual([409, 'not_revertible']);
    }
  });

  it('but no key, whose revocation holds', async () => {
    const definition = { source: { table: at.table.id } };
    const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, {
      name: 'Keyed',
      definition,
    });
    const view = expectStatus(made, 201).id;
    expectStatus(await at.owner.post(`/views/${view}/api`, {}), 201);
    const { id } = expectStatus(await at.owner.post<{ id: string }>(`/views/${view}/api/keys`, { name: 'k' }), 201);
    expectStatus(await at.owner.del(`/views/${view}/api/keys/${id}`), 204);
    for (const action of ['api_key.created', 'api_key.revoked'])
      expect(code(await ask(await entryOf(id, action), { dryRun: true }))).toEqual([409, 'not_revertible']);
  });
});
