import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  mailbox,
  PASSWORD,
  signup,
  sleep,
  sql,
  startApp,
  startNode,
  waitFor,
  type Mailbox,
  type Person,
  type ProblemBody,
  type TestApp,
} from '../harness/index.js';
import { byStatus, tokenIn } from '../support/people.js';

interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const NEW = 'another fine phrase 77';
const codeOf = ({ status, body }: { readonly status: number; readonly body: ProblemBody }) => [status, body.code];

describe('passwords', () => {
  let mail: Mailbox;
  let node: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    mail = await mailbox();
    const options = { databases: await databases(), env: { SMTP_URL: mail.url, APP_URL: 'https://app.example.org/' } };
    [node, other] = await Promise.all([startApp(options), startApp(options)]);
  }, 60_000);

  const anybody = (base = node.base) => client(base);
  const login = (email: string, password = PASSWORD, base = node.base) =>
    client(base).post<SignedIn & ProblemBody>('/auth/login', { email, password });
  const change = (person: Person, currentPassword = PASSWORD, newPassword = NEW) =>
    person.post<ProblemBody>('/auth/password', { currentPassword, newPassword });
  const forgot = (email: string) => anybody().post<undefined>('/auth/password/forgot', { email });
  const reset = (token: string, newPassword = NEW, base = node.base) =>
    client(base).post<ProblemBody>('/auth/password/reset', { token, newPassword });
  const actions = (userId: string) =>
    sql<{ action: string }>(
      node.config.mainDb,
      `select action from audit_log where resource_id = $1 or actor_id = $1 order by id`,
      [userId],
    ).then((rows) => rows.map(({ action }) => action));

  describe('a change', () => {
    it('keeps this session, ends all others on both nodes, and swaps the passwords', async () => {
      const person = await signup(node.base);
      const second = expectStatus(await login(person.email), 200);
      const elsewhere = client(other.base, second.accessToken);
      expectStatus(await elsewhere.get('/auth/me'), 200);
      expectStatus(await change(person), 204);
      expectStatus(await person.get('/auth/me'), 200);
      expect((await client(node.base, second.accessToken).get('/auth/me')).status).toBe(401);
      await waitFor(async () => (await elsewhere.get('/auth/me')).status === 401, 5_000);
      expect((await anybody().post('/auth/refresh', { refreshToken: second.refreshToken })).status).toBe(401);
      expect(codeOf(await login(person.email))).toEqual([401, 'invalid_credentials']);
      expectStatus(await login(person.email, NEW), 200);
      expectStatus(await anybody().post('/auth/refresh', { refreshToken: person.refreshToken }), 200);
      expect(await actions(person.user.id)).toEqual(
        expect.arrayContaining(['user.password_changed', 'session.revoked']),
      );
      expect((await mail.to(person.email)).text).toContain('Your password was changed');
    });

    it.each([
      ['a wrong current password', 'not the password at all', NEW, 401, 'invalid_credentials'],
      ['a short new one', PASSWORD, 'short', 422, 'validation_failed'],
      ['a common new one', PASSWORD, 'Password1234!', 422, 'validation_failed'],
      ['a new one of 100 kB', PASSWORD, 'xK9#mQ2$v L'.repeat(10_000), 422, 'validation_failed'],
      ['a current one of 100 kB', 'xK9#mQ2$v L'.repeat(10_000), NEW, 422, 'validation_failed'],
    ])('is refused for %s, and nothing changes', async (_what, current, next, status, code) => {
      const person = await signup(node.base);
      expect(codeOf(await change(person, current, next))).toEqual([status, code]);
      expectStatus(await login(person.email), 200);
    });

    it('to the own address is refused at its pointer', async () => {
      const person = await signup(node.base);
      const { body } = await change(person, PASSWORD, person.email.toUpperCase());
      expect(body.errors).toEqual([expect.objectContaining({ pointer: '/newPassword', code: 'password_common' })]);
    });

    it('takes no further properties, arrays or objects', async () => {
      const person = await signup(node.base);
      const good = { currentPassword: PASSWORD, newPassword: NEW };
      for (const body of [
        { ...good, userId: randomUUID() },
        { ...good, newPassword: [NEW] },
        { ...good, currentPassword: { $ne: '' } },
        [good],
        {},
      ])
        expect((await person.post('/auth/password', body)).status).toBe(422);
      expect((await anybody().post('/auth/password', good)).status).toBe(401);
    });

    it('of two at once is the first; the other one finds that the password is wrong', async () => {
      const person = await signup(node.base);
      const twice = await Promise.all(
        ['first of two phrases', 'second of two phrases'].map((next) => change(person, PASSWORD, next)),
      );
      expect(byStatus(twice)).toEqual({ 204: 1, 401: 1 });
    });

    it('leaves no session that began with the old password, however the sign-ins meet it', async () => {
      const person = await signup(node.base);
      const [changed, ...logins] = await Promise.all([
        sleep(30).then(() => change(person)),
        ...Array.from({ length: 16 }, (_, n) => login(person.email, PASSWORD, n % 2 ? node.base : other.base)),
      ]);
      expectStatus(changed, 204);
      const opened = logins.filter(({ status }) => status === 200).map(({ body }) => body.accessToken);
      for (const token of opened)
        await waitFor(async () => (await client(node.base, token).get('/auth/me')).status === 401, 5_000);
      const [alive] = await sql<{ n: string }>(
        node.config.mainDb,
        'select count(*) as n from sessions where user_id = $1 and revoked_at is null',
        [person.user.id],
      );
      expect(alive?.n).toBe('1');
    });
  });

  describe('a forgotten password', () => {
    it('is replaced by the link in the mail: once, and every session ends', async () => {
      const person = await signup(node.base);
      expectStatus(await forgot(` ${person.email.toUpperCase()} `), 202);
      const { text } = await mail.to(person.email);
      expect(text).toContain('https://app.example.org/reset-password?token=');
      const token = tokenIn(text);
      expectStatus(await reset(token), 204);
      expect((await person.get('/auth/me')).status).toBe(401);
      expectStatus(await login(person.email, NEW), 200);
      expect((await login(person.email)).status).toBe(401);
      expect(codeOf(await reset(token, 'yet another phrase 78'))).toEqual([401, 'reset_token_invalid']);
      expect(await actions(person.user.id)).toEqual(
        expect.arrayContaining(['user.password_reset_sent', 'user.password_reset']),
      );
    });

    it('is the same answer for an address that nobody has, to which no mail goes', async () => {
      const person = await signup(node.base);
      const nobody = `${randomUUID()}@example.org`;
      const [unknown, known] = [await forgot(nobody), await forgot(person.email)];
      expect(unknown.status).toBe(202);
      expect([unknown.status, unknown.text]).toEqual([known.status, known.text]);
      await mail.to(person.email); // ordered later, so the other one has been looked at
      await waitFor(async () => (await sql(node.config.mainDb, 'select from queued_mails')).length === 0);
      expect(mail.mails.filter(({ to }) => to === nobody)).toEqual([]);
    });

    it('takes the same time for both', async () => {
      const person = await signup(node.base);
      const timed = async (email: string) => {
        const start = performance.now();
        await forgot(email);
        return performance.now() - start;
      };
      const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
      const [known, unknown]: [number[], number[]] = [[], []];
      for (let round = 0; round < 15; round++) {
        known.push(await timed(person.email));
        unknown.push(await timed(`${randomUUID()}@example.org`));
      }
      expect(median(known)).toBeLessThan(median(unknown) * 2 + 3);
      expect(median(unknown)).toBeLessThan(median(known) * 2 + 3);
    });

    it('asked for again keeps the earlier links alive, until one of them is used', async () => {
      const person = await signup(node.base);
      const links = async (count: number) =>
        waitFor(() => {
          const mails = mail.mails.filter(({ to, text }) => to === person.email && text.includes('token='));
          return mails.length === count && mails.map(({ text }) => tokenIn(text));
        });
      await forgot(person.email);
      await links(1);
      await forgot(person.email);
      const [first = '', second = ''] = await links(2);
      expectStatus(await reset(first), 204);
      expect((await reset(second)).status).toBe(401);
    });

    it('floods nobody: an address gets ten such mails an hour', async () => {
      const person = await signup(node.base);
      await Promise.all(Array.from({ length: 25 }, () => forgot(person.email)));
      await waitFor(async () => (await sql(node.config.mainDb, 'select from queued_mails')).length === 0, 15_000);
      expect(mail.mails.filter(({ to }) => to === person.email)).toHaveLength(10);
      const [row] = await sql<{ all: string }>(
        node.config.mainDb,
        'select json_agg(r)::text as all from mail_receivers r',
      );
      expect(row?.all).not.toContain(person.email);
    }, 30_000);

    it('lets one of twenty calls with a link succeed, over two nodes', async () => {
      const person = await signup(node.base);
      await forgot(person.email);
      const token = tokenIn((await mail.to(person.email)).text);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          reset(token, `phrase number ${n} of many`, n % 2 ? node.base : other.base),
        ),
      );
      expect(byStatus(answers)).toEqual({ 204: 1, 401: 19 });
      const won = answers.findIndex(({ status }) => status === 204);
      expectStatus(await login(person.email, `phrase number ${won} of many`), 200);
    });

    it('is not replaced by a link that expired, nor for an account that is suspended or changed its password since', async () => {
      const people = await Promise.all([signup(node.base), signup(node.base), signup(node.base)]);
      const [late, suspended, changed] = people;
      for (const { email } of people) await forgot(email);
      const tokens = await Promise.all(people.map(async ({ email }) => tokenIn((await mail.to(email)).text)));
      await sql(node.config.mainDb, `update password_resets set expires_at = now() where user_id = $1`, [late.user.id]);
      await sql(node.config.mainDb, `update users set status = 'suspended' where id = $1`, [suspended.user.id]);
      expectStatus(await change(changed), 204);
      for (const token of tokens)
        expect(codeOf(await reset(token, 'phrase of a thief'))).toEqual([401, 'reset_token_invalid']);
      await forgot(suspended.email);
      const before = mail.mails.length;
      await waitFor(async () => (await sql(node.config.mainDb, 'select from queued_mails')).length === 0);
      expect(mail.mails.slice(before).filter(({ to }) => to === suspended.email)).toEqual([]);
    });

    it('refuses bad tokens and bad passwords, and a refused password does not use the link up', async () => {
      const person = await signup(node.base);
      await forgot(person.email);
      const token = tokenIn((await mail.to(person.email)).text);
      for (const bad of ['x'.repeat(43), token.slice(1), `${token}x`, '\0', '%00'])
        expect(codeOf(await reset(bad))).toEqual([401, 'reset_token_invalid']);
      for (const bad of ['', 'x'.repeat(600), ['x'], { $gt: '' }, null, 7])
        expect((await anybody().post('/auth/password/reset', { token: bad, newPassword: NEW })).status).toBe(422);
      for (const bad of ['short', 'Password1234!', person.email]) expect((await reset(token, bad)).status).toBe(422);
      expectStatus(await reset(token), 204);
    });

    it('leaves no link readable in the database, queued or used', async () => {
      const person = await signup(node.base);
      mail.refuse(451);
      await forgot(person.email);
      const offered = mail.offered();
      await waitFor(() => mail.offered() > offered);
      const dump = await sql<{ all: string }>(
        node.config.mainDb,
        `select (select json_agg(q) from queued_mails q)::text || (select json_agg(r) from password_resets r)::text as all`,
      );
      expect(dump[0]?.all).not.toContain(person.email);
      expect(dump[0]?.all).not.toContain('reset-password');
      mail.refuse(0);
      await sql(node.config.mainDb, 'update queued_mails set next_at = now()');
      expectStatus(await reset(tokenIn((await mail.to(person.email, 15_000)).text)), 204);
    }, 30_000);

    it('gives a mail up that the mail server refuses for good', async () => {
      const person = await signup(node.base);
      mail.refuse(550);
      const offered = mail.offered();
      await forgot(person.email);
      await waitFor(() => mail.offered() > offered, 30_000);
      // A mail of an earlier test may still wait for its second try: ten seconds, and the sweep's five.
      await waitFor(async () => (await sql(node.config.mainDb, 'select from queued_mails')).length === 0, 30_000);
      mail.refuse(0);
      expect(mail.mails.filter(({ to }) => to === person.email)).toEqual([]);
    }, 90_000);
  });
});

