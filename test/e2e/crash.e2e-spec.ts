import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  sleep,
  sql,
  startNode,
  waitFor,
  world,
  type Client,
  type Column,
  type Row,
  type Table,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';
import { loggedChanges, replay, storedRows } from '../support/changes.js';

interface Bulk {
  readonly results: readonly { readonly id: string; readonly row: Row }[];
}

const BULK = 120;

let pair: TestDatabases;
let node: TestNode;
let at: World;
beforeAll(async () => {
  pair = await databases();
  node = await startNode({ databases: pair });
  at = await world(node.base, {
    columns: [
      { name: 'Name', type: 'text', required: true },
      { name: 'Qty', type: 'integer' },
    ],
  });
}, 120_000);

/** What clients were told: the version that a row has at least. */
type Acknowledged = Map<string, number>;

/** A connection that ends is what we wait for; everything else is a wrong answer. */
const isDeath = (error: unknown): boolean =>
  /^(fetch failed|terminated)$/.test((error as { readonly message: string }).message);

/** Writers that go on until the server is gone, and remember what it said before. */
function load(table: Table, as: Client) {
  const acknowledged: Acknowledged = new Map();
  const rows = `/tables/${table.id}/rows`;
  const acknowledge = ({ id, version }: Row) => acknowledged.set(id, Math.max(version, acknowledged.get(id) ?? 0));
  const untilItDies = async (step: (i: number) => Promise<void>) => {
    try {
      for (let i = 0; ; i++) await step(i);
    } catch (error) {
      if (!isDeath(error)) throw error;
    }
  };
  const bulk = (nr: number) =>
    untilItDies(async (i) => {
      const ops = Array.from({ length: BULK }, (_, n) => ({
        op: 'create',
        fields: { name: `bulk ${nr}`, qty: i * BULK + n },
      }));
      const { results } = expectStatus(await as.post<Bulk>(`${rows}/bulk`, { ops }), 200);
      for (const { row } of results) acknowledge(row);
    });
  const single = (nr: number) =>
    untilItDies(async (i) => {
      const row = expectStatus(await as.post<Row>(rows, { fields: { name: `single ${nr}`, qty: i } }), 201);
      acknowledge(row);
      acknowledge(
        expectStatus(await as.patch<Row>(`${rows}/${row.id}`, { fields: { qty: -i - 1 } }, { 'if-match': '"1"' }), 200),
      );
    });
  const done = Promise.all([bulk(0), bulk(1), bulk(2), ...Array.from({ length: 8 }, (_, nr) => single(nr))]);
  return { acknowledged, done };
}

const restart = async (): Promise<Client> => {
  node = await startNode({ databases: pair });
  return client(node.base, at.owner.token);
};

describe('a node that is killed under load', () => {
  it('has lost no acknowledged write after its restart, has half of none, and its log is the table', async () => {
    let as: Client = at.owner;
    const known: Acknowledged = new Map();
    for (const turn of [1, 2]) {
      const { acknowledged, done } = load(at.table, as);
      await waitFor(() => acknowledged.size > turn * 500, 20_000);
      await node.kill9();
      await done;
      as = await restart();
      for (const [id, version] of acknowledged) known.set(id, version);

      const changes = await loggedChanges(pair.mini, at.table);
      const stored = await storedRows(pair.mini, at.table);
      expect(replay(changes)).toEqual(stored);
      const lost = [...known].filter(([id, version]) => (stored.get(id)?.version ?? 0) < version);
      expect(lost).toEqual([]);
      const sizes = new Map<number, number>();
      for (const { seq } of changes) sizes.set(seq, (sizes.get(seq) ?? 0) + 1);
      expect(new Set(sizes.values())).toEqual(new Set([1, BULK]));
      const { count, meta } = expectStatus(
        await as.get<{ count: { value: number }; meta: { seq: number } }>(
          `/tables/${at.table.id}/rows?count=exact&limit=1`,
        ),
        200,
      );
      expect([count.value, meta.seq]).toEqual([stored.size, changes.at(-1)?.seq]);
    }
  }, 60_000);

  it('leaves no structure change half done: the table is usable at once, and both databases agree', async () => {
    const as = client(node.base, at.owner.token);
    const { done } = load(at.table, as);
    const changing = (async () => {
      try {
        for (let i = 0; ; i++) {
          const column = await as.post<Column>(`/tables/${at.table.id}/columns`, {
            name: `C${i}`,
            type: 'text',
            default: 'd',
          });
          if (column.status === 201) await as.del(`/tables/${at.table.id}/columns/${column.body.id}`);
        }
      } catch (error) {
        if (!isDeath(error)) throw error;
      }
    })();
    const changed = async () =>
      Number((await sql<{ n: string }>(pair.main, "select count(*) as n from schema_ops where state = 'done'"))[0]?.n);
    const before = await changed();
    await waitFor(async () => (await changed()) > before + 2, 20_000);
    await sleep(Math.random() * 100);
    await node.kill9();
    await Promise.all([done.catch(() => undefined), changing]);

    const again = await restart();
    expectStatus(await again.get(`/tables/${at.table.id}/rows?limit=1`), 200);
    const table = expectStatus(await again.get<Table>(`/tables/${at.table.id}`), 200);
    expectStatus(await again.post(`/tables/${at.table.id}/rows`, { fields: { name: 'after' } }), 201);
    const columns = await sql<{ name: string }>(
      pair.mini,
      "select column_name as name from information_schema.columns where table_schema = $1 and table_name = $2 and column_name not like '\\_%'",
      [table.physical.schema, table.physical.table],
    );
    expect(columns.map(({ name }) => name).toSorted()).toEqual(table.columns.map(({ key }) => key).toSorted());
    expect(replay(await loggedChanges(pair.mini, table))).toEqual(await storedRows(pair.mini, table));
  }, 60_000);
});
