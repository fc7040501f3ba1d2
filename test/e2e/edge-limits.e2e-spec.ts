import net from 'node:net';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  client,
  expectStatus,
  sleep,
  startApp,
  world,
  type ProblemBody,
  type Row,
  type TestApp,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

let server: TestApp;
let acme: World;
beforeAll(async () => {
  server = await startApp({ env: { REQUEST_TIMEOUT: '2s', RESPONSE_LIMIT_BYTES: '20000' } });
  acme = await world(server.base);
});

/** Sends the beginning at once and then a byte every now and then, until the server ends it. */
async function trickle(beginning: string, byte: string): Promise<{ readonly answer: string; readonly ms: number }> {
  const { hostname, port } = new URL(server.base);
  const socket = net.connect(Number(port), hostname);
  const started = performance.now();
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString())).on('error', () => undefined);
  socket.write(beginning);
  const drip = setInterval(() => socket.write(byte), 100);
  await new Promise((resolve) => socket.on('close', resolve));
  clearInterval(drip);
  return { answer, ms: performance.now() - started };
}

describe('a client that sends too slowly', () => {
  it.each([
    ['its headers', 'GET /api/v1/health/live HTTP/1.1\r\nHost: x\r\nX: ', 'y'],
    [
      'its body',
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n{"email":"',
      'y',
    ],
    [
      'its body in chunks',
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      '1\r\n \r\n',
    ],
  ])('%s is told so and cut off near the limit, while others are served', async (_what, beginning, byte) => {
    const slow = trickle(beginning, byte);
    for (let served = 0; served < 20; served++) {
      expect((await acme.owner.get('/workspaces')).status).toBe(200);
      await sleep(50);
    }
    const { answer, ms } = await slow;
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 408 /);
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(JSON.parse(body)).toMatchObject({ code: 'request_timeout', status: 408 });
    expect(ms).toBeGreaterThan(1_500);
    expect(ms).toBeLessThan(10_000);
  });
});

describe('a body that is refused before it was read', () => {
  /** Sends all of it and only then reads the answer. */
  async function sendFirst(headers: string, bytes: number): Promise<string> {
    const { hostname, port } = new URL(server.base);
    const socket = net.connect({ host: hostname, port: Number(port) }).pause();
    const closed = new Promise<void>((resolve, reject) => socket.on('close', resolve).on('error', reject));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.pause();
    socket.write(
      `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n${headers}\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`,
      () => socket.resume(),
    );
    await closed;
    return answer;
  }

  it.each([
    ['too large', 'Content-Type: application/json', 413, 'payload_too_large'],
    ['of another media type', 'Content-Type: text/plain', 415, 'unsupported_media_type'],
    [
      'of another media type, on a connection that ends',
      'Content-Type: text/csv\r\nConnection: close',
      415,
      'unsupported_media_type',
    ],
  ])('%s is answered, also to who sends all of it first', async (_what, headers, status, code) => {
    const [head = '', body = ''] = (await sendFirst(headers, 30_000_000)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/connection: close/i);
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });
});

describe('headers', () => {
  it('past 16 KiB together are refused, also when each is small', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`x-${n}`, 'some value']));
    const answer = await client(server.base).get<ProblemBody>('/health/live', many);
    expect([answer.status, answer.body.code]).toEqual([431, 'headers_too_large']);
  });
});

describe('a body with hundreds of thousands of members that nobody knows', () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`${n}z`, 1]));

  it.each([
    ['register', '/auth/register', many],
    ['a table', 'tables', { name: 'T', columns: [{ name: 'A', type: 'text', ...many }] }],
    ['columns by the thousand', 'tables', { name: 'T', columns: Array.from({ length: 100_000 }, () => ({})) }],
    ['rows', 'rows', { fields: many }],
  ])('is refused shortly: %s', async (_what, path, body) => {
    const at = { tables: `/bases/${acme.base.id}/tables`, rows: `/tables/${acme.table.id}/rows` }[path] ?? path;
    const answer = await acme.owner.post<ProblemBody>(at, body);
    expect(answer.status).toBe(422);
    // It was nine megabytes, and the server answered nobody else for eighteen seconds.
    expect(answer.text.length).toBeLessThan(50_000);
    expect(answer.body.errors?.length).toBeLessThanOrEqual(100);
  });

  it('in every row of a bulk call are named a few for each', async () => {
    const ops = Array.from({ length: 1_000 }, () => ({
      op: 'create',
      fields: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}z`, 1])),
    }));
    const answer = await acme.owner.post<ProblemBody>(`/tables/${acme.table.id}/rows/bulk`, { ops });
    expect(answer.status).toBe(422);
    expect(new Set(answer.body.errors?.map(({ pointer }) => pointer.split('/')[2])).size).toBe(1_000);
    expect(answer.text.length).toBeLessThan(4_000_000);
  });
});

describe('an expectation that is none', () => {
  it('is answered like every other refusal', async () => {
    const { hostname, port } = new URL(server.base);
    const socket = net.connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\nContent-Length: 2\r\n\r\n{}');
    await new Promise((resolve) => socket.on('close', resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 417 /);
    expect(answer).toMatch(/x-request-id: /i);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 417, code: 'expectation_failed' });
  });
});

describe('an answer of rows past the limit', () => {
  beforeAll(async () => {
    const ops = Array.from({ length: 100 }, () => ({ op: 'create', fields: { name: 'ü'.repeat(100) } }));
    for (const some of [ops.slice(0, 20), ops.slice(20, 40), ops.slice(40, 60)])
      await acme.owner.post(`/tables/${acme.table.id}/rows/bulk`, { mode: 'atomic', ops: some });
  });

  it('is refused whole, with the figure and what to do', async () => {
    const refused = await acme.owner.get<ProblemBody>(`/tables/${acme.table.id}/rows?limit=60`);
    expect([refused.status, refused.body.code]).toEqual([422, 'limit_reached']);
    expect(refused.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(refused.body.detail).toMatch(
      /^The answer would have \d\d,\d{3} bytes, and may have 20,000\. Ask for fewer rows/,
    );
  });

  it('is no reason to deny a write that has happened', async () => {
    const page = await acme.owner.get<{ data: Row[] }>(`/tables/${acme.table.id}/rows?limit=60&fields=qty`);
    const ops = page.body.data.map(({ id }) => ({ op: 'update', id, fields: { qty: 7 } }));
    const answer = await acme.owner.post(`/tables/${acme.table.id}/rows/bulk`, { mode: 'atomic', ops });
    expect(answer.status).toBe(200);
    expect(answer.text.length).toBeGreaterThan(20_000);
    const changed = await acme.owner.get<{ data: unknown[] }>(
      `/tables/${acme.table.id}/rows?limit=60&fields=qty&filter=qty.eq.7`,
    );
    expect(changed.body.data).toHaveLength(60);
  });

  it('is no reason to refuse what is under it', async () => {
    const page = expectStatus(await acme.owner.get<{ data: unknown[] }>(`/tables/${acme.table.id}/rows?limit=20`), 200);
    expect(page.data).toHaveLength(20);
    const narrow = await acme.owner.get<{ data: unknown[] }>(`/tables/${acme.table.id}/rows?limit=60&fields=qty`);
    expect(narrow.status).toBe(200);
  });
});
