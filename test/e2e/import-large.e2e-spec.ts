import { describe, expect, it, jest } from '@jest/globals';
import {
  databases,
  expectStatus,
  watchHeap,
  sql,
  startApp,
  startNode,
  waitFor,
  world,
  type TestDatabases,
  type World,
} from '../harness/index.js';

jest.setTimeout(300_000);

const COLUMNS = [
  { name: 'Name', type: 'text' },
  { name: 'Qty', type: 'integer' },
];
const file = (rows: number): string =>
  ['name,qty', ...Array.from({ length: rows }, (_, i) => `"row ${i}, with a text",${i}`)].join('\n');

/** Not the client of the other tests: that gives up after half a minute. */
const upload = ({ owner, table }: World, body: string): Promise<Response> =>
  fetch(`${owner.base}/api/v1/tables/${table.id}/import`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${owner.token ?? ''}` },
  });
const rowsIn = async ({ mini }: TestDatabases, { table }: World): Promise<number> => {
  const [row] = await sql<{ n: string }>(
    mini,
    `select count(*) as n from ${table.physical.schema}.${table.physical.table}`,
  );
  return Number(row?.n);
};
/** Whether somebody holds the table against writers. */
const isHeld = async ({ mini }: TestDatabases): Promise<boolean> => {
  const [row] = await sql<{ n: string }>(
    mini,
    `select count(*) as n from pg_locks where mode = 'ExclusiveLock' and locktype = 'relation' and granted`,
  );
  return Number(row?.n) > 0;
};

describe('an import', () => {
  it('leaves nothing behind when its server is killed', async () => {
    const pair = await databases();
    const node = await startNode({ databases: pair });
    const at = await world(node.base, { columns: COLUMNS });
    const ended = upload(at, file(100_000)).then(
      ({ status }) => status,
      () => 'cut off',
    );
    await waitFor(() => isHeld(pair));
    await node.kill9();
    expect(await ended).toBe('cut off');
    await waitFor(async () => !(await isHeld(pair)));
    expect(await rowsIn(pair, at)).toBe(0);
    const [stream] = await sql<{ seq: string }>(
      pair.mini,
      `select seq from ${at.table.physical.schema}._stream where table_id = $1`,
      [at.table.id],
    );
    expect(stream?.seq).toBe('0');
  });

  it('of 200,000 lines goes in and out in bounded memory', async () => {
    const pair = await databases();
    const app = await startApp({ databases: pair });
    const at = await world(app.base, { columns: COLUMNS });
    const body = file(200_000);
    const watch = watchHeap(2_000);
    let peak = 0;
    try {
      expect((await upload(at, body)).status).toBe(200);
      const out = await fetch(`${app.base}/api/v1/tables/${at.table.id}/export`, {
        headers: { authorization: `Bearer ${at.owner.token ?? ''}`, 'accept-encoding': 'identity' },
      });
      let lines = 0;
      for await (const piece of out.body ?? []) for (const byte of piece as Uint8Array) if (byte === 10) lines++;
      expect(lines).toBe(200_001);
    } finally {
      peak = watch.stop();
    }
    expect(await rowsIn(pair, at)).toBe(200_000);
    expect(peak).toBeGreaterThan(0);
    expect(peak / 2 ** 20).toBeLessThan(64);
    expectStatus(await at.owner.get(`/tables/${at.table.id}`), 200);
  });
});
