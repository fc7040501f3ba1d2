import net from 'node:net';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  member,
  signup,
  startApp,
  startNode,
  tcpProxy,
  waitFor,
  world,
  type Answer,
  type Person,
  type ProblemBody,
  type TestApp,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const JSON_TYPE = { 'content-type': 'application/json' };

/** What an answer that refuses has to be, whatever refused it. */
function expectProblem(answer: Answer<unknown>, status: number, code: string): ProblemBody {
  const body = answer.body as ProblemBody;
  expect([answer.status, body.code]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(body).toMatchObject({
    type: `https://live-tables.dev/problems/${code.replaceAll('_', '-')}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    requestId: answer.headers.get('x-request-id'),
  });
  return body;
}

/** Writes bytes to the port and gives all that comes back until the server closes. */
function raw(base: string, text: string): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text));
    let received = '';
    socket.on('data', (bytes) => (received += bytes.toString()));
    socket.on('close', () => resolve(received)).on('error', reject);
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end in sight after: ${received}`)));
  });
}

let server: TestApp;
let acme: World;
let stranger: Person;
beforeAll(async () => {
  server = await startApp({ env: { BODY_LIMIT_BYTES: '65536', CORS_ORIGIN: 'https://app.example' } });
  acme = await world(server.base);
  stranger = await signup(server.base);
});

