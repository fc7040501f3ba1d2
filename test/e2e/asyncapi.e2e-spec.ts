import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { must } from '../../src/common/index.js';
import { projectRoot } from '../../src/config/index.js';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  member,
  signup,
  socket,
  sql,
  startNode,
  world,
  type Person,
  type Row,
  type TestDatabases,
  type TestSocket,
  type World,
} from '../harness/index.js';
import { classesOf, clientMessages, findingsOf, servedAsyncApi, Wire, type AsyncApi } from '../support/asyncapi.js';

jest.setTimeout(120_000);

const YAML = '/api/docs/asyncapi.yaml';
const JSON_FORM = '/api/docs/asyncapi.json';

let base: string;
let pair: TestDatabases;
let document: AsyncApi;
beforeAll(async () => {
  pair = await databases();
  // The built server: the compiler's plugin reads the DTOs, so a document made from the sources would lack their fields.
  ({ base } = await startNode({ databases: pair, env: { EXTERNAL_POLL_INTERVAL: '1' } }));
  document = await servedAsyncApi(base);
});

describe('the AsyncAPI document', () => {
  it('is one document, served as YAML and as JSON, also to HEAD, under the headers of all pages', async () => {
    const nobody = client(base);
    const [yaml, json] = [await nobody.get(YAML), await nobody.get(JSON_FORM)];
    expect(parse(yaml.text)).toEqual(json.body);
    for (const [at, answer, type] of [
      [YAML, yaml, 'application/yaml; charset=utf-8'],
      [JSON_FORM, json, 'application/json; charset=utf-8'],
    ] as const) {
      const head = await nobody.call('HEAD', at);
      for (const { status, headers } of [answer, head]) {
        expect([at, status, headers.get('content-type')]).toEqual([at, 200, type]);
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      }
      expect(head.text).toBe('');
    }
  });

  it('is accepted by the official parser, which does see mistakes', async () => {
    const { text } = await client(base).get(YAML);
    expect(findingsOf(text).filter(({ severity }) => severity === 0)).toEqual([]);
    const broken = text.replace('#/components/messages/subscribe', '#/components/messages/nothing');
    expect(findingsOf(broken).filter(({ severity }) => severity === 0)).not.toEqual([]);
  });

  it('is what docs/asyncapi.yaml says (npm run openapi)', async () => {
    const { text } = await client(base).get(YAML);
    expect(readFileSync(path.join(projectRoot, 'docs/asyncapi.yaml'), 'utf8')).toBe(text);
  });

  it('is linked from the introduction of Swagger', async () => {
    const { body } = await client(base).get<{ info: { description: string } }>('/api/docs-json');
    expect(body.info.description).toContain(`(${YAML})`);
  });

  it('gives every message an example per class, and every example is what it says', () => {
    const wire = new Wire(document);
    for (const [id, { examples }] of Object.entries(document.components.messages))
      for (const { name, payload } of examples) expect([name, wire.findings([id], payload)]).toEqual([name, []]);
    const all = Object.keys(document.components.messages).flatMap((id) => classesOf(document, id));
    expect(all.filter((name) => !wire.seen.has(name))).toEqual([]);
  });
});

