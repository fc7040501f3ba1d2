import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  databases,
  expectStatus,
  member,
  sleep,
  sql,
  startApp,
  waitFor,
  world,
  type ProblemBody,
  type Row,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { fails, isSignedWith, receiver, takes, type Receiver } from '../support/webhook-receiver.js';

interface Webhook {
  readonly id: string;
  readonly secret: string;
  readonly state: string;
  readonly tables: readonly string[];
  readonly events: readonly string[];
  readonly disabledReason: string | null;
  readonly failing: { readonly attempts: number } | null;
  readonly runsAs: string;
}
interface Delivery {
  readonly id: string;
  readonly messageId: string;
  readonly type: string;
  readonly outcome: string;
  readonly attempt: number;
  readonly manual: boolean;
  readonly status: number | null;
  readonly error: string | null;
  readonly response: string;
  readonly seq: number | null;
}

const ALL = ['rows.created', 'rows.updated', 'rows.deleted', 'rows.restored', 'schema.changed'];
const LONG = 20_000;

let pair: TestDatabases;
let base: string;
let at: World;
let hooks: string;

beforeAll(async () => {
  pair = await databases();
  base = (await startApp({ databases: pair })).base;
});
beforeEach(async () => {
  at = await world(base);
  hooks = `/workspaces/${at.workspace.id}/webhooks`;
});

const hook = async (to: Pick<Receiver, 'url'>, over: object = {}): Promise<Webhook> =>
  expectStatus(await at.owner.post<Webhook>(hooks, { name: 'Hook', url: to.url, tables: [at.table.id], ...over }), 201);
const row = async (name: string): Promise<Row> =>
  expectStatus(await at.owner.post<Row>(`/tables/${at.table.id}/rows`, { fields: { name } }), 201);
const deliveries = async (id: string, query = ''): Promise<readonly Delivery[]> =>
  expectStatus(await at.owner.get<{ data: readonly Delivery[] }>(`${hooks}/${id}/deliveries${query}`), 200).data;
const got = (of: Receiver, count: number) => waitFor(() => of.got.length >= count && of.got, LONG);
const again = (id: string) => sql(pair.main, 'update webhooks set next_at = now() where id = $1', [id]);
const seqs = (of: Receiver) => of.got.map(({ body }) => body.data.seq);

