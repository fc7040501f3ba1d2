import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { io } from 'socket.io-client';
import {
  client,
  databases,
  expectStatus,
  PASSWORD,
  signup,
  socket,
  sql,
  startApp,
  waitFor,
  type Person,
  type ProblemBody,
  type TestApp,
  type TestSocket,
} from '../harness/index.js';

jest.setTimeout(60_000);

const OLD_SECRET = randomBytes(48).toString('base64');
const OLDER_SECRET = randomBytes(48).toString('base64');

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);
const read = (token: string, which: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[which] ?? '', 'base64url').toString()) as Record<string, unknown>;

function signed(header: unknown, payload: unknown, secret: string, hash = 'sha256'): string {
  const body = `${part(header)}.${part(payload)}`;
  return `${body}.${createHmac(hash, secret).update(body).digest('base64url')}`;
}

let node: TestApp;
let person: Person;
let tab: TestSocket;
let header: Record<string, unknown>;
let claims: Record<string, unknown>;
const secret = () => node.config.jwt.secret;
/** A token by all rules but for what is given. */
const withClaims = (over: object) => signed(header, { ...claims, jti: randomUUID(), ...over }, secret());
const withHeader = (over: object, hash?: string) => signed({ ...header, ...over }, claims, secret(), hash);

beforeAll(async () => {
  node = await startApp({ env: { JWT_SECRETS_PREVIOUS: OLD_SECRET } });
  person = await signup(node.base);
  tab = await socket(node.base, person.accessToken);
  [header, claims] = [read(person.accessToken, 0), read(person.accessToken, 1)];
});

/** What the three ways in say to a token: `ok`, or the code of the refusal. */
const overHttp = async (token: string, at = node): Promise<string> => {
  const { status, body } = await client(at.base, token).get<ProblemBody>('/auth/me');
  return status === 200 ? 'ok' : body.code;
};
const byHandshake = (token: string, at = node): Promise<string> =>
  socket(at.base, token).then(
    (joined) => {
      joined.close();
      return 'ok';
    },
    (refusal: unknown) => (refusal as { data?: ProblemBody }).data?.code ?? String(refusal),
  );
const byMessage = async (token: string, through = tab): Promise<string> => {
  const answer = await through.ask<{ ok: boolean; error?: ProblemBody }>('auth', { token });
  return answer.ok ? 'ok' : (answer.error?.code ?? 'no code');
};
const everywhere = async (token: string): Promise<string[]> => [
  await overHttp(token),
  await byHandshake(token),
  await byMessage(token),
];
const thrice = (code: string) => [code, code, code];

