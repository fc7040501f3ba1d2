import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { expectStatus, startApp, world, type Row, type TestApp, type World } from '../harness/index.js';

jest.setTimeout(60_000);

interface Raw {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly bytes: Buffer;
}

let server: TestApp;
let acme: World;
let rows: string;

/** Not `fetch`, which asks for compression and undoes it unseen. */
const ask = (path: string, headers: Record<string, string> = {}, method = 'GET', body?: string): Promise<Raw> =>
  new Promise((resolve, reject) => {
    const authorization = `Bearer ${acme.owner.accessToken}`;
    http
      .request(`${server.base}${path}`, { method, headers: { authorization, ...headers } }, (response) => {
        buffer(response).then(
          (bytes) => resolve({ status: response.statusCode, headers: response.headers, bytes }),
          reject,
        );
      })
      .on('error', reject)
      .end(body);
  });
const inflate = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync };

beforeAll(async () => {
  server = await startApp({ env: { CORS_ORIGIN: 'https://app.example' } });
  acme = await world(server.base);
  rows = `/api/v1/tables/${acme.table.id}/rows`;
  const ops = Array.from({ length: 300 }, (_, n) => ({ op: 'create', fields: { name: `Grüße ${n} 🐎`, qty: n } }));
  expectStatus(await acme.owner.post(`${rows}/bulk`, { mode: 'atomic', ops }), 200);
});

describe('a large answer', () => {
  it.each(['br', 'gzip'] as const)(
    'comes in %s to whoever asks for it, and is the same in the end',
    async (encoding) => {
      const plain = await ask(`${rows}?limit=300`);
      const packed = await ask(`${rows}?limit=300`, { 'accept-encoding': encoding });
      expect([packed.status, packed.headers['content-encoding']]).toEqual([200, encoding]);
      expect(packed.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(packed.headers.vary).toContain('accept-encoding');
      expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 3);
      expect(inflate[encoding](packed.bytes).equals(plain.bytes)).toBe(true);
    },
  );

  it('comes as the first of what is asked for that we have', async () => {
    const encoding = async (accepted: string) =>
      (await ask(`${rows}?limit=300`, { 'accept-encoding': accepted })).headers['content-encoding'];
    expect(await encoding('gzip, deflate, br')).toBe('br');
    expect(await encoding('br;q=0, gzip')).toBe('gzip');
    expect(await encoding('deflate')).toBeUndefined();
    expect(await encoding('zstd')).toBeUndefined();
    expect(await encoding('identity')).toBeUndefined();
    expect(await encoding('gzip;q=0, br;q=0')).toBeUndefined();
    expect(await encoding('nonsense;;=,')).toBeUndefined();
  });

  it('is left as it is for whoever does not ask', async () => {
    const { headers, bytes } = await ask(`${rows}?limit=300`);
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['content-length']).toBe(String(bytes.length));
    expect(bytes.length).toBeGreaterThan(50_000);
  });

  it('keeps what it varies by for other reasons', async () => {
    const { headers } = await ask(`${rows}?limit=300`, { 'accept-encoding': 'br', origin: 'https://app.example' });
    expect(headers.vary?.toLowerCase().split(/, */).sort()).toEqual(['accept-encoding', 'origin']);
    expect(headers['access-control-allow-origin']).toBe('https://app.example');
  });

  it('has a HEAD without a body', async () => {
    const { status, bytes } = await ask(`${rows}?limit=300`, { 'accept-encoding': 'br' }, 'HEAD');
    expect([status, bytes.length]).toEqual([200, 0]);
  });

  it('may be a row, whose ETag holds in If-Match as before', async () => {
    const fields = { name: 'long', notes: 'x'.repeat(10_000) };
    const row = expectStatus(await acme.owner.post<Row>(rows, { fields }), 201);
    const read = await ask(`${rows}/${row.id}`, { 'accept-encoding': 'gzip' });
    expect([read.headers['content-encoding'], read.headers.etag]).toEqual(['gzip', '"1"']);
    expect(JSON.parse(zlib.gunzipSync(read.bytes).toString())).toMatchObject({ fields });
    const write = (version: string) =>
      ask(
        `${rows}/${row.id}`,
        { 'accept-encoding': 'gzip', 'content-type': 'application/json', 'if-match': version },
        'PATCH',
        '{"fields":{"qty":1}}',
      );
    expect((await write('"1"')).headers.etag).toBe('"2"');
    const stale = await write('"1"');
    expect([stale.status, stale.headers['content-type']]).toEqual([412, 'application/problem+json; charset=utf-8']);
    expect(JSON.parse(zlib.gunzipSync(stale.bytes).toString())).toMatchObject({ code: 'version_mismatch' });
  });

  it('may be a page of the documentation or a part of one', async () => {
    const script = '/api/docs/swagger-ui-bundle.js';
    const plain = await ask(script);
    const packed = await ask(script, { 'accept-encoding': 'br' });
    expect(plain.bytes.length).toBeGreaterThan(500_000);
    expect(packed.headers['content-encoding']).toBe('br');
    expect(zlib.brotliDecompressSync(packed.bytes).equals(plain.bytes)).toBe(true);
    const document = await ask('/api/docs-json', { 'accept-encoding': 'gzip' });
    expect(JSON.parse(zlib.gunzipSync(document.bytes).toString())).toHaveProperty('openapi');
  });
});

describe('a small answer', () => {
  it.each([
    ['a body', '/api/v1/auth/me'],
    ['a problem', '/api/v1/nowhere'],
  ])('is left as it is: %s', async (_what, path) => {
    const { headers, bytes } = await ask(path, { 'accept-encoding': 'br, gzip' });
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['content-length']).toBe(String(bytes.length));
    expect(JSON.parse(bytes.toString())).toBeInstanceOf(Object);
  });
});