describe('a webhook', () => {
  it('is told of each change in order, as the change log has it, in signed messages', async () => {
    const to = await receiver();
    const { id, secret, events, runsAs } = await hook(to);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(events).toEqual(ALL);
    expect(runsAs).toBe(at.owner.user.id);
    const first = await row('Acme');
    const path = `/tables/${at.table.id}/rows/${first.id}`;
    expectStatus(await at.owner.patch(path, { fields: { name: 'Acme & Co' } }), 200);
    expectStatus(await at.owner.del(path), 204);
    expectStatus(await at.owner.post(`${path}/restore`), 200);
    expectStatus(await at.owner.post(`/tables/${at.table.id}/columns`, { name: 'Extra', type: 'text' }), 201);
    await got(to, 5);
    const changes = expectStatus(
      await at.owner.get<{ data: readonly { seq: number }[] }>(`/tables/${at.table.id}/changes?after=0`),
      200,
    ).data;
    expect(to.got.map(({ body }) => body.data)).toEqual(changes);
    expect(to.got.map(({ body }) => body.type)).toEqual([...Array<string>(4).fill('rows.changed'), 'schema.changed']);
    expect(to.got.every((message) => isSignedWith(secret, message))).toBe(true);
    expect(to.got.some((message) => isSignedWith(`${secret.slice(0, -4)}AAA=`, message))).toBe(false);
    expect(to.got.some(({ headers, text }) => isSignedWith(secret, { headers, text: `${text} ` }))).toBe(false);
    expect(new Set(to.got.map((message) => message.id)).size).toBe(5);
    expect(to.got[0]).toMatchObject({ path: '/hook?of=test', body: { tableId: at.table.id } });
    const log = await waitFor(async () => {
      const found = await deliveries(id);
      return found.length === 5 && found;
    });
    expect(log.map(({ messageId }) => messageId)).toEqual(to.got.map((message) => message.id).toReversed());
    expect(log[0]).toMatchObject({ outcome: 'delivered', status: 204, attempt: 1, manual: false });
  }, 60_000);

  it('hears what it was chosen to hear', async () => {
    const to = await receiver();
    await hook(to, { events: ['rows.deleted', 'rows.restored'] });
    const first = await row('Acme');
    const path = `/tables/${at.table.id}/rows/${first.id}`;
    expectStatus(await at.owner.del(path), 204);
    expectStatus(await at.owner.post(`${path}/restore`), 200);
    await row('Other');
    expectStatus(await at.owner.del(path), 204);
    await got(to, 3);
    expect(
      to.got.map(({ body: { data } }) => [data.created?.length, data.updated?.length, data.deleted?.length]),
    ).toEqual([
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 1],
    ]);
  }, 60_000);

  it('is told again, under the same id and before anything newer, until the receiver takes it', async () => {
    const to = await receiver(fails(500, {}, 'broken\u0000 down'));
    const { id } = await hook(to);
    await row('one');
    await row('two');
    await got(to, 1);
    const failing = await waitFor(async () => (await one(id)).failing);
    expect(failing.attempts).toBeGreaterThanOrEqual(1);
    await got(to, 2);
    expect(new Set(to.got.map((message) => message.id)).size).toBe(1);
    to.answer = takes;
    await again(id);
    await waitFor(() => new Set(to.got.map((message) => message.id)).size === 2, LONG);
    await waitFor(async () => (await one(id)).failing === null);
    const [newest, before, ...failed] = await deliveries(id);
    expect([newest?.attempt, before?.outcome]).toEqual([1, 'delivered']);
    expect(before?.attempt).toBe(failed.length + 1);
    expect(failed.at(-1)).toMatchObject({ outcome: 'failed', status: 500, response: 'broken  down', attempt: 1 });
    expect((await deliveries(id, '?outcome=failed')).length).toBe(failed.length);
    expect((await deliveries(id, '?limit=1')).length).toBe(1);
  }, 60_000);

  it('is tried at a new address at once, however long the one before was to be left alone', async () => {
    const [away, to] = [await receiver(fails(503, { 'retry-after': '3000' })), await receiver()];
    const { id } = await hook(away);
    await row('one');
    await waitFor(async () => (await one(id)).failing, LONG);
    expect(expectStatus(await at.owner.patch<Webhook>(`${hooks}/${id}`, { url: to.url }), 200).failing).toBeNull();
    await got(to, 1);
    expect(to.got.map((message) => message.id)).toEqual(away.got.map((message) => message.id));
  }, 60_000);

  it('stays, and says so, when its last table is gone for good', async () => {
    const { id } = await hook(await receiver());
    await sql(pair.main, 'delete from webhook_positions where webhook_id = $1', [id]);
    expect((await one(id)).tables).toEqual([]);
  });

  it('is not redirected, and what is no 2xx is no receipt', async () => {
    const [inside, to] = [await receiver(), await receiver()];
    to.answer = fails(302, { location: inside.url });
    const { id } = await hook(to);
    await row('one');
    await got(to, 2);
    expect(inside.got).toEqual([]);
    expect((await deliveries(id)).map(({ status }) => status)).toContain(302);
  }, 60_000);

  it('goes on with a receiver that was away, and keeps nobody else waiting meanwhile', async () => {
    const [away, stuck, well] = [await receiver(), await receiver(() => undefined), await receiver()];
    away.die();
    const [first, second] = [await hook(away), await hook(stuck)];
    await hook(well);
    const rows = 5;
    for (let n = 0; n < rows; n++) await row(`row ${n}`);
    await got(well, rows);
    // Both others hold their first message still.
    expect(new Set(stuck.got.map((message) => message.id)).size).toBe(1);
    await waitFor(async () => (await deliveries(first.id)).some(({ error }) => error === 'unreachable'), LONG);
    await away.rise();
    await again(first.id);
    await got(away, rows);
    expect(seqs(away)).toEqual(seqs(well));
    const late = await waitFor(
      async () => (await deliveries(second.id)).find(({ error }) => error === 'timeout'),
      LONG,
    );
    expect(late.status).toBeNull();
    stuck.answer = takes;
    await again(second.id);
    await waitFor(() => new Set(stuck.got.map((message) => message.id)).size === rows, LONG);
  }, 90_000);

  it('reads no more of an answer than its beginning, and waits for no end', async () => {
    const to = await receiver((_, response) => {
      response.writeHead(200);
      const more = (): boolean => response.writable && response.write('x'.repeat(65_536)) && more();
      response.on('drain', more);
      more();
    });
    const { id } = await hook(to);
    await row('one');
    const [delivery] = await waitFor(async () => {
      const found = await deliveries(id);
      return found.length > 0 && found;
    }, LONG);
    expect(delivery).toMatchObject({ outcome: 'delivered', status: 200 });
    expect(delivery?.response.length).toBe(1_000);
  }, 60_000);

  it('says that the table is to be read again when the log does not go back so far', async () => {
    const to = await receiver();
    const { id, secret } = await hook(to);
    expectStatus(await at.owner.patch(`${hooks}/${id}`, { active: false }), 200);
    for (const name of ['one', 'two', 'three']) await row(name);
    const { schema } = at.table.physical;
    await sql(pair.mini, `delete from "${schema}"._change where table_id = $1 and seq <= 2`, [at.table.id]);
    expect(to.got).toEqual([]);
    expectStatus(await at.owner.patch(`${hooks}/${id}`, { active: true }), 200);
    await got(to, 1);
    await row('four');
    await got(to, 2);
    expect(to.got.map(({ body }) => [body.type, body.data.seq, body.data.reason])).toEqual([
      ['reset', 3, 'changes_gone'],
      ['rows.changed', 4, undefined],
    ]);
    expect(isSignedWith(secret, must(to.got[0]))).toBe(true);
  }, 60_000);

  it('is given up when it failed for days, which the audit log and the workspace tell, and goes on from there', async () => {
    const to = await receiver(fails(503));
    const { id } = await hook(to);
    await row('one');
    await waitFor(async () => (await one(id)).failing, LONG);
    await sql(pair.main, `update webhooks set failing_since = now() - interval '4 days', attempts = 50 where id = $1`, [
      id,
    ]);
    await waitFor(async () => (await again(id), (await one(id)).state === 'disabled'), LONG);
    expect((await one(id)).disabledReason).toBe('failing');
    const entries = expectStatus(
      await at.owner.get<{ data: readonly { action: string; actor: { name: string } }[] }>(
        `/workspaces/${at.workspace.id}/audit-logs?action=webhook.disabled`,
      ),
      200,
    ).data;
    expect(entries).toHaveLength(1);
    const told = await sql(
      pair.main,
      `select from workspace_events e join audit_log a on a.id = e.audit_id where a.action = 'webhook.disabled' and a.resource_id = $1`,
      [id],
    );
    expect(told).toHaveLength(1);
    await row('two');
    const so = to.got.length;
    await sleep(2_500);
    expect(to.got.length).toBe(so);
    to.answer = takes;
    expectStatus(await at.owner.patch(`${hooks}/${id}`, { active: true }), 200);
    await waitFor(() => new Set(to.got.map((message) => message.id)).size === 2, LONG);
  }, 60_000);

  it('wants no more when it says so', async () => {
    const to = await receiver(fails(410));
    const { id } = await hook(to);
    await row('one');
    await waitFor(async () => (await one(id)).disabledReason === 'gone', LONG);
    expect(to.got).toHaveLength(1);
  }, 60_000);

  it('stops when the person whose rights it has loses them, and goes on as somebody else', async () => {
    const admin = await member(at, 'admin');
    const to = await receiver();
    const { id } = expectStatus(
      await admin.post<Webhook>(hooks, { name: 'Theirs', url: to.url, tables: [at.table.id] }),
      201,
    );
    await row('one');
    await got(to, 1);
    const members = expectStatus(
      await at.owner.get<{ data: readonly { id: string; user: { id: string } }[] }>(
        `/workspaces/${at.workspace.id}/members`,
      ),
      200,
    ).data;
    const theirs = must(members.find(({ user }) => user.id === admin.user.id));
    expectStatus(await at.owner.patch(`/workspaces/${at.workspace.id}/members/${theirs.id}`, { role: 'editor' }), 200);
    await row('two');
    await waitFor(async () => (await one(id)).disabledReason === 'rights_lost', LONG);
    expect(to.got).toHaveLength(1);
    expect(expectStatus(await at.owner.patch<Webhook>(`${hooks}/${id}`, { active: true }), 200).runsAs).toBe(
      at.owner.user.id,
    );
    await got(to, 2);
  }, 60_000);
});