describe('access tokens', () => {
  it('are accepted when made by these rules, so that the refusals below mean something', async () => {
    expect(await everywhere(withClaims({}))).toEqual(thrice('ok'));
  });

  it('name their key without telling it, and one algorithm', () => {
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.stringMatching(/^[0-9a-f]{8}$/) });
  });

  const signature = () => person.accessToken.split('.')[2] ?? '';
  const flipped = (at: number) => {
    const { accessToken } = person;
    return accessToken.slice(0, at) + (accessToken[at] === 'A' ? 'B' : 'A') + accessToken.slice(at + 1);
  };
  const forged: [string, () => string][] = [
    ...['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg): [string, () => string][] => [
      [`alg "${alg}"`, () => `${part({ ...header, alg })}.${part(claims)}.`],
      [`alg "${alg}" without kid`, () => `${part({ alg, typ: 'JWT' })}.${part(claims)}.`],
      [`alg "${alg}" with the old signature`, () => `${part({ ...header, alg })}.${part(claims)}.${signature()}`],
      [`alg "${alg}" with a right HMAC`, () => withHeader({ alg })],
    ]),
    ['no alg', () => withHeader({ alg: undefined })],
    ['alg HS384 and the right secret', () => withHeader({ alg: 'HS384' }, 'sha384')],
    ['alg HS512 and the right secret', () => withHeader({ alg: 'HS512' }, 'sha512')],
    ['alg RS256', () => withHeader({ alg: 'RS256' })],
    ['alg hs256', () => withHeader({ alg: 'hs256' })],
    ['an array as alg', () => withHeader({ alg: ['HS256'] })],
    ['another secret under our kid', () => signed(header, claims, 'x'.repeat(48))],
    ['another secret and no kid', () => signed({ alg: 'HS256', typ: 'JWT' }, claims, 'x'.repeat(48))],
    ['an empty secret', () => signed({ alg: 'HS256', typ: 'JWT' }, claims, '')],
    ['a previous secret under the kid of the present one', () => signed(header, claims, OLD_SECRET)],
    ['a kid that leads nowhere', () => withHeader({ kid: '00000000' })],
    ['an empty kid', () => withHeader({ kid: '' })],
    ['a path as kid', () => withHeader({ kid: '../../../../dev/null' })],
    ['SQL as kid', () => withHeader({ kid: `' union select 'x` })],
    ['__proto__ as kid', () => withHeader({ kid: '__proto__' })],
    ['an array as kid', () => withHeader({ kid: [header.kid] })],
    ['an object as kid', () => withHeader({ kid: { toString: header.kid } })],
    ['null as kid', () => withHeader({ kid: null })],
    ['a key of its own', () => signed({ alg: 'HS256', jwk: { kty: 'oct', k: part('x') } }, claims, 'x')],
    ['another issuer', () => withClaims({ iss: 'elsewhere' })],
    ['no issuer', () => withClaims({ iss: undefined })],
    ['another audience', () => withClaims({ aud: 'elsewhere' })],
    ['no audience', () => withClaims({ aud: undefined })],
    ['another type', () => withClaims({ type: 'refresh' })],
    ['no type', () => withClaims({ type: undefined })],
    ['an array as type', () => withClaims({ type: ['access'] })],
    ['no end', () => withClaims({ exp: undefined })],
    ['a text as end', () => withClaims({ exp: '9999999999' })],
    ['a beginning in the future', () => withClaims({ nbf: now() + 60 })],
    ['a person that is no id', () => withClaims({ sub: `' or 1=1 --` })],
    ['an object as person', () => withClaims({ sub: { $ne: null } })],
    ['the session of somebody else', () => withClaims({ sub: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' })],
    ['a payload that is not an object', () => signed(header, [1, 2], secret())],
    ['a payload that was changed', () => `${part(header)}.${part({ ...claims, exp: now() + 9_999 })}.${signature()}`],
    ['one character of the payload changed', () => flipped(100)],
    ['no signature', () => `${part(header)}.${part(claims)}.`],
    ['no signature and no dot', () => `${part(header)}.${part(claims)}`],
    ['half a signature', () => person.accessToken.slice(0, -20)],
    ['two dots only', () => '..'],
    ['a header that is no JSON', () => `${Buffer.from('{').toString('base64url')}.${part(claims)}.${signature()}`],
    ['null as header', () => signed(null, claims, secret())],
    ['a text as header', () => signed('HS256', claims, secret())],
    ['no JWT at all', () => 'x'.repeat(40)],
    ['a refresh token in its place', () => person.refreshToken],
  ];
  it.each(forged)('are refused with %s, by HTTP, in the handshake and on the socket', async (_what, token) => {
    expect(await everywhere(token())).toEqual(thrice('unauthenticated'));
  });

  it('are refused as expired once their time is over, also when this node had checked them before', async () => {
    expect(await everywhere(withClaims({ exp: now() - 1 }))).toEqual(thrice('token_expired'));
    const soon = withClaims({ exp: now() + 2 });
    expect(await overHttp(soon)).toBe('ok');
    await waitFor(async () => (await overHttp(soon)) === 'token_expired');
    expect(await byHandshake(soon)).toBe('token_expired');
  });

  it('are refused with 10 kB', async () => {
    const long = `${person.accessToken}${'x'.repeat(10_000)}`;
    expect(await everywhere(long)).toEqual(['unauthenticated', 'unauthenticated', 'validation_failed']);
  });

  it('of 100 kB are too much for headers and sockets, and the server goes on', async () => {
    const huge = `${person.accessToken}${'x'.repeat(100_000)}`;
    expect((await client(node.base, huge).get('/auth/me')).status).toBe(431);
    const handshake = io(node.base, { transports: ['websocket'], reconnection: false, auth: { token: huge } });
    const outcome = await new Promise<string>((resolve) => {
      handshake.once('connect', () => resolve('connected'));
      handshake.io.once('close', () => resolve('cut off'));
    });
    expect(outcome).toBe('cut off');
    const own = await socket(node.base, person.accessToken);
    const cutOff = new Promise((resolve) => own.socket.once('disconnect', resolve));
    own.socket.emit('auth', { token: huge });
    await cutOff;
    expect(await everywhere(withClaims({}))).toEqual(thrice('ok'));
  });

  it('end with the account, within 5 s', async () => {
    const leaving = await signup(node.base);
    expect((await leaving.get('/workspaces')).status).toBe(200);
    await sql(node.config.mainDb, 'delete from users where id = $1', [leaving.user.id]);
    await waitFor(async () => (await leaving.get('/workspaces')).status === 401, 5_500);
  }, 15_000);

  it.each([[''], ['Bearer'], ['Bearer '], ['Basic YTpi'], ['Bearer a b'], ['bearer']])(
    'are missing in "%s"',
    async (authorization) => {
      const answer = await client(node.base).get<ProblemBody>('/auth/me', { authorization });
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
    },
  );
});

describe('a change of JWT_SECRET', () => {
  it('leaves tokens good that were signed before, while their secret is listed, and signs new ones with the new secret', async () => {
    const pair = await databases();
    const start = (current: string, ...previous: string[]) =>
      startApp({ databases: pair, env: { JWT_SECRET: current, JWT_SECRETS_PREVIOUS: previous.join(',') } });
    const before = await start(OLDER_SECRET);
    const { accessToken, email } = await signup(before.base);
    const old = read(accessToken, 0);
    // As they were signed before tokens named their key.
    const nameless = signed({ alg: 'HS256', typ: 'JWT' }, { ...read(accessToken, 1), jti: randomUUID() }, OLDER_SECRET);

    const after = await start(OLD_SECRET, `${randomBytes(48).toString('base64')} `, OLDER_SECRET);
    for (const token of [accessToken, nameless])
      expect([await overHttp(token, after), await byHandshake(token, after)]).toEqual(['ok', 'ok']);
    const fresh = expectStatus(
      await client(after.base).post<{ accessToken: string }>('/auth/login', { email, password: PASSWORD }),
      200,
    ).accessToken;
    expect(read(fresh, 0)).toEqual({ ...old, kid: expect.not.stringMatching(String(old.kid)) });
    const [body, ofFresh] = [fresh.slice(0, fresh.lastIndexOf('.')), fresh.slice(fresh.lastIndexOf('.') + 1)];
    expect(ofFresh).toBe(createHmac('sha256', OLD_SECRET).update(body).digest('base64url'));

    const later = await start(OLD_SECRET);
    for (const token of [accessToken, nameless])
      expect([await overHttp(token, later), await byHandshake(token, later)]).toEqual([
        'unauthenticated',
        'unauthenticated',
      ]);
    expect(await overHttp(fresh, later)).toBe('ok');
    expect(await overHttp(fresh, before)).toBe('unauthenticated');
  });
});