describe('without a mail server', () => {
  const ordered = async (env: Readonly<Record<string, string>>) => {
    const node = await startNode({ env: { LOG_LEVEL: 'info', ...env } });
    const person = await signup(node.base);
    expectStatus(await client(node.base).post('/auth/password/forgot', { email: person.email }), 202);
    await waitFor(() => node.output().includes('Choose a new password'), 10_000);
    return { node, person };
  };

  it('mails are in the log in development, and their links work', async () => {
    const { node, person } = await ordered({ NODE_ENV: 'development' });
    const token = /reset-password\?token=([\w-]{43})/.exec(node.output())?.[1] ?? '';
    expectStatus(await client(node.base).post('/auth/password/reset', { token, newPassword: NEW }), 204);
    expectStatus(await client(node.base).post('/auth/login', { email: person.email, password: NEW }), 200);
  }, 60_000);

  it('production writes no link into a log', async () => {
    const { node, person } = await ordered({
      NODE_ENV: 'production',
      DB_PASSWORD: 'of the tests only',
      MINI_DB_PASSWORD: 'of the tests only',
    });
    expect(node.output()).toContain('SMTP_URL is not set');
    expect(node.output()).not.toContain('token=');
    expect(node.output()).not.toContain(person.email);
  }, 60_000);
});