describe('a webhook of somebody who is suspended', () => {
  it('tells nothing any more, until somebody else switches it on', async () => {
    const admin = await member(at, 'admin');
    const to = await receiver();
    const made = await admin.post<Webhook>(hooks, { name: 'Theirs', url: to.url, tables: [at.table.id] });
    const { id } = expectStatus(made, 201);
    await row('one');
    await got(to, 1);
    await sql(pair.main, `update users set status = 'suspended' where id = $1`, [admin.user.id]);
    await row('two');
    await waitFor(async () => (await one(id)).disabledReason === 'rights_lost', LONG);
    expect(to.got).toHaveLength(1);
    expectStatus(await at.owner.patch(`${hooks}/${id}`, { active: true }), 200);
    await got(to, 2);
  }, 60_000);
});

describe('secrets of webhooks', () => {
  it('are shown once, rotate with an overlap, and are nowhere else', async () => {
    const to = await receiver();
    const { id, secret } = await hook(to);
    // A receiver that says what it knows.
    to.answer = (_, response) => response.writeHead(200).end(`I know ${secret}`);
    await row('one');
    await got(to, 1);
    const rotated = expectStatus(
      await at.owner.post<{ secret: string; previousUntil: string }>(`${hooks}/${id}/secret`, {}),
      200,
    );
    expect(rotated.secret).not.toBe(secret);
    await row('two');
    await got(to, 2);
    expect([secret, rotated.secret].map((each) => isSignedWith(each, must(to.got[1])))).toEqual([true, true]);
    const third = expectStatus(
      await at.owner.post<{ secret: string }>(`${hooks}/${id}/secret`, { overlapSeconds: 0 }),
      200,
    );
    await row('three');
    await got(to, 3);
    expect([secret, rotated.secret, third.secret].map((each) => isSignedWith(each, must(to.got[2])))).toEqual([
      ...[false, false],
      true,
    ]);
    const answers = await Promise.all(
      ['', `/${id}`, `/${id}/deliveries`].map(async (path) => (await at.owner.get(hooks + path)).text),
    );
    expect(answers.join()).toContain('I know [secret]');
    const kept = await sql<{ text: string }>(
      pair.main,
      `select a::text as text from audit_log a where resource_id = $1 union all select o::text from outbox o
       union all select w::text from webhooks w union all select d::text from webhook_deliveries d`,
      [id],
    );
    expect(kept.length).toBeGreaterThan(4);
    for (const each of [secret, rotated.secret, third.secret])
      for (const text of [...answers, ...kept.map((line) => line.text)])
        expect(text.includes(each) || text.includes(each.slice(6))).toBe(false);
  }, 60_000);
});

