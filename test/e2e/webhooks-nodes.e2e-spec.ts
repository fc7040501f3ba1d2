import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  startNode,
  waitFor,
  world,
  type Client,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { hangs, isSignedWith, receiver, takes, type Receiver } from '../support/webhook-receiver.js';

/** Longer than the lease of a node that is gone. */
const LONG = 60_000;

let pair: TestDatabases;

beforeAll(async () => {
  pair = await databases();
});

const hookOf = async ({ owner, workspace, table }: World, to: Receiver) =>
  expectStatus(
    await owner.post<{ id: string; secret: string }>(`/workspaces/${workspace.id}/webhooks`, {
      ...{ name: 'Hook', url: to.url, tables: [table.id] },
    }),
    201,
  );
const add = async (as: Client, { table }: World, name: string): Promise<void> => {
  expectStatus(await as.post(`/tables/${table.id}/rows`, { fields: { name } }), 201);
};
const seqs = ({ got }: Receiver) => got.map(({ body }) => body.data.seq);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('webhooks over nodes', () => {
  it('go on, in order and without a gap, where a node that was killed in the middle of an attempt had come to', async () => {
    const node = await startNode({ databases: pair });
    const at = await world(node.base);
    const to = await receiver();
    const { secret } = await hookOf(at, to);
    await add(at.owner, at, 'one');
    await waitFor(() => to.got.length === 1, LONG);
    to.answer = hangs;
    for (const name of ['two', 'three', 'four']) await add(at.owner, at, name);
    await waitFor(() => to.got.length === 2, LONG);
    await node.kill9();
    to.answer = takes;
    const next = await startNode({ databases: pair });
    await waitFor(() => to.got.length >= 5, LONG);
    expect(seqs(to)).toEqual([1, 2, 2, 3, 4]);
    expect(to.got[2]?.id).toBe(to.got[1]?.id);
    expect(to.got[2]?.text).toBe(to.got[1]?.text);
    expect(to.got.every((message) => isSignedWith(secret, message))).toBe(true);
    expect(node.output() + next.output()).not.toContain(secret);
    await next.kill9();
  }, 180_000);

  it('are delivered by one of them at a time, whichever was written to', async () => {
    const nodes = [await startNode({ databases: pair }), await startNode({ databases: pair })] as const;
    const at = await world(nodes[0].base);
    let open = 0;
    let most = 0;
    const to = await receiver((_, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        response.writeHead(200).end();
      }, 20);
    });
    await hookOf(at, to);
    const writers = nodes.map(({ base }) => client(base, at.owner.accessToken));
    const rows = 40;
    for (let n = 0; n < rows; n += 2)
      await Promise.all(writers.map((writer, nth) => add(writer, at, `row ${n + nth}`)));
    await waitFor(() => to.got.length >= rows, LONG);
    expect(seqs(to)).toEqual(upTo(rows));
    expect(most).toBe(1);
    for (const node of nodes) expect((await node.term()).code).toBe(0);
  }, 180_000);

  it('wait for a node that can read their secret, and are not given up by one that cannot', async () => {
    const node = await startNode({ databases: pair });
    const at = await world(node.base);
    const to = await receiver();
    const { id } = await hookOf(at, to);
    await node.term();
    // As in a rotation of the key that was not done on every node.
    const strange = await startNode({ databases: pair, env: { ENCRYPTION_KEY: randomBytes(32).toString('hex') } });
    const hook = `/workspaces/${at.workspace.id}/webhooks/${id}`;
    const there = client(strange.base, at.owner.accessToken);
    await add(there, at, 'one');
    const tried = await waitFor(async () => {
      const { data } = expectStatus(await there.get<{ data: object[] }>(`${hook}/deliveries`), 200);
      return data.length > 0 && data;
    }, LONG);
    expect(tried.at(-1)).toMatchObject({ outcome: 'failed', status: null, error: 'secret_unreadable', attempt: 1 });
    const asked = expectStatus(await there.post(`${hook}/test`), 200);
    expect(asked).toMatchObject({ outcome: 'failed', status: null, error: 'secret_unreadable', manual: true });
    const stands = { state: 'active', disabledReason: null };
    expect((await there.get(hook)).body).toMatchObject({ ...stands, failing: { attempts: expect.any(Number) } });
    const next = await startNode({ databases: pair });
    await waitFor(() => to.got.length > 0, LONG);
    expect(seqs(to)).toEqual([1]);
    await waitFor(async () => {
      const { body } = await client(next.base, at.owner.accessToken).get<{ failing: unknown }>(hook);
      return body.failing === null;
    }, LONG);
    expect((await there.get(hook)).body).toMatchObject(stands);
    for (const each of [strange, next]) await each.term();
  }, 180_000);

  it('are not sent to where they may not lead any more', async () => {
    const [open, closed] = [
      await startNode({ databases: pair }),
      await startNode({ databases: pair, env: { CONNECTIONS_ALLOWED_NETWORKS: '10.20.0.0/16' } }),
    ];
    const at = await world(open.base);
    const to = await receiver();
    const { id } = await hookOf(at, to);
    const from = client(closed.base, at.owner.accessToken);
    const tried = await from.post(`/workspaces/${at.workspace.id}/webhooks/${id}/test`);
    expect(expectStatus(tried, 200)).toMatchObject({ outcome: 'failed', status: null, error: 'host_not_allowed' });
    expect(to.got).toEqual([]);
  }, 120_000);
});
