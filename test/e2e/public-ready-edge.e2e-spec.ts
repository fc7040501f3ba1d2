import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  startNode,
  waitFor,
  world,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';
import { getText, rawConnection, type RawAnswer } from '../support/raw-http.js';

jest.setTimeout(120_000);

let pair: TestDatabases;
let node: TestNode;
let at: World;
let path: string;
let api: string;

beforeAll(async () => {
  pair = await databases();
  node = await startNode({ databases: pair });
  at = await world(node.base);
  const ops = Array.from({ length: 1_000 }, (_, n) => ({
    op: 'create',
    fields: { name: `Row ${n} `.repeat(20), qty: n },
  }));
  expectStatus(await at.owner.post(`/tables/${at.table.id}/rows/bulk`, { mode: 'atomic', ops }), 200);
  const definition = { source: { table: at.table.id }, columns: ['name', 'qty'], sort: [{ field: 'qty' }] };
  const view = { name: 'Published', definition };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, view), 201);
  api = `/views/${id}/api`;
  const settings = { auth: 'public', maxLimit: 1_000, rateLimit: { limit: 1_000_000, windowSeconds: 60 } };
  const { slug } = expectStatus(await at.owner.post<{ slug: string }>(api, settings), 201);
  path = `/public/views/${slug}/data`;
}, 120_000);

/** How many answers the node has given again. */
const given = async (): Promise<number> => {
  const text = await (await fetch(`${node.base}/metrics`)).text();
  return Number(/live_tables_cache_hits_total\{cache="ready_answers"\} (\d+)/.exec(text)?.[1]);
};
const warm = async (query: string, lines: readonly string[] = []): Promise<RawAnswer> => {
  const connection = rawConnection(node.base);
  const before = await given();
  const last = await waitFor(async () => {
    connection.write(getText(path + query, lines));
    const answer = await connection.next();
    return (await given()) > before ? answer : undefined;
  });
  connection.end();
  return last;
};