/** Everything that may happen on a socket happens once; whatever is sent is held against the document. */
describe('a live session', () => {
  let wire: Wire;
  const strange: unknown[] = [];
  const note = (what: unknown, findings: readonly string[]) => {
    if (findings.length > 0) strange.push({ what, findings });
  };

  /** Sends a message and checks it, unless it is meant to be bad, and its acknowledgement. */
  const ask = async (tab: TestSocket, id: string, message: object, bad = false): Promise<Record<string, unknown>> => {
    if (!bad) note(message, wire.findings([id], message));
    const answer = await tab.ask<Record<string, unknown>>(id, message);
    note(answer, wire.findings(must(clientMessages(document).get(id), `${id} is documented`), answer));
    return answer;
  };
  const open = (person: Person) => socket(base, person.accessToken);
  const control = (tab: TestSocket, type: string, more: object = {}) =>
    tab.until(({ name, payload }) => {
      const wanted = Object.entries({ type, ...more });
      return name === 'control' && wanted.every(([key, value]) => (payload as Record<string, unknown>)[key] === value);
    }, 15_000);

  /** What is told of an object of an external database. */
  const externalObject = async ({ owner, workspace }: World, tab: TestSocket): Promise<void> => {
    const { host, port, database, username, password } = (await databases({ migrated: false })).main;
    await asSuperuser(database, (db) =>
      db.query('set role live_tables; create table notes (id int primary key, body text)'),
    );
    const body = { name: 'Shop', engine: 'postgresql', host, port, database, username, password, access: 'read-write' };
    const made = await owner.post<{ id: string }>(`/workspaces/${workspace.id}/connections`, body);
    const { id } = expectStatus(made, 201);
    expect(await ask(tab, 'subscribe', { channel: `object:${id}:public.notes` })).toMatchObject({ mode: 'live' });
    for (const [n, length] of [10, 70_000].entries()) {
      const values = { id: n, body: 'x'.repeat(length) };
      expectStatus(
        await owner.post(`/connections/${id}/mutate`, { object: 'public.notes', op: 'insert', values }),
        200,
      );
    }
    await tab.until(({ name, payload }) => name === 'object:update' && 'invalidated' in (payload as object));
    await tab.until(({ payload }) => (payload as { source?: string }).source === 'poll');
  };

  it('sends, of all that the document knows, nothing but what the document says', async () => {
    wire = new Wire(document);
    const at = await world(base);
    const bob = await member(at, 'editor');
    const channel = `table:${at.table.id}`;
    const rows = `/tables/${at.table.id}/rows`;
    const [first, second] = [await open(at.owner), await open(bob)];

    expect(await ask(first, 'subscribe', { channel })).toMatchObject({ mode: 'live' });
    const { epoch } = await ask(second, 'subscribe', { channel });
    expect(await ask(first, 'subscribe', { channel: `workspace:${at.workspace.id}` })).toMatchObject({ mode: 'live' });
    const source = { table: at.table.id };
    for (const definition of [
      { source, columns: ['name'] },
      { source, groupBy: [{ field: 'status' }] },
    ]) {
      const body = { name: `View ${JSON.stringify(definition)}`, definition };
      const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body);
      const { id } = expectStatus(made, 201);
      expect(await ask(first, 'subscribe', { channel: `view:${id}` })).toMatchObject({ mode: 'live' });
      expectStatus(await at.owner.patch(`/views/${id}`, { description: 'Of late' }), 200);
    }
    expect(await ask(first, 'presence', { channel, state: { mode: 'viewing' } })).toMatchObject({ present: [] });
    const cursor = { rowId: null, columnKey: 'name' };
    expect(await ask(second, 'presence', { channel, state: { cursor } })).toMatchObject({
      present: [{ user: { id: at.owner.user.id }, state: { mode: 'viewing' } }],
    });
    await ask(second, 'presence', { channel, state: { cursor, mode: 'editing' } });
    await first.until(({ name }) => name === 'user:cursor');
    const selection = { from: cursor, to: { columnKey: 'qty' } };
    await ask(second, 'presence', { channel, state: { cursor, selection, mode: 'typing' } });
    const cell = { rowId: at.table.id, columnKey: 'name' };
    expect(await ask(second, 'lock', { channel, cell })).toMatchObject({ mine: true });
    await first.until(({ name }) => name === 'cell:lock');
    expect(await ask(first, 'lock', { channel, cell })).toMatchObject({ mine: false });
    expect(await ask(first, 'presence', { channel, state: {} })).toMatchObject({ locks: [{ cell }] });
    expect(await ask(second, 'unlock', { channel, cell })).toMatchObject({ ok: true });
    const row = expectStatus(await bob.post<Row>(rows, { fields: { name: 'Acme' } }, { 'x-client-id': 'tab' }), 201);
    expectStatus(await bob.patch(`${rows}/${row.id}`, { fields: { qty: 3 } }), 200);
    expectStatus(await bob.del(`${rows}/${row.id}`), 204);
    const ops = Array.from({ length: 201 }, (_, n) => ({ op: 'create', fields: { name: `Row ${n}` } }));
    expectStatus(await bob.post(`${rows}/bulk`, { ops }), 200);
    const column = { name: 'Remark', type: 'text' };
    expectStatus(await at.owner.post(`/tables/${at.table.id}/columns`, column), 201);
    await first.until(({ name }) => name === 'schema:update');
    await first.until(({ name }) => name === 'workspace:update');
    await first.until(({ name }) => name === 'view:update');
    const csv = { 'content-type': 'text/csv' };
    expectStatus(await bob.call('POST', `/tables/${at.table.id}/import`, 'name\nA line\n', csv), 200);
    await first.until(({ name }) => name === 'import:progress');

    const late = await open(at.owner);
    expect(await ask(late, 'subscribe', { channel, from: { epoch, seq: 0 } })).toMatchObject({ mode: 'replay' });
    await control(late, 'up_to_date');
    expect(late.payloads('data:update')).toHaveLength(5);
    expect(await ask(late, 'subscribe', { channel, from: { epoch, seq: 999 } })).toMatchObject({ mode: 'reset' });

    expect(await ask(late, 'subscribe', { channel: 'nothing' })).toMatchObject({ ok: false, error: { status: 422 } });
    expect(await ask(late, 'subscribe', { channel, more: 1 }, true)).toMatchObject({ ok: false });
    expect(await ask(late, 'subscribe', { channel: `table:${row.id}` })).toMatchObject({ error: { status: 404 } });
    await ask(late, 'presence', { channel, state: {} });
    expect(await ask(late, 'unsubscribe', { channel })).toEqual({ ok: true, channel });
    await first.until(({ name }) => name === 'user:leave');
    expect(await ask(late, 'auth', { token: bob.accessToken })).toMatchObject({ error: { status: 403 } });
    expect(await ask(late, 'auth', { token: at.owner.accessToken })).toMatchObject({ ok: true });

    // As a restored backup would do: the numbers begin anew.
    await sql(
      pair.mini,
      `update "${at.table.physical.schema}"._stream set epoch = gen_random_uuid() where table_id = $1`,
      [at.table.id],
    );
    await Promise.all([first, second].map((tab) => control(tab, 'reset')));
    expect(await ask(second, 'subscribe', { channel })).toMatchObject({ mode: 'live' });

    await externalObject(at, second);

    const { body } = await at.owner.get<{ data: readonly { id: string; user: { id: string } }[] }>(
      `/workspaces/${at.workspace.id}/members`,
    );
    const { id } = must(
      body.data.find(({ user }) => user.id === bob.user.id),
      'Bob is a member',
    );
    expectStatus(await at.owner.del(`/workspaces/${at.workspace.id}/members/${id}`), 204);
    await control(second, 'revoked', { channel });
    expectStatus(await bob.post('/auth/logout', {}), 204);
    await control(second, 'revoked', { channel: undefined });

    for (const { name, payload } of [first, second, late].flatMap(({ events }) => events))
      note({ name, payload }, wire.findingsOfEvent(name, payload));
    expect(strange).toEqual([]);
    const all = Object.keys(document.components.messages).flatMap((each) => classesOf(document, each));
    expect(all.filter((name) => !wire.seen.has(name))).toEqual([]);
  });

  it('is refused with the problem that the document knows', async () => {
    const error: unknown = await socket(base, 'no token').catch((reason: unknown) => reason);
    const { data } = error as { data?: unknown };
    expect(new Wire(document).findings(['refused'], { ok: false, error: data })).toEqual([]);
  });
});

