import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client as PgClient } from 'pg';
import {
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  waitFor,
  world,
  type Answer,
  type ProblemBody,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

interface Page {
  readonly data: readonly Readonly<Record<string, unknown>>[];
}
interface Raw {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly bytes: Buffer;
}

let pair: TestDatabases;
let app: TestApp;
let at: World;

beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
  const ops = Array.from({ length: 200 }, (_, n) => ({ op: 'create', fields: { name: `Grüße ${n} 🐎`, qty: n } }));
  expectStatus(await at.owner.post(`/tables/${at.table.id}/rows/bulk`, { mode: 'atomic', ops }), 200);
}, 120_000);

const RUSH = { maxLimit: 1, rateLimit: { limit: 1_000_000, windowSeconds: 60 } };
let made = 0;
const published = async (settings: object = {}, definition: object = {}): Promise<{ path: string; api: string }> => {
  const shown = { source: { table: at.table.id }, columns: ['name', 'qty'], sort: [{ field: 'qty' }], ...definition };
  const body = { name: `View ${(made += 1)}`, definition: shown };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const api = `/views/${id}/api`;
  const all = { auth: 'public', filterable: ['qty'], sortable: ['qty'], ...settings };
  const { slug } = expectStatus(await at.owner.post<{ slug: string }>(api, all), 201);
  return { path: `/public/views/${slug}`, api };
};
const read = (path: string, headers: Record<string, string> = {}): Promise<Answer<Page>> =>
  client(app.base).get<Page>(path, headers);
const names = (answer: Answer<Page>): readonly unknown[] => expectStatus(answer, 200).data.map(({ name }) => name);

/** As it is written, which `fetch` would mend, and undecoded. */
const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(app.base);
    http
      .request({ hostname, port, path, method, headers })
      .on('response', (response) => {
        buffer(response).then(
          (bytes) => resolve({ status: response.statusCode, headers: response.headers, bytes }),
          reject,
        );
      })
      .on('error', reject)
      .end();
  });
const codeOf = ({ status, bytes }: Raw): readonly unknown[] => [
  status,
  (JSON.parse(bytes.toString()) as ProblemBody).code,
];

