import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  sql,
  startNode,
  waitFor,
  world,
  type Table,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';
import { addIndex, heldSnapshot, indexesOf, physicalIndexes, settled, type Index } from '../support/indexes.js';

const ROWS = 300_000;

let pair: TestDatabases;
let nodes: readonly [TestNode, TestNode];
let at: World;
beforeAll(async () => {
  pair = await databases();
  nodes = await Promise.all([startNode({ databases: pair }), startNode({ databases: pair })]);
  at = await world(nodes[0].base);
  const { schema, table } = at.table.physical;
  await sql(
    pair.mini,
    `insert into "${schema}"."${table}" (_id, _version, _created_at, _updated_at, name, qty)
     select gen_random_uuid(), 1, now(), now(), 'N' || i, (i * 7919::bigint) % 100003 from generate_series(1, ${ROWS}) i`,
  );
}, 120_000);

/** The builds under way, as processes of PostgreSQL. */
const buildsOf = (): Promise<{ readonly pid: number }[]> =>
  sql(
    pair.mini,
    "select pid from pg_stat_activity where application_name = 'live-tables maintenance' and query like 'create index%' and state = 'active'",
  );

describe('two nodes', () => {
  it('build each index once, whoever asks for it where, and one of each base at a time', async () => {
    const as = nodes.map(({ base }) => client(base, at.owner.token));
    const bases = await Promise.all(
      ['A', 'B'].map(async (name) => {
        const path = `/workspaces/${at.workspace.id}/bases`;
        return expectStatus(await at.owner.post<{ id: string }>(path, { name }), 201).id;
      }),
    );
    const columns = ['A', 'B', 'C'].map((name) => ({ name, type: 'integer' }));
    const tables: Table[] = [];
    for (const id of bases)
      for (const name of ['X', 'Y'])
        tables.push(expectStatus(await at.owner.post<Table>(`/bases/${id}/tables`, { name, columns }), 201));

    const answers = await Promise.all(
      tables.flatMap((table) =>
        ['a', 'b', 'c'].flatMap((field) =>
          as.map(async (node) => ({
            table,
            answer: await node.post<Index>(`/tables/${table.id}/indexes`, { columns: [{ field }] }),
          })),
        ),
      ),
    );
    // The same was asked for on both: one is told that it is there.
    expect(answers.map(({ answer: { status } }) => status).toSorted()).toEqual([
      ...Array.from({ length: 12 }, () => 202),
      ...Array.from({ length: 12 }, () => 409),
    ]);
    let most = 0;
    const watch = setInterval(() => {
      void sql<{ n: number }>(
        pair.main,
        'select coalesce(max(n), 0)::integer as n from (select count(*) as n from table_indexes where lease_until is not null group by base_id) each',
      ).then(([row]) => (most = Math.max(most, row?.n ?? 0)));
    }, 50);
    for (const { table, answer } of answers.filter(({ answer: { status } }) => status === 202))
      expect((await settled(at.owner, table, answer.body.id, 60_000)).state).toBe('ready');
    clearInterval(watch);
    expect(most).toBeLessThanOrEqual(1);
    for (const table of tables) {
      const physical = await physicalIndexes(pair.mini, table);
      expect(physical.map(({ valid }) => valid)).toEqual([true, true, true, true]);
    }
  }, 90_000);
});

describe('a node that is killed in the middle of a build', () => {
  it('leaves it to another, which does it again and ends it; rows are written all the time', async () => {
    const [victim, other] = nodes;
    await other.term();
    // So that the build is surely under way when the node dies.
    const reader = await heldSnapshot(pair.mini);
    const index = await addIndex(at.owner, at.table, { columns: [{ field: 'qty', dir: 'desc' }] });
    const builds = async () => (await buildsOf())[0];
    const { pid } = await waitFor(builds, 30_000);
    const made = async () => (await physicalIndexes(pair.mini, at.table)).find(({ name }) => name === index.name);
    await waitFor(made, 60_000);

    const survivor = await startNode({ databases: pair });
    await victim.kill9();
    const as = client(survivor.base, at.owner.token);
    const writes = `/tables/${at.table.id}/rows`;
    expectStatus(await as.post(writes, { fields: { name: 'meanwhile', qty: 5 } }), 201);
    // What it left running in PostgreSQL is ended, and begun anew by the other.
    await waitFor(async () => (await buildsOf()).some((build) => build.pid !== pid), 60_000, 100);
    expect((await buildsOf()).map((build) => build.pid)).not.toContain(pid);
    expect((await indexesOf(as, at.table)).find(({ id }) => id === index.id)?.state).toBe('building');
    expectStatus(await as.post(writes, { fields: { name: 'still', qty: 6 } }), 201);

    await reader.end();
    expect((await settled(as, at.table, index.id, 60_000)).state).toBe('ready');
    expect(await made()).toMatchObject({ valid: true });
    const [row] = await sql<{ n: string }>(
      pair.main,
      'select count(*) as n from table_indexes where id = $1 and lease_until is null and leased_by is null',
      [index.id],
    );
    expect(row?.n).toBe('1');
  }, 180_000);
});
