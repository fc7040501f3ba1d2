import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import {
  client,
  databases,
  expectStatus,
  PASSWORD,
  redis,
  signup,
  sql,
  startApp,
  waitFor,
  type ProblemBody,
  type TestApp,
} from '../harness/index.js';

interface SignedIn {
  readonly user: { readonly id: string; readonly email: string };
  readonly accessToken: string;
  readonly refreshToken: string;
}
interface Session {
  readonly id: string;
  readonly current: boolean;
}

const freshEmail = (): string => `${randomUUID()}@example.org`;
const count = (statuses: readonly number[], status: number): number =>
  statuses.filter((each) => each === status).length;

describe('auth', () => {
  let node: TestApp;
  let other: TestApp;
  const anybody = () => client(node.base);
  const login = (email: string, password = PASSWORD) => anybody().post<SignedIn>('/auth/login', { email, password });
  const refresh = (refreshToken: string, base = node.base) =>
    client(base).post<SignedIn & ProblemBody>('/auth/refresh', { refreshToken });

  beforeAll(async () => {
    const pair = await databases();
    [node, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  }, 60_000);

  describe('register', () => {
    it('answers with the account and a pair of tokens, and says where the account is', async () => {
      const email = freshEmail();
      const answer = await anybody().post<SignedIn>('/auth/register', {
        email,
        password: PASSWORD,
        name: '  Zoe\u0301 ',
      });
      expect(answer.status).toBe(201);
      expect(answer.headers.get('location')).toBe('/api/v1/auth/me');
      expect(answer.body).toEqual({
        user: { id: expect.any(String), email, name: 'Zo\u00e9', createdAt: expect.stringMatching(/T.*\.\d{3}Z$/) },
        accessToken: expect.any(String),
        refreshToken: expect.stringMatching(/^[\w-]{43}$/),
        tokenType: 'Bearer',
        expiresIn: 900,
      });
      const me = await client(node.base, answer.body.accessToken).get('/auth/me');
      expect(me.body).toEqual(answer.body.user);
    });

    it('keeps neither passwords nor refresh tokens in a readable form', async () => {
      const person = await signup(node.base);
      const [row] = await sql<{ password_hash: string; token: string }>(
        node.config.mainDb,
        `select u.password_hash, encode(t.token_hash, 'hex') as token from users u
           join sessions s on s.user_id = u.id join refresh_tokens t on t.session_id = s.id where u.id = $1`,
        [person.user.id],
      );
      expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect(row?.token).toMatch(/^[0-9a-f]{64}$/);
      const log = await sql<{ all: string }>(
        node.config.mainDb,
        'select jsonb_agg(a)::text as all from audit_log a where actor_id = $1',
        [person.user.id],
      );
      expect(log[0]?.all).toContain('user.registered');
      expect(log[0]?.all).not.toContain('argon2');
    });

    it('makes one account of ten registrations at once, in whatever letter case', async () => {
      const email = freshEmail();
      const spellings = Array.from({ length: 10 }, (_, n) => (n % 2 ? email.toUpperCase() : ` ${email}`));
      const answers = await Promise.all(
        spellings.map((spelling, n) =>
          client(n % 3 ? node.base : other.base).post<ProblemBody>('/auth/register', {
            email: spelling,
            password: PASSWORD,
            name: 'A',
          }),
        ),
      );
      const statuses = answers.map(({ status }) => status);
      expect(count(statuses, 201)).toBe(1);
      expect(count(statuses, 409)).toBe(9);
      expect(answers.find(({ status }) => status === 409)?.body.code).toBe('email_taken');
      const rows = await sql(node.config.mainDb, 'select email from users where lower(email) = $1', [email]);
      expect(rows).toEqual([{ email }]);
    });

    const good = { email: 'hostile@example.org', password: PASSWORD, name: 'Ada' };
    it.each([
      ['an array as e-mail', { ...good, email: ['a@example.org'] }],
      ['an object as e-mail', { ...good, email: { $ne: null } }],
      ['an e-mail without a domain', { ...good, email: 'ada' }],
      ['an e-mail with a NUL', { ...good, email: 'a\u0000da@example.org' }],
      ['an e-mail with a line break', { ...good, email: 'ada@example.org\nBcc: x@example.org' }],
      ['an e-mail with a quoted line break', { ...good, email: '"hostile\r\nBcc:x"@example.org' }],
      ['an e-mail with a zero-width space', { ...good, email: 'hostile\u200b@example.org' }],
      ['an e-mail that turns the reading direction', { ...good, email: 'hostile\u202e@example.org' }],
      ['an e-mail of 300 characters', { ...good, email: `${'a'.repeat(290)}@example.org` }],
      ['an e-mail with a lone surrogate', { ...good, email: 'a\ud800@example.org' }],
      ['an array as password', { ...good, password: [PASSWORD] }],
      ['a number as password', { ...good, password: 123456789012 }],
      ['a password of 11 characters', { ...good, password: 'xK9#mQ2$vL5' }],
      ['a password of 129 characters', { ...good, password: 'xK9#mQ2$v'.repeat(15).slice(0, 129) }],
      ['a password of 100 kB', { ...good, password: 'xK9#mQ2$v L'.repeat(10_000) }],
      ['a common password', { ...good, password: 'Password1234!' }],
      ['the own address as password', { ...good, password: 'hostile@example.org' }],
      ['a password with a lone surrogate', { ...good, password: 'long enough \udc00 but broken' }],
      ['a name of blanks', { ...good, name: '  \t ' }],
      ['a name of 256 characters', { ...good, name: 'a'.repeat(256) }],
      ['a name with a NUL', { ...good, name: 'A\u0000da' }],
      ['a name with a lone surrogate', { ...good, name: 'A\ud800' }],
      ['an object as name', { ...good, name: { toString: 'x' } }],
      ['no name', { email: good.email, password: good.password }],
      ['an unknown property', { ...good, role: 'admin' }],
      ['a property named constructor', { ...good, constructor: { prototype: { status: 'x' } } }],
      ['an array', [good]],
      ['null', 'null'],
      ['a string', '"x"'],
      [
        '__proto__',
        `{"email":"hostile@example.org","password":"${PASSWORD}","name":"Ada","__proto__":{"status":"suspended"}}`,
      ],
      ['half a document', '{"email":'],
    ])('refuses %s', async (_what, body) => {
      const answer = await anybody().post<ProblemBody>('/auth/register', body, { 'content-type': 'application/json' });
      expect([400, 422]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body.status).toBe(answer.status);
      expect(await sql(node.config.mainDb, 'select from users where email like $1', ['hostile%'])).toHaveLength(0);
    });

    it('names each bad field by pointer and code', async () => {
      const { body } = await anybody().post<ProblemBody>('/auth/register', {
        email: 'x',
        password: 'short',
        name: '',
        extra: 1,
      });
      const found = body.errors?.map(({ pointer, code }) => `${pointer} ${code}`).sort();
      expect(found).toEqual([
        '/email is_email',
        '/extra unknown_property',
        '/name is_name',
        '/password password_length',
      ]);
    });

    it('counts characters of a password, not bytes or code units', async () => {
      await signup(node.base, { password: '🐎🔋📎✅🐴🪫🖇🎠🏇🦄🐪🦙' });
      const { body } = await anybody().post<ProblemBody>('/auth/register', {
        ...good,
        password: '🐎🔋📎✅🐴🪫🖇🎠🏇🦄🐪',
      });
      expect(body.errors?.[0]?.code).toBe('password_length');
    });
  });

  describe('login', () => {
    it('takes the address in any letter case and opens a session of its own', async () => {
      const person = await signup(node.base);
      const again = expectStatus(await login(person.email.toUpperCase()), 200);
      expect(again.user).toEqual(person.user);
      const { body } = await person.get<{ data: Session[] }>('/auth/sessions');
      expect(body.data).toHaveLength(2);
    });

    it('says the same, in about the same time, about a wrong password and an unknown address', async () => {
      const person = await signup(node.base);
      const timed = async (email: string) => {
        const start = performance.now();
        const { status, body } = await anybody().post<ProblemBody>('/auth/login', {
          email,
          password: 'not the password at all',
        });
        return { ms: performance.now() - start, status, code: body.code, detail: body.detail };
      };
      const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
      const rounds = { wrong: [] as number[], unknown: [] as number[] };
      for (let round = 0; round < 9; round++) {
        const wrong = await timed(person.email);
        const unknown = await timed(freshEmail());
        expect(unknown).toEqual({ ...wrong, ms: expect.any(Number) });
        expect(wrong).toMatchObject({ status: 401, code: 'invalid_credentials' });
        rounds.wrong.push(wrong.ms);
        rounds.unknown.push(unknown.ms);
      }
      // Without the decoy the unknown address answers in a tenth of the time.
      expect(median(rounds.unknown)).toBeGreaterThan(median(rounds.wrong) * 0.5);
      expect(median(rounds.unknown)).toBeLessThan(median(rounds.wrong) * 2);
    });

    it.each([['suspended'], ['deleted']])('refuses an account that is %s', async (status) => {
      const person = await signup(node.base);
      await sql(node.config.mainDb, 'update users set status = $2 where id = $1', [person.user.id, status]);
      expect((await login(person.email)).status).toBe(401);
    });

    it('takes a password that was typed in another Unicode form', async () => {
      const { email } = await signup(node.base, { password: 'cafe\u0301 au lait, s\u2019il vous pla\u00eet' });
      expect((await login(email, 'caf\u00e9 au lait, s\u2019il vous plai\u0302t')).status).toBe(200);
    });
  });

  describe('refresh', () => {
    it('gives a new pair; both access tokens are good for the session', async () => {
      const person = await signup(node.base);
      const next = expectStatus(await refresh(person.refreshToken), 200);
      expect(next.refreshToken).not.toBe(person.refreshToken);
      expect(next.accessToken).not.toBe(person.accessToken);
      expect(next.user).toEqual(person.user);
      expect((await client(node.base, next.accessToken).get('/auth/me')).status).toBe(200);
      expect((await person.get('/auth/me')).status).toBe(200);
      expect((await refresh(next.refreshToken)).status).toBe(200);
    });

    it('ends the whole session when a token is used twice, and writes that down', async () => {
      const person = await signup(node.base);
      const next = expectStatus(await refresh(person.refreshToken), 200);
      const reuse = await refresh(person.refreshToken);
      expect(reuse.status).toBe(401);
      expect(reuse.body.code).toBe('refresh_token_reused');
      expect((await client(node.base, next.accessToken).get('/auth/me')).status).toBe(401);
      expect((await refresh(next.refreshToken)).body.code).toBe('refresh_token_invalid');
      const entries = await sql<{ after: object }>(
        node.config.mainDb,
        `select after from audit_log where actor_id = $1 and action = 'session.revoked'`,
        [person.user.id],
      );
      expect(entries).toEqual([{ after: { reason: 'refresh_token_reused' } }]);
      expect((await login(person.email)).status).toBe(200); // the account itself is unharmed
    });

    it('lets exactly one of 50 calls at once succeed, over two nodes', async () => {
      const person = await signup(node.base);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => refresh(person.refreshToken, n % 2 ? node.base : other.base)),
      );
      expect(
        count(
          answers.map(({ status }) => status),
          200,
        ),
      ).toBe(1);
      const refused = answers.filter(({ status }) => status === 401);
      expect(refused).toHaveLength(49);
      expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['refresh_token_reused']));
      const [tokens] = await sql<{ unused: string }>(
        node.config.mainDb,
        `select count(*) filter (where used_at is null) as unused from refresh_tokens t
           join sessions s on s.id = t.session_id where s.user_id = $1`,
        [person.user.id],
      );
      expect(tokens?.unused).toBe('1');
    });

    it.each([
      ['an unknown token', { refreshToken: 'x'.repeat(43) }, 401, 'refresh_token_invalid'],
      ['an array', { refreshToken: ['x'] }, 422, 'validation_failed'],
      ['nothing', {}, 422, 'validation_failed'],
      ['100 kB', { refreshToken: 'x'.repeat(100_000) }, 422, 'validation_failed'],
    ])('refuses %s', async (_what, body, status, code) => {
      const answer = await anybody().post<ProblemBody>('/auth/refresh', body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    });

    it('refuses an access token in its place, an expired token, and those of suspended people', async () => {
      const person = await signup(node.base);
      expect((await refresh(person.accessToken)).status).toBe(401);
      const old = await signup(node.base);
      await sql(
        node.config.mainDb,
        `update refresh_tokens t set expires_at = now() - interval '1 second' from sessions s where s.id = t.session_id and s.user_id = $1`,
        [old.user.id],
      );
      expect((await refresh(old.refreshToken)).body.code).toBe('refresh_token_invalid');
      await sql(node.config.mainDb, `update users set status = 'suspended' where id = $1`, [person.user.id]);
      expect((await refresh(person.refreshToken)).body.code).toBe('refresh_token_invalid');
    });
  });

  describe('logout', () => {
    it('is felt by the very next request here, and within 5 s on another node without Redis', async () => {
      const person = await signup(node.base);
      const elsewhere = client(other.base, person.accessToken);
      expect((await elsewhere.get('/auth/me')).status).toBe(200);
      expect((await person.post('/auth/logout')).status).toBe(204);
      const ended = Date.now();
      const refused = await person.get<ProblemBody>('/auth/me');
      expect([refused.status, refused.body.code]).toEqual([401, 'unauthenticated']);
      expect(refused.headers.get('www-authenticate')).toContain('Bearer');
      expect((await refresh(person.refreshToken)).status).toBe(401);
      await waitFor(async () => (await elsewhere.get('/auth/me')).status === 401, 8_000);
      expect(Date.now() - ended).toBeLessThan(5_500);
    }, 20_000);

    it('ends this session only, or with everywhere all of them', async () => {
      const person = await signup(node.base);
      const second = client(node.base, expectStatus(await login(person.email), 200).accessToken);
      const third = client(node.base, expectStatus(await login(person.email), 200).accessToken);
      expect((await second.post('/auth/logout', {})).status).toBe(204);
      expect((await person.get('/auth/me')).status).toBe(200);
      expect((await person.post('/auth/logout', { everywhere: true })).status).toBe(204);
      expect((await third.get('/auth/me')).status).toBe(401);
      expect((await person.get('/auth/me')).status).toBe(401);
    });

    it('refuses what is not a boolean, and stays signed in', async () => {
      const person = await signup(node.base);
      expect((await person.post('/auth/logout', { everywhere: 'yes' })).status).toBe(422);
      expect((await person.get('/auth/me')).status).toBe(200);
    });
  });

  describe('sessions', () => {
    it('lists the own ones, newest first, in pages, and marks the current one', async () => {
      const person = await signup(node.base);
      for (let n = 0; n < 2; n++) expectStatus(await login(person.email), 200);
      const first = await person.get<{ data: Session[]; page: { limit: number; nextCursor: string } }>(
        '/auth/sessions?limit=2',
      );
      expect(first.body.data.map(({ current }) => current)).toEqual([false, false]);
      const rest = await person.get<{ data: Session[]; page: object }>(
        `/auth/sessions?limit=2&cursor=${first.body.page.nextCursor}`,
      );
      expect(rest.body.data.map(({ current }) => current)).toEqual([true]);
      expect(rest.body.page).toEqual({ limit: 2 });
    });

    it('ends one of them; those of others do not exist', async () => {
      const person = await signup(node.base);
      const second = client(node.base, expectStatus(await login(person.email), 200).accessToken);
      const { body } = await person.get<{ data: Session[] }>('/auth/sessions');
      const id = body.data.find(({ current }) => !current)?.id ?? '';
      const stranger = await signup(node.base);
      expect((await stranger.del(`/auth/sessions/${id}`)).status).toBe(404);
      expect((await second.get('/auth/me')).status).toBe(200);
      expect((await person.del(`/auth/sessions/${id}`)).status).toBe(204);
      expect((await second.get('/auth/me')).status).toBe(401);
      expect((await person.del(`/auth/sessions/${id}`)).status).toBe(404);
      expect((await person.del('/auth/sessions/1%27%20or%201=1')).status).toBe(404);
    });

    it.each([['x'], ['AAAA'], ['%00'], ['0'.repeat(400)]])('refuses the cursor %s', async (cursor) => {
      const person = await signup(node.base);
      const answer = await person.get<ProblemBody>(`/auth/sessions?cursor=${cursor}`);
      expect([answer.status, answer.body.code]).toEqual([400, 'cursor_invalid']);
    });
  });

  it('asks the database nothing for a token that it knows', async () => {
    const person = await signup(node.base);
    const path = '/auth/sessions?limit=0'; // refused by its content, after the guards
    expect((await person.get(path)).status).toBe(422);
    let queries = 0;
    const { master } = node.app.get(DataSource).driver as unknown as { readonly master: EventEmitter };
    const count = () => queries++;
    master.on('acquire', count);
    await Promise.all(Array.from({ length: 200 }, () => person.get(path)));
    master.off('acquire', count);
    expect(queries).toBeLessThan(50); // background work's own, more of it the slower the machine; one a request would be 200
    expect((await person.get('/auth/me')).status).toBe(200);
  });
});

describe('two nodes with Redis', () => {
  it('refuse a session as soon as the other one ended it', async () => {
    const shared = { databases: await databases(), redis: await redis() };
    const [here, there] = await Promise.all([startApp(shared), startApp(shared)]);
    const person = await signup(here.base);
    const elsewhere = client(there.base, person.accessToken);
    // Fresh in the other node's memory, and too young there to be looked up again by itself.
    expect((await elsewhere.get('/workspaces')).status).toBe(200);
    expect((await person.post('/auth/logout')).status).toBe(204);
    const ended = Date.now();
    await waitFor(async () => (await elsewhere.get('/workspaces')).status === 401, 1_400, 10);
    expect(Date.now() - ended).toBeLessThan(1_400);
  }, 60_000);
});
