import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ReadyAnswers } from '../../src/modules/publishing/public/ready-answers.js';
import {
  client,
  databases,
  expectStatus,
  redis,
  startApp,
  tcpProxy,
  waitFor,
  world,
  type TcpProxy,
  type TestApp,
  type TestRedis,
  type World,
} from '../harness/index.js';
import { getText, rawConnection, type RawAnswer } from '../support/raw-http.js';

jest.setTimeout(180_000);

/* Two nodes, of which the second reaches its databases over stretches of network that break. */

interface Key {
  readonly id: string;
  readonly key: string;
}

let nodes: readonly [TestApp, TestApp];
let toMain: TcpProxy;
let toMini: TcpProxy;
let shared: TestRedis;
let at: World;
let row: string;

beforeAll(async () => {
  const pair = await databases();
  shared = await redis();
  [toMain, toMini] = [await tcpProxy(pair.main), await tcpProxy(pair.mini)];
  const far = { main: { ...pair.main, port: toMain.port }, mini: { ...pair.mini, port: toMini.port } };
  nodes = [await startApp({ databases: pair, redis: shared }), await startApp({ databases: far, redis: shared })];
  at = await world(nodes[0].base);
  const made = await at.owner.post<{ id: string }>(`/tables/${at.table.id}/rows`, { fields: { name: 'Row', qty: 0 } });
  row = expectStatus(made, 201).id;
}, 120_000);

let views = 0;
async function published(settings: object = {}) {
  const definition = { source: { table: at.table.id }, columns: ['qty'] };
  const body = { name: `View ${(views += 1)}`, definition };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const all = { auth: 'public', rateLimit: { limit: 1_000_000, windowSeconds: 60 }, ...settings };
  const { slug } = expectStatus(await at.owner.post<{ slug: string }>(`/views/${id}/api`, all), 201);
  return { keys: `/views/${id}/api/keys`, path: `/public/views/${slug}/data` };
}

const given = (node: TestApp): number => node.app.get(ReadyAnswers, { strict: false }).hits;

/** Asks a node over a connection of its own, which a broken server must not close. */
function reader(node: TestApp, path: string, lines: readonly string[] = []) {
  const connection = rawConnection(node.base);
  const ask = (): Promise<RawAnswer> => {
    connection.write(getText(path, lines));
    return connection.next();
  };
  /** Until the answer is one that was given again. */
  const warm = (): Promise<true> =>
    waitFor(async () => {
      const before = given(node);
      return (await ask()).status === 200 && given(node) > before ? true : undefined;
    }, 20_000);
  return { ask, warm };
}

let number = 0;
/** Returns when the write was answered. */
async function write(node = nodes[0]): Promise<number> {
  const qty = (number += 1);
  const writer = client(node.base, at.owner.token);
  expectStatus(await writer.patch(`/tables/${at.table.id}/rows/${row}`, { fields: { qty } }), 200);
  return qty;
}
const told = ({ status, body }: RawAnswer): unknown =>
  status === 200 ? (JSON.parse(body.toString()) as { data: [{ qty: number }] }).data[0].qty : status;

describe('an answer that is given again', () => {
  it('is never older than a write that another node has answered, whatever becomes of Redis', async () => {
    const { path } = await published();
    const readers = nodes.map((node) => reader(node, path));
    const states: readonly (readonly [string, () => Promise<void> | void])[] = [
      ['there', () => undefined],
      ['silent', () => shared.hang()],
      ['gone', () => (shared.resume(), shared.kill())],
      ['back', () => shared.start()],
    ];
    for (const [state, come] of states) {
      await come();
      for (const { warm } of readers) await warm();
      const before = nodes.map(given);
      for (let n = 0; n < 12; n++) {
        const least = await write(nodes[n % 2]);
        expect([state, ...(await Promise.all(readers.map(async ({ ask }) => told(await ask()))))]).toEqual([state, least, least]); // prettier-ignore
        for (const { warm } of readers) await warm();
      }
      nodes.forEach((node, i) => expect(given(node)).toBeGreaterThanOrEqual((before[i] ?? 0) + 12));
    }
  });

  it.each([
    ['within a second', (): void => undefined, 1_000],
    ['within five where Redis is silent', (): void => shared.hang(), 5_000],
  ] as const)('opens nothing on any node with a key that was revoked, %s', async (_, come, withinMs) => {
    const view = await published({ auth: 'key' });
    const { id, key } = expectStatus(await at.owner.post<Key>(view.keys, { name: 'Key' }), 201);
    const [here, there] = nodes.map((node) => reader(node, view.path, [`X-API-Key: ${key}`]));
    if (!here || !there) throw new Error('two nodes');
    for (const { warm } of [here, there]) await warm();
    come();
    expectStatus(await at.owner.del(`${view.keys}/${id}`), 204);
    const until = performance.now() + withinMs;
    expect(told(await here.ask())).toBe(401);
    // The first refusal on the other node comes in time, and nothing but refusals behind it.
    while (told(await there.ask()) !== 401) expect(performance.now()).toBeLessThan(until);
    for (let n = 0; n < 20; n++) expect(told(await there.ask())).toBe(401);
    shared.resume();
  });
});

describe('where the way to the data is lost in the middle of answers that are given again', () => {
  it.each([
    ['breaks', () => toMini.cut()],
    ['leads nowhere', () => toMini.swallow()],
  ] as const)('because it %s, readers get what is true or an error, and the truth when it is back', async (_, lose) => {
    const { path } = await published();
    const readers = Array.from({ length: 8 }, () => reader(nodes[1], path));
    for (const { warm } of readers) await warm();
    const least = await write();
    // All of them are on their way when it is lost.
    const asked = readers.map(({ ask }) => ask());
    await lose();
    const later = await write();
    const behind = readers.map(async ({ ask }, i): Promise<RawAnswer> => {
      await asked[i];
      return ask();
    });
    setTimeout(() => void toMini.mend(), 500);
    for (const answer of await Promise.all(asked)) expect([least, later, 500, 503]).toContain(told(answer));
    for (const answer of await Promise.all(behind)) expect([later, 500, 503]).toContain(told(answer));
    for (const { ask, warm } of readers) {
      await warm();
      expect(told(await ask())).toBe(later);
    }
  });

  it('to the main database, they go on for moments only, and a key that is revoked meanwhile opens nothing then', async () => {
    const view = await published({ auth: 'key' });
    const { id, key } = expectStatus(await at.owner.post<Key>(view.keys, { name: 'Key' }), 201);
    const { ask, warm } = reader(nodes[1], view.path, [`X-API-Key: ${key}`]);
    await warm();
    // Nobody can be told of it either.
    shared.hang();
    await toMain.cut();
    expectStatus(await at.owner.del(`${view.keys}/${id}`), 204);
    const until = performance.now() + 5_000;
    while ((await ask()).status === 200) expect(performance.now()).toBeLessThan(until);
    for (let n = 0; n < 5; n++) expect([401, 500, 503]).toContain(told(await ask()));
    shared.resume();
    await toMain.mend();
    await waitFor(async () => told(await ask()) === 401, 20_000);
  });
});