describe('sending by hand', () => {
  it('tries a receiver, and sends something again as it was', async () => {
    const to = await receiver();
    const { id, secret } = await hook(to);
    const test = expectStatus(await at.owner.post<Delivery>(`${hooks}/${id}/test`), 200);
    expect(test).toMatchObject({ type: 'test', outcome: 'delivered', manual: true, status: 204 });
    expect(to.got.map(({ body }) => body.type)).toEqual(['test']);
    expect(isSignedWith(secret, must(to.got[0]))).toBe(true);
    await row('one');
    await got(to, 2);
    const change = await waitFor(async () => (await deliveries(id)).find(({ type }) => type === 'rows.changed'));
    const sent = expectStatus(await at.owner.post<Delivery>(`${hooks}/${id}/deliveries/${change.id}/redeliver`), 200);
    expect(sent).toMatchObject({ messageId: change.messageId, outcome: 'delivered', manual: true });
    expect(to.got[2]?.text).toBe(to.got[1]?.text);
    to.die();
    expect(expectStatus(await at.owner.post<Delivery>(`${hooks}/${id}/test`), 200)).toMatchObject({
      ...{ outcome: 'failed', status: null, error: 'unreachable' },
    });
    const resend = (delivery: string) => at.owner.post<ProblemBody>(`${hooks}/${id}/deliveries/${delivery}/redeliver`);
    expectStatus(await resend(test.id), 404);
    const { schema } = at.table.physical;
    await sql(pair.mini, `delete from "${schema}"._change where table_id = $1 and seq <= 1`, [at.table.id]);
    expect(expectStatus(await resend(change.id), 410).code).toBe('changes_gone');
  }, 60_000);
});