describe('every answer', () => {
  const cases: [string, () => Promise<Answer<unknown>>][] = [
    ['a page', () => acme.owner.get('/workspaces')],
    ['a refusal', () => client(server.base).get('/workspaces')],
    ['an unknown route', () => client(server.base).get('/nowhere')],
    ['a path that cannot be decoded', () => client(server.base).get('/%zz')],
    ['malformed JSON', () => client(server.base).call('POST', '/auth/login', '{', JSON_TYPE)],
    ['a body that is too large', () => client(server.base).call('POST', '/auth/login', 'x'.repeat(70_000), JSON_TYPE)],
    ['the health', () => client(server.base).get('/health')],
    ['the documentation', () => client(server.base).get('/api/docs')],
    [
      'a preflight',
      () =>
        client(server.base).call('OPTIONS', '/workspaces', undefined, {
          origin: 'https://app.example',
          'access-control-request-method': 'POST',
        }),
    ],
  ];

  it.each(cases)('names its request and its time: %s', async (_, call) => {
    const { headers } = await call();
    expect(headers.get('x-request-id')).toMatch(UUID);
    expect(headers.get('server-timing')).toMatch(/^app;dur=\d+(\.\d+)?/);
  });

  it("gives the caller's request id back when it is valid, also in the problem", async () => {
    const asked = await client(server.base).get<ProblemBody>('/nowhere', { 'x-request-id': 'trace-7' });
    expect([asked.headers.get('x-request-id'), asked.body.requestId]).toEqual(['trace-7', 'trace-7']);
    const tooLong = await client(server.base).get('/nowhere', { 'x-request-id': 'x'.repeat(129) });
    expect(tooLong.headers.get('x-request-id')).toMatch(UUID);
  });

  it('says how long the database took where it was asked directly', async () => {
    const { headers } = await acme.owner.get(`/tables/${acme.table.id}/rows`);
    expect(headers.get('server-timing')).toMatch(/db;dur=/);
  });

  it('is not kept by caches, not taken for a page and not guessed at', async () => {
    for (const path of ['/workspaces', '/nowhere', '/%zz']) {
      const { headers } = await acme.owner.get(path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('the order of refusals', () => {
  const rows = () => `/tables/${acme.table.id}/rows`;
  const bad: [string, (who: { call: Person['call'] }) => Promise<Answer<unknown>>, number, string][] = [
    ['malformed JSON', (who) => who.call('POST', rows(), '{', JSON_TYPE), 400, 'malformed_json'],
    ['__proto__', (who) => who.call('POST', rows(), '{"fields":{"__proto__":{}}}', JSON_TYPE), 400, 'malformed_json'],
    [
      'another media type',
      (who) => who.call('POST', rows(), '<a/>', { 'content-type': 'text/xml' }),
      415,
      'unsupported_media_type',
    ],
    [
      'a compressed body',
      (who) => who.call('POST', rows(), '{}', { ...JSON_TYPE, 'content-encoding': 'gzip' }),
      415,
      'unsupported_media_type',
    ],
    [
      'an unknown property',
      (who) => who.call('POST', rows(), { fields: { name: 'x' }, extra: 1 }),
      422,
      'validation_failed',
    ],
    [
      'an unknown query parameter',
      (who) => who.call('POST', `${rows()}?extra=1`, { fields: { name: 'x' } }),
      422,
      'validation_failed',
    ],
    ['a body that is a list', (who) => who.call('POST', rows(), []), 422, 'validation_failed'],
  ];

  it.each(bad)(
    '%s: 401 to nobody, 404 to strangers, 403 to viewers, its own to editors',
    async (_, send, status, code) => {
      expectProblem(await send(client(server.base)), 401, 'unauthenticated');
      expectProblem(await send(stranger), 404, 'not_found');
      expectProblem(await send(await member(acme, 'viewer')), 403, 'role_too_low');
      expectProblem(await send(await member(acme, 'editor')), status, code);
    },
  );

  it('public routes refuse content at once', async () => {
    const nobody = client(server.base);
    expectProblem(await nobody.call('POST', '/auth/login', '{', JSON_TYPE), 400, 'malformed_json');
    expectProblem(
      await nobody.call('POST', '/auth/login', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported_media_type',
    );
  });

  it('an id that is none, unknown or of somebody else is the same 404', async () => {
    const answers = await Promise.all(
      [
        'x',
        '0',
        "1' or '1'='1",
        '01980a3e-7c1b-7d2e-9f00-5a4b3c2d1e0f',
        acme.table.id.toUpperCase(),
        acme.table.id,
      ].map((id) => stranger.get(`/tables/${encodeURIComponent(id)}`)),
    );
    for (const answer of answers) expectProblem(answer, 404, 'not_found');
    expect(new Set(answers.map(({ body }) => (body as ProblemBody).detail)).size).toBe(1);
  });
});

describe('content', () => {
  it('an empty body with a JSON type is no body', async () => {
    const { table, owner } = acme;
    const row = await owner.post<{ id: string }>(`/tables/${table.id}/rows`, { fields: { name: 'x' } });
    expect((await owner.call('DELETE', `/tables/${table.id}/rows/${row.body.id}`, '', JSON_TYPE)).status).toBe(204);
    expectProblem(await client(server.base).call('POST', '/auth/login', '', JSON_TYPE), 422, 'validation_failed');
  });

  it('a body where none is taken may be {} and nothing else', async () => {
    const { table, owner } = acme;
    const make = async () =>
      (await owner.post<{ id: string }>(`/tables/${table.id}/rows`, { fields: { name: 'x' } })).body.id;
    expectProblem(
      await owner.del(`/tables/${table.id}/rows/${await make()}`, {}, { sure: true }),
      422,
      'validation_failed',
    );
    expect((await owner.del(`/tables/${table.id}/rows/${await make()}`, {}, {})).status).toBe(204);
  });

  it('past the limit is refused', async () => {
    const big = { email: 'a@b.co', password: 'x'.repeat(70_000) };
    expectProblem(await client(server.base).post('/auth/login', big), 413, 'payload_too_large');
    const chunked = await fetch(`${server.base}/api/v1/auth/login`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: new Blob([JSON.stringify(big)]).stream(),
      duplex: 'half',
    });
    expect(chunked.status).toBe(413);
  });

  it.each(['[1]', '"x"', '1', 'null', 'true'])('%s is JSON but no body', async (text) => {
    expectProblem(await client(server.base).call('POST', '/auth/login', text, JSON_TYPE), 422, 'validation_failed');
  });

  it.each(['constructor', 'toString', '__proto__', 'x'])(
    'an unknown query parameter named %s is refused',
    async (name) => {
      expectProblem(await acme.owner.get(`/workspaces?${name}=1`), 422, 'validation_failed');
      expectProblem(await acme.owner.get(`/auth/me?${name}=1`), 422, 'validation_failed');
    },
  );

  it('a property that JavaScript objects inherit is as unknown as any other', async () => {
    expectProblem(await acme.owner.post('/workspaces', { name: 'x', constructor: {} }), 422, 'validation_failed');
  });

  it('a million brackets do no harm', async () => {
    expectProblem(
      await client(server.base).call('POST', '/auth/login', '['.repeat(60_000), JSON_TYPE),
      400,
      'malformed_json',
    );
    expectProblem(
      await client(server.base).call(
        'POST',
        '/auth/login',
        `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
        JSON_TYPE,
      ),
      400,
      'malformed_json',
    );
  });
});

describe('paths', () => {
  it('that are unknown are 404, with a code of their own', async () => {
    for (const path of ['/nowhere', '/', '/api/v1', '/api', '/api/v1/workspaces/'])
      expectProblem(await acme.owner.get(path), 404, 'route_not_found');
    expectProblem(await acme.owner.call('PUT', `/tables/${acme.table.id}`, {}), 404, 'route_not_found');
  });

  it.each([
    '//api/v1/workspaces',
    '/api/v1//workspaces',
    '/api/v1/./workspaces',
    '/api/v1/%77orkspaces',
    '/api/v1/workspaces%2f',
    '/API/V1/workspaces',
    '/api/v1/workspaces;x=1',
    '/api/v1/workspaces%00',
    'http://elsewhere/api/v1/workspaces',
  ])('%s does not get past the guards', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const received = await raw(
        server.base,
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      expect(received).toMatch(/^HTTP\/1\.1 (400|401|404) /);
      expect(received).not.toContain(acme.workspace.name);
    }
  });

  it('HEAD is guarded as GET is', async () => {
    const head = (who: Pick<Person, 'call'>, id = acme.table.id) => who.call('HEAD', `/tables/${id}`);
    expect((await head(client(server.base))).status).toBe(401);
    expect((await head(stranger)).status).toBe(404);
    expect((await head(acme.owner)).status).toBe(200);
  });

  it('a token in a URL does not sign anybody in', async () => {
    expectProblem(
      await client(server.base).get(`/auth/me?access_token=${acme.owner.accessToken}`),
      401,
      'unauthenticated',
    );
  });
});

describe('what is not HTTP', () => {
  it.each([
    ['no HTTP', 'GARBAGE\r\n\r\n', '400', 'bad_request'],
    ['a broken header', 'GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', '400', 'bad_request'],
    [
      'a header past the limit',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
      '431',
      'headers_too_large',
    ],
    [
      'two lengths',
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400',
      'bad_request',
    ],
  ])('%s is answered with a problem and closed', async (_, text, status, code) => {
    const received = await raw(server.base, text);
    const [head = '', body = ''] = received.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(head).toMatch(/x-request-id: [0-9a-f-]{36}/i);
    expect(JSON.parse(body)).toMatchObject({ code });
  });

  it('the server goes on afterwards', async () => {
    expect((await client(server.base).get('/health/live')).status).toBe(200);
  });
});

describe('other origins', () => {
  it('that are configured may read the answers and their headers', async () => {
    const { headers } = await acme.owner.get('/workspaces', { origin: 'https://app.example' });
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
    for (const name of ['ETag', 'X-Request-Id', 'Live-Seq', 'Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy'])
      expect(headers.get('access-control-expose-headers')?.split(', ')).toContain(name);
  });

  it('that are not get no permission', async () => {
    const { headers } = await acme.owner.get('/workspaces', { origin: 'https://evil.example' });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  const preflight = (origin: string, base = server.base) =>
    client(base).call('OPTIONS', `/tables/${acme.table.id}/rows`, undefined, {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers':
        'authorization,content-type,idempotency-key,if-match,if-none-match,x-api-key,x-client-id,x-request-id',
    });
  const allowed = ({ headers }: Answer<unknown>, what: string) =>
    headers.get(`access-control-allow-${what}`)?.toLowerCase().split(/, */);

  it('that are configured may send every header and method of the API', async () => {
    const answer = await preflight('https://app.example');
    expect(answer.status).toBe(204);
    expect(allowed(answer, 'origin')).toEqual(['https://app.example']);
    for (const name of ['authorization', 'content-type', 'idempotency-key', 'if-match', 'x-api-key', 'x-client-id'])
      expect(allowed(answer, 'headers')).toContain(name);
    expect(allowed(answer, 'headers')).toContain('x-request-id');
    for (const method of ['get', 'post', 'patch', 'delete']) expect(allowed(answer, 'methods')).toContain(method);
    expect(answer.headers.get('vary')?.toLowerCase()).toContain('origin');
  });

  it.each(['https://evil.example', 'null', 'https://app.example.evil.example', 'http://app.example'])(
    'that are not, such as %s, are allowed nothing by a preflight',
    async (origin) => {
      const answer = await preflight(origin);
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-allow'))).toEqual([]);
    },
  );

  it('are allowed as a whole with *, and then never with credentials', async () => {
    const open = await startApp({ env: { CORS_ORIGIN: '*' } });
    const { headers } = await client(open.base).get('/health', { origin: 'https://anywhere.example' });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    const asked = await preflight('https://anywhere.example', open.base);
    expect(allowed(asked, 'origin')).toEqual(['*']);
    expect(allowed(asked, 'credentials')).toBeUndefined();
  });
});

describe('health', () => {
  interface Health {
    readonly status: string;
    readonly info: Record<string, Record<string, unknown>>;
    readonly error: Record<string, Record<string, unknown>>;
    readonly details: Record<string, Record<string, unknown>>;
  }
  const up = { status: 'up' };
  const number = expect.any(Number);

  it('tells everything of the node', async () => {
    const { status, body } = await client(server.base).get<Health>('/health');
    expect(status).toBe(200);
    const memory = { ...up, used: number, limit: number, percentage: number };
    const info = {
      database: { ...up, responseTime: number },
      mini_database: { ...up, responseTime: number },
      redis: { ...up, mode: 'embedded' },
      memory_heap: memory,
      memory_rss: memory,
      storage: { ...up, path: expect.any(String), free: number, limit: number, percentage: number },
      system: {
        ...up,
        platform: process.platform,
        arch: process.arch,
        nodeVersion: process.version,
        cpuCores: number,
        cpuModel: expect.any(String),
        totalMemory: number,
        freeMemory: number,
        usedMemory: number,
        memoryUsagePercent: number,
        uptime: number,
        loadAverage: [number, number, number],
      },
      application: {
        ...up,
        name: expect.any(String),
        version: expect.any(String),
        environment: 'test',
        processId: process.pid,
        processUptime: number,
      },
    };
    expect(body).toEqual({
      status: 'ok',
      timestamp: expect.stringMatching(/Z$/),
      uptime: number,
      info,
      error: {},
      details: info,
    });
  });

  it('of the process alone and of its readiness can be asked', async () => {
    expect((await client(server.base).get('/health/live')).body).toEqual({ status: 'ok' });
    expect((await client(server.base).get<Health>('/health/ready')).body.status).toBe('ok');
  });

  it.each(['main', 'mini'] as const)(
    'is 503 while the %s database is away, names it, and comes back',
    async (which) => {
      const pair = await databases();
      const proxy = await tcpProxy(pair[which]);
      const node = await startApp({
        env: { LOG_LEVEL: 'silent' },
        databases: { ...pair, [which]: { ...pair[which], host: proxy.host, port: proxy.port } },
      });
      const { owner, table } = await world(node.base);
      const part = which === 'main' ? 'database' : 'mini_database';
      const path = which === 'main' ? '/workspaces' : `/tables/${table.id}/rows`;

      await proxy.cut();
      const report = await owner.get<Health>('/health');
      expect([report.status, report.body.status, Object.keys(report.body.error)]).toEqual([503, 'error', [part]]);
      expect(JSON.stringify(report.body.error)).not.toContain(String(proxy.port));
      expect((await owner.get('/health/ready')).status).toBe(503);
      expect((await owner.get('/health/live')).status).toBe(200);
      const refused = await owner.get(path);
      expectProblem(refused, 503, 'database_unavailable');
      expect(refused.headers.get('retry-after')).toBe('1');

      await proxy.mend();
      await waitFor(async () => (await owner.get('/health')).status === 200);
      expect((await owner.get(path)).status).toBe(200);

      proxy.swallow();
      const started = Date.now();
      expect((await owner.get('/health')).status).toBe(503);
      expect(Date.now() - started).toBeLessThan(3_000);
      await proxy.mend();
      await waitFor(async () => (await owner.get('/health')).status === 200);
      expect((await owner.get(path)).status).toBe(200);
    },
  );

  it('with a Redis that is away is 200 and says degraded', async () => {
    const node = await startApp({ redis: { host: '127.0.0.1', port: 1 } });
    const { status, body } = await client(node.base).get<Health>('/health');
    expect([status, body.info.redis]).toEqual([
      200,
      { status: 'degraded', host: '127.0.0.1', port: 1, message: 'does not answer' },
    ]);
  });
});

describe('a server that stops', () => {
  it('finishes what is under way, and does not wait for idle connections', async () => {
    const node = await startNode();
    const person = await signup(node.base);
    const underWay = person.post('/auth/login', { email: person.email, password: person.password });
    // An idle keep-alive connection is open as well: fetch keeps the one of the sign-up.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ending = await node.term();
    expect((await underWay).status).toBe(200);
    expect(ending).toMatchObject({ code: 0 });
    expect(ending.ms).toBeLessThan(3_000);
  });
});
