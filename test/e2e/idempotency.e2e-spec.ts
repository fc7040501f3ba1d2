import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { EventBus } from '../../src/modules/events/index.js';
import { KeptAnswers } from '../../src/modules/idempotency/kept-answers.js';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  member,
  PASSWORD,
  signup,
  sleep,
  sql,
  startApp,
  startNode,
  waitFor,
  world,
  type Answer,
  type Client,
  type Person,
  type ProblemBody,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Made {
  readonly id: string;
}
type Told = Made & ProblemBody;

const under = (key: string) => ({ 'idempotency-key': key });
const replayed = (answer: Answer<unknown>) => answer.headers.get('idempotency-replayed');
const refusal = ({ status, body }: Answer<unknown>) => [status, (body as ProblemBody).code];

describe('a request with an idempotency key', () => {
  let pair: TestDatabases;
  let node: TestApp;
  let other: TestApp;
  let owner: Person;
  beforeAll(async () => {
    pair = await databases();
    [node, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
    owner = await signup(node.base);
  }, 60_000);

  /** Somebody at the other node. */
  const elsewhere = ({ accessToken }: Person): Client => client(other.base, accessToken);
  const named = async (name: string): Promise<number> =>
    (await sql(pair.main, 'select from workspaces where name = $1', [name])).length;

  describe('that is repeated', () => {
    it('gets the answer that it got, with its headers, marked as such, on any node', async () => {
      const [key, name] = [randomUUID(), `W ${randomUUID()}`];
      const first = await owner.post<Made>('/workspaces', { name }, under(key));
      expect([first.status, replayed(first)]).toEqual([201, null]);
      for (const by of [owner, elsewhere(owner)]) {
        const again = await by.post<Made>('/workspaces', { name }, under(key));
        expect([again.status, again.text, replayed(again)]).toEqual([201, first.text, 'true']);
        for (const header of ['location', 'content-type'])
          expect(again.headers.get(header)).toBe(first.headers.get(header));
        expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
      }
      expect(await named(name)).toBe(1);
      const entries = await sql(pair.main, 'select from audit_log where workspace_id = $1', [first.body.id]);
      expect(entries).toHaveLength(1);
    });

    it('is the same when its members come in another order, and another when anything else differs', async () => {
      const [key, at] = [randomUUID(), await world(node.base)];
      const add = { email: (await signup(node.base)).email, role: 'viewer' };
      const path = `/workspaces/${at.workspace.id}/members`;
      const first = await at.owner.post<Made>(path, add, under(key));
      const again = await at.owner.post<Made>(path, { role: add.role, email: add.email }, under(key));
      expect([again.status, again.body, replayed(again)]).toEqual([201, first.body, 'true']);
      for (const body of [{ ...add, role: 'editor' }, { email: add.email }, undefined])
        expect(refusal(await at.owner.post(path, body, under(key)))).toEqual([422, 'idempotency_mismatch']);
    });

    it('of PATCH and DELETE is answered too', async () => {
      const at = await world(node.base);
      const path = `/workspaces/${at.workspace.id}`;
      const added = await at.owner.post<Made>(
        `${path}/members`,
        { email: (await signup(node.base)).email, role: 'viewer' },
        {},
      );
      const [patch, remove] = [under(randomUUID()), under(randomUUID())];
      for (const expected of [null, 'true']) {
        const renamed = await at.owner.patch<Made & { name: string }>(path, { name: 'New' }, patch);
        expect([renamed.status, renamed.body.name, replayed(renamed)]).toEqual([200, 'New', expected]);
        const removed = await at.owner.del(`${path}/members/${added.body.id}`, remove);
        expect([removed.status, removed.text, replayed(removed)]).toEqual([204, '', expected]);
      }
    });

    it('and deleted what the path leads through, is answered to whoever deleted it, and to nobody else', async () => {
      const at = await world(node.base);
      const [leaver, admin] = [await member(at, 'viewer'), await member(at, 'admin')];
      const workspace = `/workspaces/${at.workspace.id}`;
      const { data } = expectStatus(
        await at.owner.get<{ data: (Made & { user: Made })[] }>(`${workspace}/members`),
        200,
      );
      const own = data.find(({ user }) => user.id === leaver.user.id)?.id ?? '';
      for (const [by, path] of [
        [leaver, `${workspace}/members/${own}`],
        [at.owner, `/tables/${at.table.id}`],
        [at.owner, `/bases/${at.base.id}`],
        [at.owner, workspace],
      ] as const) {
        const key = under(randomUUID());
        const far = elsewhere(by);
        const answers = [await by.del(path, key), await by.del(path, key), await far.del(path, key)];
        expect([path, answers.map(({ status, text }) => `${status}${text}`)]).toEqual([path, ['204', '204', '204']]);
        expect(answers.map(replayed)).toEqual([null, 'true', 'true']);
        const others = [await by.del(path), await by.del(path, under(randomUUID())), await admin.del(path, key)];
        expect([path, others.map(({ status }) => status)]).toEqual([path, [404, 404, 404]]);
        expect((await client(node.base).del(path, key)).status).toBe(401);
      }
    });

    it('fifty times at once, on two nodes, is done once', async () => {
      const [key, name] = [randomUUID(), `W ${randomUUID()}`];
      const by = [owner, elsewhere(owner)];
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => (by[n % 2] ?? owner).post<Told>('/workspaces', { name }, under(key))),
      );
      const made = answers.filter(({ status }) => status === 201);
      const waiting = answers.filter(({ status }) => status !== 201);
      expect(made.filter((answer) => replayed(answer) === null)).toHaveLength(1);
      expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
      for (const answer of waiting) {
        expect(refusal(answer)).toEqual([409, 'idempotency_in_progress']);
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      expect(await named(name)).toBe(1);
    });

    it('tells its event once, and after the commit', async () => {
      const [key, name] = [randomUUID(), `W ${randomUUID()}`];
      const heard: Promise<number>[] = [];
      const stop = node.app.get(EventBus).on('member.changed', () => void heard.push(named(name)));
      for (let n = 0; n < 3; n++) expectStatus(await owner.post('/workspaces', { name }, under(key)), 201);
      stop();
      expect(await Promise.all(heard)).toEqual([1]);
      await waitFor(async () => (await sql(pair.main, 'select from outbox')).length === 0);
    });
  });

  describe('is another one', () => {
    it('from another caller, on another route, and in lists that are only read', async () => {
      const [key, name] = [randomUUID(), `W ${randomUUID()}`];
      const stranger = await signup(node.base);
      const [mine, theirs] = [
        await owner.post<Made>('/workspaces', { name }, under(key)),
        await stranger.post<Made>('/workspaces', { name }, under(key)),
      ];
      expect([theirs.status, replayed(theirs)]).toEqual([201, null]);
      expect(theirs.body.id).not.toBe(mine.body.id);
      const renamed = await owner.patch(`/workspaces/${mine.body.id}`, { name }, under(key));
      expect([renamed.status, replayed(renamed)]).toEqual([200, null]);
      expect(replayed(await owner.get('/workspaces', under(key)))).toBeNull();
    });

    it('after a day, and what is older is swept', async () => {
      const [key, name] = [randomUUID(), `W ${randomUUID()}`];
      const first = await owner.post<Made>('/workspaces', { name }, under(key));
      await sql(pair.main, `update idempotency_keys set expires_at = now() - interval '1 second'`);
      const second = await owner.post<Made>('/workspaces', { name }, under(key));
      expect([second.status, replayed(second)]).toEqual([201, null]);
      expect(second.body.id).not.toBe(first.body.id);
      expect((await owner.post<Made>('/workspaces', { name }, under(key))).body.id).toBe(second.body.id);
      await sql(
        pair.main,
        `insert into idempotency_keys select sha256(n::text::bytea), '', '', now() - interval '1 hour' from generate_series(1, 2500) n`,
      );
      const [before] = await sql<{ live: number }>(
        pair.main,
        'select count(*)::int as live from idempotency_keys where expires_at > now()',
      );
      const swept = await Promise.all([node, other].map(({ app }) => app.get(KeptAnswers).sweep()));
      expect((swept[0] ?? 0) + (swept[1] ?? 0)).toBeGreaterThanOrEqual(2500);
      expect(await sql(pair.main, 'select count(*)::int as live from idempotency_keys')).toEqual([before]);
    });

    it('when the first one failed: it is judged anew', async () => {
      const [key, at] = [randomUUID(), await world(node.base)];
      const add = () => at.owner.post<Told>(`/workspaces/${at.workspace.id}/bases`, { name: at.base.name }, under(key));
      expect(refusal(await add())).toEqual([409, 'name_taken']);
      expectStatus(await at.owner.del(`/bases/${at.base.id}`), 204);
      const added = await add();
      expect([added.status, replayed(added)]).toEqual([201, null]);
      expect(replayed(await add())).toBe('true');
    });
  });

  describe('whose key', () => {
    const send = async (key: string) => refusal(await owner.post('/workspaces', { name: 'Key' }, under(key)));

    it.each([
      ['is empty', ''],
      ['has 256 characters', 'k'.repeat(256)],
      ['has a tab in it', 'a\tb'],
      ['has a letter beyond ASCII', 'schl\u00fcssel'],
    ])('%s is refused', async (_, key) => {
      const answer = await owner.post<ProblemBody>('/workspaces', { name: 'Key' }, under(key));
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([422, '/Idempotency-Key']);
    });

    it('has 255 characters, or any printable ones, is taken', async () => {
      expect((await send('k'.repeat(255)))[0]).toBe(201);
      expect((await send('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ A'))[0]).toBe(201);
    });

    it('has a control character is refused, whoever finds it first', async () => {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const { hostname, port } = new URL(node.base);
        const call = httpRequest(
          { hostname, port, path: '/api/v1/workspaces', method: 'POST', insecureHTTPParser: true },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        );
        call.on('error', reject);
        // Past the client's own check.
        (call as unknown as { _header: string })._header =
          `POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${owner.accessToken}\r\nIdempotency-Key: a\u0001b\r\nContent-Length: 0\r\n\r\n`;
        call.end();
      });
      expect([400, 422]).toContain(status);
    });

    it('is not looked at in reads', async () => {
      for (const key of [randomUUID(), '', 'x'.repeat(300)])
        expect((await owner.get('/workspaces', under(key))).status).toBe(200);
    });
  });

  describe('and secrets', () => {
    const nobody = () => client(node.base);

    it('registers once, and keeps no token that could be read', async () => {
      const body = { email: `${randomUUID()}@example.org`, password: PASSWORD, name: 'Once' };
      const key = randomUUID();
      const first = await nobody().post<Person>('/auth/register', body, under(key));
      const again = await nobody().post<Person>('/auth/register', body, under(key));
      expect([again.status, again.body]).toEqual([201, first.body]);
      const [stored] = await sql<{ text: string }>(
        pair.main,
        `select string_agg(encode(name, 'escape') || encode(request, 'escape') || encode(answer, 'escape'), ' ') as text from idempotency_keys`,
      );
      for (const secret of [first.body.accessToken, first.body.refreshToken, body.email, PASSWORD, key])
        expect(stored?.text).not.toContain(secret);
      expect(refusal(await nobody().post('/auth/register', { ...body, name: 'Twice' }, under(key)))).toEqual([
        422,
        'idempotency_mismatch',
      ]);
    });

    it('of which an answer opens under no other name', async () => {
      const [a, b] = [randomUUID(), randomUUID()];
      const name = `W ${randomUUID()}`;
      await owner.post('/workspaces', { name }, under(a));
      await owner.post('/workspaces', { name }, under(b));
      await sql(
        pair.main,
        'update idempotency_keys k set answer = o.answer from idempotency_keys o where k.request = o.request and k.name <> o.name',
      );
      expect((await owner.post('/workspaces', { name }, under(a))).status).toBe(500);
    });

    it('refreshes once: the repetition gets the same tokens, and is no second use', async () => {
      const { refreshToken } = await signup(node.base);
      const key = under(randomUUID());
      const first = await nobody().post<Person>('/auth/refresh', { refreshToken }, key);
      const again = await client(other.base).post<Person>('/auth/refresh', { refreshToken }, key);
      expect([again.status, again.body, replayed(again)]).toEqual([200, first.body, 'true']);
      const next = await nobody().post<Person>('/auth/refresh', { refreshToken: first.body.refreshToken });
      expect(next.status).toBe(200);
    });

    it('that were used before end their session, although the answer is an error', async () => {
      const person = await signup(node.base);
      const { refreshToken } = person;
      expectStatus(await nobody().post('/auth/refresh', { refreshToken }), 200);
      const key = under(randomUUID());
      expect(refusal(await nobody().post('/auth/refresh', { refreshToken }, key))).toEqual([
        401,
        'refresh_token_reused',
      ]);
      expect((await person.get('/auth/me')).status).toBe(401);
      const ended = await sql(
        pair.main,
        `select from sessions where user_id = $1 and revoked_reason = 'refresh_token_reused'`,
        [person.user.id],
      );
      expect(ended).toHaveLength(1);
    });

    it('is answered from memory only to whoever may still call', async () => {
      const at = await world(node.base);
      const admin = await member(at, 'admin');
      const path = `/workspaces/${at.workspace.id}/members`;
      const body = { email: (await signup(node.base)).email, role: 'viewer' };
      const key = under(randomUUID());
      expectStatus(await admin.post(path, body, key), 201);
      const { data } = expectStatus(await at.owner.get<{ data: (Made & { user: Made })[] }>(path), 200);
      const own = data.find(({ user }) => user.id === admin.user.id);
      expectStatus(await at.owner.patch(`${path}/${own?.id ?? ''}`, { role: 'viewer' }), 200);
      expect(refusal(await admin.post(path, body, key))).toEqual([403, 'role_too_low']);
      expectStatus(await at.owner.del(`${path}/${own?.id ?? ''}`), 204);
      expect((await admin.post(path, body, key)).status).toBe(404);
      expectStatus(await admin.post('/auth/logout', {}), 204);
      expect((await admin.post(path, body, key)).status).toBe(401);
    });
  });

  it('changes structure once: bases, tables and columns', async () => {
    const at = await world(node.base);
    const twice = async (method: string, path: string, body?: unknown) => {
      const key = under(randomUUID());
      const first = await at.owner.call<Made>(method, path, body, key);
      const again = await elsewhere(at.owner).call<Made>(method, path, body, key);
      expect([again.status, again.text, replayed(again)]).toEqual([first.status, first.text, 'true']);
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
      return first.body;
    };
    const base = await twice('POST', `/workspaces/${at.workspace.id}/bases`, { name: 'Once' });
    const columns = [{ name: 'A', type: 'text' }];
    const table = await twice('POST', `/bases/${base.id}/tables`, { name: 'Once', columns });
    const column = await twice('POST', `/tables/${table.id}/columns`, { name: 'B', type: 'integer' });
    await twice('PATCH', `/tables/${table.id}/columns/${column.id}`, { name: 'C' });
    await twice('DELETE', `/tables/${table.id}/columns/${column.id}`);
    await twice('PATCH', `/bases/${base.id}`, { name: 'Renamed' });
    expect(await sql(pair.main, 'select from tables where base_id = $1', [base.id])).toHaveLength(1);
  });

  it('undoes what it wrote, and tells nobody, when its answer cannot be kept', async () => {
    const name = `W ${randomUUID()}`;
    let heard = 0;
    const stop = node.app.get(EventBus).on('member.changed', () => {
      heard++;
    });
    await sql(
      pair.main,
      `create function full_disk() returns trigger language plpgsql as $$ begin raise exception using errcode = '53100'; end $$`,
    );
    await sql(
      pair.main,
      'create trigger full_disk before insert on idempotency_keys for each row execute function full_disk()',
    );
    const answer = await owner.post('/workspaces', { name }, under(randomUUID()));
    await sql(pair.main, 'drop function full_disk cascade');
    stop();
    expect(refusal(answer)).toEqual([503, 'database_unavailable']);
    expect([await named(name), heard]).toEqual([0, 0]);
  });

  it('needs no connection that others wait for: 200 at once on a pool of four', async () => {
    const small = await startApp({ databases: pair, env: { DB_POOL_SIZE: '4' } });
    const by = client(small.base, owner.accessToken);
    const name = `W ${randomUUID()}`;
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => by.post('/workspaces', { name }, under(randomUUID()))),
    );
    expect(new Map(answers.map((answer) => [answer.status, answer.text.slice(0, 60)] as const)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    expect(await named(name)).toBe(200);
    await small.close();
  });
});