describe('the address of published data', () => {
  it('is refused as every other where it is none, however it is written', async () => {
    const { path } = await published();
    expect((await ask(`${path}/%64ata`)).status).toBe(200);
    for (const [address, ...expected] of [
      ['/public/views/%zz/data', 404, 'route_not_found'],
      ['/public/views/%/data', 404, 'route_not_found'],
      ['/public/views//data', 404, 'route_not_found'],
      [`${path}//data`, 404, 'route_not_found'],
      [`${path}/data/`, 404, 'route_not_found'],
      [`${path}/v2/data`, 404, 'not_found'],
      [`${path}_/data`, 404, 'not_found'],
      [`/public/views/${'a'.repeat(513)}/data`, 404, 'route_not_found'],
      [`/public/views/${'a'.repeat(100)}/data`, 404, 'not_found'],
      ['/public/views/%00/data', 404, 'not_found'],
      ['/public/views/nothing-here/data', 404, 'not_found'],
    ] as const) {
      // The document of a published view is a route of the framework.
      expect([address, ...codeOf(await ask(address.replace('data', 'openapi.json')))]).toEqual([address, ...expected]);
      const answer = await ask(address);
      expect([address, ...codeOf(answer)]).toEqual([address, ...expected]);
      // What the router itself refuses has no hooks.
      if (expected[1] === 'route_not_found') continue;
      expect(answer.headers).toMatchObject({
        'content-type': 'application/problem+json; charset=utf-8',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-request-id': expect.any(String),
        'server-timing': expect.stringMatching(/^app;dur=/),
        'cache-control': 'no-store',
      });
    }
    // Whether there is anything is said before what is wrong with the question.
    for (const query of ['limit=x', 'constructor=1'])
      expect(codeOf(await ask(`/public/views/nothing-here/data?${query}`))).toEqual([404, 'not_found']);
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect(codeOf(await ask(`${path}/data`, {}, method))).toEqual([404, 'route_not_found']);
  });

  it('is told apart by what is asked: what is given twice, unknown, inherited or too long is refused each time it is asked', async () => {
    const { path } = await published();
    for (const [query, status] of [
      ['limit=1&limit=2', 422],
      ['filter=qty.gte.1&filter=qty.gte.2', 422],
      ['constructor=1', 422],
      ['toString=1', 422],
      ['__proto__=1', 422],
      ['fields=qty', 422],
      ['limit=0', 422],
      ['limit=1e1', 422],
      ['format=xml', 422],
      ['filter=%', 400],
      [`cursor=${'x'.repeat(5_000)}`, 422],
      [`filter=${'('.repeat(9_000)}`, 400],
      [`filter=${'x'.repeat(20_000)}`, 431],
    ] as const) {
      const statuses = [await ask(`${path}/data?${query}`), await ask(`${path}/data?${query}`)].map(
        (each) => each.status,
      );
      expect([query.slice(0, 40), statuses]).toEqual([query.slice(0, 40), [status, status]]);
    }
    expect((await ask(`${path}/data`)).status).toBe(200);
  });

  it('takes HEAD, and the preflight of a browser, of which neither has a body', async () => {
    const { path } = await published({ corsOrigins: ['https://app.example'] });
    const origin = { origin: 'https://app.example' };
    const [got, head] = [await ask(`${path}/data`, origin), await ask(`${path}/data`, origin, 'HEAD')];
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    for (const name of ['etag', 'cache-control', 'content-type', 'content-length', 'vary', 'link', 'ratelimit-policy'])
      expect([name, head.headers[name]]).toEqual([name, got.headers[name]]);
    expect(head.headers['access-control-allow-origin']).toBe('https://app.example');
    for (const tags of [String(got.headers.etag), '*']) {
      const same = await ask(`${path}/data`, { 'if-none-match': tags }, 'HEAD');
      expect([tags, same.status, same.headers.etag]).toEqual([tags, 304, got.headers.etag]);
    }
    const preflight = await ask(`${path}/data`, { ...origin, 'access-control-request-method': 'GET' }, 'OPTIONS');
    expect([preflight.status, preflight.bytes.length, preflight.headers['access-control-allow-methods']]).toEqual([
      ...[204, 0, 'GET, HEAD'],
    ]);
    const other = await ask(`${path}/data`, { origin: 'https://evil.example' });
    expect([other.headers['access-control-allow-origin'], other.headers.vary]).toEqual([
      undefined,
      'Origin, accept-encoding, Accept',
    ]);
    expect(codeOf(await ask('/public/views/nothing-here/data', origin, 'OPTIONS'))).toEqual([404, 'not_found']);
  });

  it('is answered in br or gzip where that is asked for, the same in the end and by the same name', async () => {
    const { path } = await published({ maxLimit: 200 });
    for (const query of ['limit=200', 'limit=200&format=csv', 'limit=200&format=ndjson']) {
      const plain = await ask(`${path}/data?${query}`);
      expect([plain.status, plain.headers['content-encoding']]).toEqual([200, undefined]);
      // A cache that has what is plain must not take it for all that there is.
      expect(plain.headers.vary).toContain('accept-encoding');
      for (const [encoding, unpack] of [
        ['br', zlib.brotliDecompressSync],
        ['gzip', zlib.gunzipSync],
      ] as const) {
        const packed = await ask(`${path}/data?${query}`, { 'accept-encoding': encoding });
        expect([packed.status, packed.headers['content-encoding']]).toEqual([200, encoding]);
        expect(packed.headers.vary).toBe(plain.headers.vary);
        expect(Number(packed.headers['content-length'])).toBe(packed.bytes.length);
        expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 2);
        expect(unpack(packed.bytes).equals(plain.bytes)).toBe(true);
        expect([packed.headers.etag, packed.headers['content-type']]).toEqual([
          plain.headers.etag,
          plain.headers['content-type'],
        ]);
        const headers = { 'accept-encoding': encoding, 'if-none-match': String(packed.headers.etag) };
        expect((await ask(`${path}/data?${query}`, headers)).status).toBe(304);
      }
    }
    expect((await ask(`${path}/data?limit=1`, { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBe(
      undefined,
    );
  });
});

describe('a question that was asked before', () => {
  it('is answered in the form that is accepted this time', async () => {
    const { path } = await published();
    for (let round = 0; round < 2; round++)
      for (const [accept, type] of [
        ['application/json', 'application/json'],
        ['text/csv', 'text/csv'],
        ['application/x-ndjson;q=0.9, text/html', 'application/x-ndjson'],
        ['text/html', 'application/json'],
        ['', 'application/json'],
      ] as const) {
        const { status, headers } = await ask(`${path}/data?limit=2`, { accept });
        expect([status, headers['content-type'], headers.vary]).toEqual([
          200,
          `${type}; charset=utf-8`,
          'accept-encoding, Accept',
        ]);
      }
  });

  it('means what the publication says by now, and nothing once it is closed', async () => {
    const { path, api } = await published();
    const question = `${path}/data?filter=qty.lte.1`;
    const first = await read(question);
    for (let round = 0; round < 2; round++) expect(names(await read(question))).toEqual(['Grüße 0 🐎', 'Grüße 1 🐎']);
    const definition = {
      source: { table: at.table.id },
      columns: ['name', 'qty'],
      sort: [{ field: 'qty', dir: 'desc' }],
    };
    expectStatus(await at.owner.patch(api.replace('/api', ''), { definition }), 200);
    expectStatus(await at.owner.post(api, { auth: 'public', filterable: ['qty'], sortable: ['qty'] }), 200);
    const again = await read(question, { 'if-none-match': first.headers.get('etag') ?? '' });
    expect(names(again)).toEqual(['Grüße 1 🐎', 'Grüße 0 🐎']);
    expectStatus(await at.owner.patch(api, { enabled: false }), 200);
    expect((await read(question)).status).toBe(404);
  });

  it('is that of the key that asks, and is refused with a key that was revoked while others wait for the answer', async () => {
    const { path, api } = await published({ auth: 'key' });
    const keyed = async (over: object) =>
      expectStatus(await at.owner.post<{ id: string; key: string }>(`${api}/keys`, { name: 'Key', ...over }), 201);
    const [few, all] = [await keyed({ filter: { field: 'qty', op: 'eq', value: 7 } }), await keyed({})];
    const by = ({ key }: { key: string }, query = 'limit=3') => read(`${path}/data?${query}`, { 'x-api-key': key });
    for (let round = 0; round < 2; round++)
      expect([names(await by(few)).length, names(await by(all)).length]).toEqual([1, 3]);

    const { host, port, database, username, password } = pair.mini;
    const holder = new PgClient({ host, port, database, user: username, password });
    await holder.connect();
    const { schema, table } = at.table.physical;
    try {
      await holder.query('begin');
      await holder.query(`lock table "${schema}"."${table}" in access exclusive mode`);
      const [waiting, others] = [by(few, 'limit=4'), by(all, 'limit=4')];
      await waitFor(async () =>
        (
          await sql(
            pair.mini,
            `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          )
        ).length === 2
          ? true
          : undefined,
      );
      expect((await at.owner.del(`${api}/keys/${few.id}`)).status).toBe(204);
      for (const query of ['limit=3', 'limit=4']) expect((await by(few, query)).status).toBe(401);
      await holder.query('rollback');
      // Who was let in before is answered; what was made for him opens nothing to anybody.
      expect([(await waiting).status, names(await others).length]).toEqual([200, 4]);
      expect((await by(few, 'limit=4')).status).toBe(401);
    } finally {
      await holder.end();
    }
  });

  it('is never answered with what was before a write that has ended, however many ask meanwhile', async () => {
    const { path } = await published(RUSH, { sort: [{ field: 'qty', dir: 'desc' }] });
    let isOver = false;
    const readers = Array.from({ length: 8 }, async () => {
      while (!isOver) expect([200, 304]).toContain((await ask(`${path}/data`)).status);
    });
    try {
      let etag = (await read(`${path}/data`)).headers.get('etag') ?? '';
      for (let qty = 1_000; qty < 1_040; qty++) {
        expectStatus(await at.owner.post(`/tables/${at.table.id}/rows`, { fields: { name: `n${qty}`, qty } }), 201);
        const answer = await read(`${path}/data`, { 'if-none-match': etag });
        expect([names(answer), answer.headers.get('etag') === etag]).toEqual([[`n${qty}`], false]);
        etag = answer.headers.get('etag') ?? '';
        expect((await read(`${path}/data`, { 'if-none-match': etag })).status).toBe(304);
      }
    } finally {
      isOver = true;
      await Promise.all(readers);
    }
  }, 60_000);
});