describe('an answer that is given again', () => {
  it('keeps its place among those of a connection that sends many requests at once', async () => {
    const [one, two] = [await warm('?limit=1'), await warm('?limit=2')];
    const connection = rawConnection(node.base);
    const wanted = Array.from({ length: 60 }, (_, n) => n % 4);
    const queries = ['?limit=1', '?limit=2', '?limit=x', '?limit=3'];
    connection.write(
      wanted.map((which) => getText(path + String(queries[which]), [`X-Request-Id: ${which}`])).join(''),
    );
    for (const which of wanted) {
      const answer = await connection.next();
      expect(answer.headers['x-request-id']).toBe(String(which));
      expect(answer.status).toBe(which === 2 ? 422 : 200);
      const body = [one.body, two.body][which];
      if (body) expect(answer.body.equals(body)).toBe(true);
    }
    expect(connection.rest()).toHaveLength(0);
    // The last of many may end the connection, and is then left to the route.
    const before = await given();
    connection.write(getText(`${path}?limit=1`) + getText(`${path}?limit=2`, ['Connection: close']));
    const [first, last] = [await connection.next(), await connection.next()];
    expect([first.headers.connection, last.headers.connection]).toEqual(['keep-alive', 'close']);
    expect([first.body.equals(one.body), last.body.equals(two.body)]).toEqual([true, true]);
    await connection.ended;
    expect((await given()) - before).toBe(1);
  });

  it('is not for old HTTP, for HEAD, for requests with a body, and for those that are none', async () => {
    await warm('?limit=1');
    const before = await given();
    for (const [text, status, closes] of [
      [getText(`${path}?limit=1`, [], '1.0'), 200, true],
      [getText(`${path}?limit=1`, ['Connection: close']), 200, true],
      [getText(`${path}?limit=1`).replace('GET', 'POST'), 404, false],
      [getText(`${path}?limit=1`, ['Content-Length: 5']) + 'GET /', 200, false],
      [getText(`${path}?limit=1`, ['Transfer-Encoding: chunked']) + '0\r\n\r\n', 200, false],
      [getText(`${path}?limit=1`, ['Content-Length: 5', 'Transfer-Encoding: chunked']), 400, true],
      [getText(`${path}?limit=1`, ['Content-Length: 5', 'Content-Length: 6']), 400, true],
      [getText(`${path}?limit=1`).replace('Host: views.example\r\n', ''), 400, true],
      [getText(`${path}?limit=1`, ['Accept: a\u0000b']), 400, true],
      [getText(`${path}?limit=1`, [`Accept: ${'x'.repeat(20_000)}`]), 431, true],
      [getText(`${path}?limit=1`, [`X-API-Key: ${'x'.repeat(9_000)}`]), 200, false],
      [getText(`${path}?limit=1&limit=1`), 422, false],
      [getText(`http://views.example${path}?limit=1`), 200, false],
    ] as const) {
      const connection = rawConnection(node.base);
      connection.write(text);
      const answer = await connection.next();
      expect([text.slice(0, 300), answer.status]).toEqual([text.slice(0, 300), status]);
      if (closes) await connection.ended;
      else {
        // Nothing of a request is taken for the next one.
        connection.write(getText(`${path}?limit=2`, ['X-Request-Id: next', 'Content-Length: 0']));
        expect((await connection.next()).headers['x-request-id']).toBe('next');
      }
      connection.end();
    }
    expect(await given()).toBe(before);
    const head = rawConnection(node.base);
    head.write(getText(`${path}?limit=1`).replace('GET', 'HEAD'));
    await waitFor(() => Promise.resolve(head.rest().includes('\r\n\r\n') ? true : undefined));
    expect(head.rest().toString()).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    head.end();
    expect(await given()).toBe(before);
  });

  it('holds up nobody else where its reader is slow, or has gone', async () => {
    const whole = await warm('?limit=1000');
    expect(whole.body.length).toBeGreaterThan(100_000);
    const slow = rawConnection(node.base);
    slow.pause();
    for (let n = 0; n < 100; n++) slow.write(getText(`${path}?limit=1000`));
    const gone = Array.from({ length: 20 }, () => rawConnection(node.base));
    for (const each of gone) {
      each.write(getText(`${path}?limit=1000`));
      each.end();
    }
    const quick = rawConnection(node.base);
    for (let n = 0; n < 50; n++) {
      quick.write(getText(`${path}?limit=1`));
      expect((await quick.next()).status).toBe(200);
    }
    quick.end();
    slow.resume();
    for (let n = 0; n < 100; n++) expect((await slow.next()).body.equals(whole.body)).toBe(true);
    expect(slow.rest()).toHaveLength(0);
    slow.end();
  });

  it('is whole or not begun when the server stops under load', async () => {
    await warm('?limit=50');
    const other = await startNode({ databases: pair });
    const counts = { whole: 0, open: 0 };
    const readers = Array.from({ length: 16 }, async () => {
      const connection = rawConnection(other.base);
      for (;;) {
        connection.write(getText(`${path}?limit=50`));
        counts.open++;
        const answer = await connection.next().catch(() => undefined);
        if (!answer) break;
        counts.open--;
        expect(answer.status).toBe(200);
        counts.whole++;
        // A server that stops says that the connection ends.
        if (answer.headers.connection === 'close') {
          await connection.ended;
          break;
        }
      }
      // Nothing of an answer stands behind the last whole one.
      expect(connection.rest()).toHaveLength(0);
    });
    await waitFor(() => Promise.resolve(counts.whole > 500 ? true : undefined));
    const ending = await other.term();
    await Promise.all(readers);
    expect(ending).toMatchObject({ code: 0, signal: null });
    // What was answered was counted, and written down before the end.
    const { total } = expectStatus(
      await client(node.base, at.owner.token).get<{ total: { requests: number } }>(`${api}/usage?hours=2`),
      200,
    );
    expect(total.requests).toBeGreaterThan(500);
  });
});
