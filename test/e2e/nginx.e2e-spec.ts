import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  databases,
  expectStatus,
  nginxBefore,
  redis,
  sleep,
  startNode,
  waitFor,
  world,
  type ServerOptions,
  type TestNode,
  type World,
} from '../harness/index.js';
import { bothSides, liveClient } from '../support/live-client.js';

jest.setTimeout(90_000);

/** Two built nodes of one installation, and nginx before them as `ops/nginx.conf` says. */
let options: ServerOptions;
let nodes: TestNode[];
let proxy: string;
let at: World;
beforeAll(async () => {
  options = { databases: await databases(), redis: await redis(), env: { TRUST_PROXY: '1' } };
  nodes = await Promise.all([startNode(options), startNode(options)]);
  const [one = '', two = ''] = nodes.map(({ base }) => base);
  proxy = await nginxBefore([one, two]);
  at = await world(proxy);
});

/** The sum of a number over its series, as a node itself tells it. */
async function figure({ base }: TestNode, name: string): Promise<number> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** A copy of the table that is kept over one transport only. */
const follow = async (transport: 'websocket' | 'polling') => {
  const client = await liveClient(at.owner, proxy, {
    socket: { transports: [transport], reconnectionDelay: 20, reconnectionDelayMax: 100 },
  });
  const copy = client.liveTable(at.table.id);
  await copy.until();
  return { client, copy };
};

/** Creates a row, and repeats the call under its key until it is acknowledged. Gives how often it was not. */
async function insistOn(name: string): Promise<number> {
  const key = randomUUID();
  for (let failures = 0; ; failures++) {
    const answer = await fetch(`${proxy}/api/v1/tables/${at.table.id}/rows`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${at.owner.accessToken}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ fields: { name } }),
    }).catch(() => undefined);
    const text = await answer?.text();
    if (answer?.status === 201) return failures;
    // What a proxy says of a node that went away, and a node of itself while it goes.
    if (answer && answer.status !== 502 && answer.status !== 503 && answer.status !== 409)
      throw new Error(`${answer.status}: ${text ?? ''}`);
    await sleep(20);
  }
}

describe('two nodes behind nginx', () => {
  it('both get requests, and show their numbers to nobody through it', async () => {
    const before = await Promise.all(nodes.map((node) => figure(node, 'http_request_duration_seconds_count')));
    for (let i = 0; i < 20; i++) expectStatus(await at.owner.get(`/tables/${at.table.id}/rows`), 200);
    const after = await Promise.all(nodes.map((node) => figure(node, 'http_request_duration_seconds_count')));
    for (const i of [0, 1]) expect(after[i]).toBeGreaterThan(before[i] ?? 0);
    expect((await fetch(`${proxy}/metrics`)).status).toBe(404);
  });

  it('lose no write and no event while one of them stops under load, and take it in again', async () => {
    const followers = await Promise.all((['websocket', 'polling', 'websocket', 'polling'] as const).map(follow));
    let resets = 0;
    for (const { client } of followers)
      client.connection.on('control', ({ type }) => (resets += Number(type === 'reset')));
    // nginx sends the sockets of one address to one node: that is the one that stops.
    const sockets = await Promise.all(nodes.map((node) => figure(node, 'live_tables_sockets')));
    expect([...sockets].sort()).toEqual([0, followers.length]);
    const going = sockets[0] === 0 ? 1 : 0;
    const [leaving, staying] = [nodes[going], nodes[1 - going]];
    if (!leaving || !staying) throw new Error('there are two nodes');

    const written: string[] = [];
    let stopped = false;
    const writing = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 0; n < 15 || !stopped || n < 30; n++) {
          const name = `${writer}/${n}`;
          await insistOn(name);
          written.push(name);
        }
      }),
    );
    await waitFor(() => written.length >= 40);
    expect(await leaving.term()).toMatchObject({ code: 0, signal: null });
    stopped = true;
    await writing;

    await waitFor(async () => (await figure(staying, 'live_tables_sockets')) === followers.length, 20_000);
    const [{ client } = await follow('websocket')] = followers;
    const { meta } = await client.table(at.table.id).page({ pageSize: 1 });
    // Each was written once, however often it was sent.
    expect(meta.seq).toBe(written.length);
    for (const { copy } of followers) {
      await copy.until(meta.seq);
      const [mine, theirs] = await bothSides(copy, client);
      expect(mine).toEqual(theirs);
      expect([...copy.rows.values()].map(({ fields }) => fields.name).sort()).toEqual([...written].sort());
    }
    expect(resets).toBe(0);

    const back = await startNode({ ...options, env: { ...options.env, PORT: new URL(leaving.base).port } });
    nodes[going] = back;
    await waitFor(async () => {
      expectStatus(await at.owner.get(`/tables/${at.table.id}/rows`), 200);
      return (await figure(back, 'live_tables_mini_db_work_seconds_count')) > 0;
    }, 20_000);
  });
});