describe('the check itself', () => {
  const mutations = (payload: object): [string, object][] => [
    ['one member more', { ...payload, surprise: 1 }],
    ...Object.keys(payload).map((key): [string, object] => [
      `no ${key}`,
      Object.fromEntries(Object.entries(payload).filter(([name]) => name !== key)),
    ]),
  ];
  /** The members that a message may leave out. */
  const OPTIONAL = new Set([
    'subscribe no from',
    'subscribed no schemaVersion',
    'subscribed no tells',
    'locked no until',
    'dataUpdate no rowIds',
    'schemaUpdate no change',
    'viewUpdate no problem',
    'workspaceUpdate no actor',
    'workspaceUpdate no change',
  ]);

  it('fails for every message with a member more or less, on top and inside', async () => {
    const wire = new Wire(document);
    let tried = 0;
    for (const [id, { examples }] of Object.entries(document.components.messages))
      for (const { payload } of examples)
        for (const [change, changed] of mutations(payload)) {
          if (OPTIONAL.has(`${id} ${change}`)) continue;
          expect([id, change, wire.findings([id], changed).length > 0]).toEqual([id, change, true]);
          tried += 1;
        }
    expect(tried).toBeGreaterThan(50);
    const examples = must(document.components.messages.dataUpdate, 'there is data:update').examples;
    const { payload } = must(examples[0], 'with an example');
    const actor = { ...payload, actor: { name: 'Ada' } };
    const deleted = { ...payload, deleted: [{ id: (await signup(base)).user.id, version: 1, fields: {} }] };
    for (const changed of [actor, deleted, { ...payload, seq: '5' }, { ...payload, at: 'today' }])
      expect(wire.findingsOfEvent('data:update', changed)).not.toEqual([]);
    expect(wire.findingsOfEvent('user:sleep', {})).toEqual(['the document knows no event user:sleep']);
  });
});