describe('a node that is killed', () => {
  let pair: TestDatabases;
  let at: World;
  beforeAll(async () => {
    pair = await databases();
    at = await world((await startApp({ databases: pair })).base);
  }, 60_000);

  /** Kills a node when it comes to write to this table, and repeats the request on another one. */
  async function killedAndRepeated(
    path: string,
    body: object,
    table = 'idempotency_keys',
    where = pair.main,
  ): Promise<Answer<Told>> {
    const [doomed, survivor] = await Promise.all([startNode({ databases: pair }), startNode({ databases: pair })]);
    const key = under(randomUUID());
    await asSuperuser(where.database, async (session) => {
      await session.query('begin');
      await session.query(`lock table ${table} in share row exclusive mode`);
      const lost = client(doomed.base, at.owner.accessToken)
        .post(path, body, key)
        .then(
          () => 'answered',
          () => 'lost',
        );
      // Seen by another session: within a transaction the view does not change.
      const hanging = `select from pg_locks where not granted and relation = '${table}'::regclass and database = (select oid from pg_database where datname = current_database())`;
      await waitFor(async () => (await sql(where, hanging)).length === 1, 20_000);
      const meanwhile = await client(survivor.base, at.owner.accessToken).post(path, body, key);
      expect(refusal(meanwhile)).toEqual([409, 'idempotency_in_progress']);
      await doomed.kill9();
      expect(await lost).toBe('lost');
      await session.query('rollback');
    });
    const repeat = () => client(survivor.base, at.owner.accessToken).post<Told>(path, body, key);
    for (let tries = 0; ; tries++) {
      const answer = await repeat();
      // PostgreSQL finds out that its client is gone when it talks to it next.
      if (answer.status === 409 && answer.body.code === 'idempotency_in_progress' && tries < 100) await sleep(50);
      else {
        const again = await repeat();
        expect([again.status, again.text, replayed(again)]).toEqual([answer.status, answer.text, 'true']);
        await Promise.all([survivor.term(), doomed.ended]);
        return answer;
      }
    }
  }

  it('between the write and the answer has done nothing, and the repetition does it once', async () => {
    const name = `W ${randomUUID()}`;
    const answer = await killedAndRepeated('/workspaces', { name });
    expect([answer.status, replayed(answer)]).toEqual([201, null]);
    expect(await sql(pair.main, 'select id from workspaces where name = $1', [name])).toEqual([{ id: answer.body.id }]);
    expect(await sql(pair.main, 'select from audit_log where workspace_id = $1', [answer.body.id])).toHaveLength(1);
  }, 120_000);

  describe.each([
    ['is answered', 'idempotency_keys', 'main'],
    ['is in the metadata', 'audit_log', 'main'],
    ['is in the mini-DB', '_stream', 'mini'],
  ] as const)('before a change of structure %s', (_, table, which) => {
    it('has done it or not, and the repetition is answered with the one thing that was made', async () => {
      const name = `Survivor ${table}`;
      const [base] = await sql<{ schema: string }>(pair.main, 'select schema_name as schema from bases where id = $1', [
        at.base.id,
      ]);
      const answer = await killedAndRepeated(
        `/bases/${at.base.id}/tables`,
        { name, columns: [{ name: 'A', type: 'text' }] },
        which === 'mini' ? `"${base?.schema ?? ''}".${table}` : table,
        pair[which],
      );
      expect(answer.status).toBe(201);
      expect(answer.headers.get('location')).toBe(`/api/v1/tables/${answer.body.id}`);
      const tables = await at.owner.get<{ data: Table[] }>(`/bases/${at.base.id}/tables`);
      expect(tables.body.data.filter((each) => each.name === name)).toEqual([answer.body]);
      const made = await sql(pair.main, `select from audit_log where action = 'table.created' and resource_name = $1`, [
        name,
      ]);
      expect(made).toHaveLength(1);
      expect(await sql(pair.main, `select from schema_ops where state = 'pending'`)).toEqual([]);
    }, 120_000);
  });
});
