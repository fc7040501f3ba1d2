import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EventBus } from '../../src/modules/events/index.js';
import {
  client,
  databases,
  expectStatus,
  PASSWORD,
  startApp,
  startNode,
  waitFor,
  world,
  type TestApp,
} from '../harness/index.js';
import { guardedRedis, redisCluster, redisSentinel, type ClusterNode } from '../support/redis-kinds.js';

jest.setTimeout(90_000);

const LIMIT = 6;
const ENV = { RATE_LIMIT_AUTH_LIMIT: String(LIMIT), RATE_LIMIT_AUTH_WINDOW_SECONDS: '60', TRUST_PROXY: '1' };

let lastOctet = 0;
/** How many sign-ins from an address are let in over all nodes, where each of them is asked as often as one alone would allow. */
async function letIn(bases: readonly string[]): Promise<number> {
  const from = { 'x-forwarded-for': `203.0.113.${++lastOctet}` };
  const tries = Array.from({ length: LIMIT * bases.length }, (_, n) =>
    client(bases[n % bases.length] ?? '').post(
      '/auth/login',
      { email: `${randomUUID()}@example.org`, password: PASSWORD },
      from,
    ),
  );
  return (await Promise.all(tries)).filter(({ status }) => status === 401).length;
}

interface Health {
  readonly details: { readonly redis: { readonly status: string; readonly message?: string } };
}
const redisOf = async (base: string) => expectStatus(await client(base).get<Health>('/health'), 200).details.redis;

describe('a Redis Cluster', () => {
  let cluster: readonly ClusterNode[];
  let keeper: ClusterNode;
  let apps: readonly TestApp[];
  let slot: number;

  beforeAll(async () => {
    cluster = await redisCluster();
    const pair = await databases();
    slot = Number(await cluster[0]?.client.cluster('KEYSLOT', `{live-tables:${pair.main.database}}:limit`));
    const found = cluster.find((_, i) => slot < Math.floor((16_384 * (i + 1)) / cluster.length));
    if (!found) throw new Error('nobody has the slot');
    keeper = found;
    // Each node of ours is told of one that has none of the keys.
    const asked = cluster.filter((each) => each !== keeper);
    apps = await Promise.all(
      asked.map((each) => startApp({ databases: pair, redis: each, env: { ...ENV, LOG_LEVEL: 'silent' } })),
    );
  });

  const told = async (): Promise<void> => {
    const [here, there] = apps;
    const tableId = randomUUID();
    const heard = new Promise<void>((resolve) =>
      there?.app.get(EventBus).on('rows.changed', (hint) => (hint.tableId === tableId ? resolve() : undefined)),
    );
    here?.app.get(EventBus).publish('rows.changed', { schema: 'crm', tableId, seq: 1 });
    await heard;
  };
  const bases = () => apps.map(({ base }) => base);

  it('carries hints between nodes that ask different nodes of it, and keeps their counts together on a third', async () => {
    await waitFor(async () => (await letIn(bases())) === LIMIT, 20_000);
    expect(await letIn(bases())).toBe(LIMIT);
    await told();
    for (const base of bases()) expect(await redisOf(base)).toMatchObject({ status: 'up' });
    const names = await keeper.client.keys('*');
    expect(names.length).toBeGreaterThan(0);
    for (const each of cluster) if (each !== keeper) expect(await each.client.keys('*')).toEqual([]);
  });

  it('may lose the node that keeps the counts: each of ours counts for itself, until another has taken over', async () => {
    await keeper.kill();
    await told();
    const [base = ''] = bases();
    expectStatus(await (await world(base)).owner.get('/workspaces'), 200);
    await waitFor(async () => (await letIn(bases())) === LIMIT * 2, 20_000);
    const rest = cluster.filter((each) => each !== keeper);
    // What a replica does of itself when its master is gone: the slot has a new node, and all know.
    for (const { client: each } of rest) await each.call('CLUSTER', 'SETSLOT', slot, 'NODE', rest[0]?.id ?? '');
    await waitFor(async () => (await letIn(bases())) === LIMIT, 20_000);
  });
});

describe('a Redis that asks for TLS and a user', () => {
  it('is used by two nodes, with the rights that the documentation names', async () => {
    const pair = await databases();
    const name = pair.main.database;
    const rights = [
      ...['resetkeys', `~{live-tables:${name}}:*`, 'resetchannels', `&live-tables:${name}:*`, '-@all'],
      ...['+ping', '+info', '+client|setname', '+publish', '+subscribe'],
      ...['+eval', '+get', '+set', '+incrby', '+pttl', '+pexpire'],
    ];
    const { env, ...guarded } = await guardedRedis(rights);
    const options = { databases: pair, redis: guarded, env: { ...ENV, ...env } };
    const nodes = await Promise.all([startNode(options), startNode(options)]);
    const bases = nodes.map(({ base }) => base);
    await waitFor(async () => (await letIn(bases)) === LIMIT, 20_000);
    for (const base of bases) expect(await redisOf(base)).toMatchObject({ status: 'up' });
    const wrong = await startNode({ ...options, env: { ...options.env, REDIS_USERNAME: 'nobody', LOG_LEVEL: 'warn' } });
    expect(await redisOf(wrong.base)).toMatchObject({ status: 'degraded' });
    await waitFor(() => /cannot be reached \(.*(WRONGPASS|NOAUTH)/.test(wrong.output()), 10_000);
  });
});

describe('a Redis Sentinel', () => {
  it('is told from a Redis at the start, in one sentence, and the server goes on without', async () => {
    const node = await startNode({ redis: await redisSentinel(), env: { LOG_LEVEL: 'info' } });
    await waitFor(() => node.output().includes('is a Redis Sentinel'), 10_000);
    expect(node.output()).toContain('set REDIS_HOST and REDIS_PORT to the Redis itself');
    expect(node.output()).not.toContain('Connected to');
    expect(await redisOf(node.base)).toMatchObject({
      status: 'degraded',
      message: 'is a Redis Sentinel, which takes no messages and keeps no counts',
    });
    const { owner, table } = await world(node.base);
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'Acme' } }), 201);
  });
});