describe('a webhook that is removed', () => {
  it('while its receiver thinks is not there any more, for whoever tries it and for what was under way', async () => {
    const to = await receiver();
    const waiting: (() => void)[] = [];
    to.answer = (_, response) => void waiting.push(() => response.writeHead(204).end());
    const { id } = await hook(to);
    await row('one');
    await got(to, 1);
    const trying = at.owner.post<ProblemBody>(`${hooks}/${id}/test`);
    await got(to, 2);
    expectStatus(await at.owner.del(`${hooks}/${id}`), 204);
    for (const answer of waiting) answer();
    expect((await trying).body).toMatchObject({ status: 404, code: 'not_found' });
    await row('two');
    await sleep(2_500);
    expect(to.got).toHaveLength(2);
  }, 60_000);
});

describe('what is no webhook', () => {
  it.each([
    ['ftp://example.org/', 'url_invalid'],
    ['not an address', 'url_invalid'],
    ['https://user:password@example.org/', 'url_invalid'],
    ['https://example.org/#part', 'url_invalid'],
    ['http://10.0.0.1/', 'host_not_allowed'],
    ['http://169.254.169.254/latest/meta-data', 'host_not_allowed'],
    ['http://2852039166/', 'host_not_allowed'],
    ['http://[::ffff:10.0.0.1]/', 'host_not_allowed'],
    ['http://0x0a.1/', 'host_not_allowed'],
  ])('refuses the address %s', async (url, code) => {
    const answer = await at.owner.post<ProblemBody>(hooks, { name: 'Hook', url, tables: [at.table.id] });
    const problem = expectStatus(answer, 422);
    expect([problem.code, ...(problem.errors ?? []).map((each) => each.code)]).toContain(code);
    expect(answer.text).not.toContain('password@');
  });

  it('refuses tables of others, none, too many, unknown events, and more webhooks than there may be', async () => {
    const other = await world(base);
    const ask = (over: object) =>
      at.owner.post<ProblemBody>(hooks, { name: 'Hook', url: 'https://example.org', tables: [at.table.id], ...over });
    expect(expectStatus(await ask({ tables: [at.table.id, other.table.id] }), 422).errors?.[0]).toMatchObject({
      ...{ pointer: '/tables/1', code: 'not_found' },
    });
    for (const over of [{ tables: [] }, { tables: ['x'] }, { events: ['rows.read'] }, { events: [] }, { active: true }])
      expectStatus(await ask(over), 422);
    for (let n = 0; n < 20; n++) expectStatus(await ask({}), 201);
    expect(expectStatus(await ask({}), 422).code).toBe('limit_reached');
    const { data } = expectStatus(await at.owner.get<{ data: readonly Webhook[] }>(`${hooks}?limit=50`), 200);
    expect(data).toHaveLength(20);
    const path = `${hooks}/${must(data[0]).id}`;
    expectStatus(await at.owner.del(path), 204);
    expectStatus(await at.owner.get(path), 404);
    expectStatus(await other.owner.get(`/workspaces/${other.workspace.id}/webhooks/${must(data[1]).id}`), 404);
  }, 60_000);
});

const one = async (id: string): Promise<Webhook> => expectStatus(await at.owner.get<Webhook>(`${hooks}/${id}`), 200);

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there should be one');
  return value;
}
