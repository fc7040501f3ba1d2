import { beforeAll, describe, expect, it } from '@jest/globals';
import { AdvisedIndexes, AUTOMATIC_USES } from '../../src/modules/tables/indexes/advised-indexes.js';
import { UsageCounter } from '../../src/modules/tables/index.js';
import {
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { addIndex, indexesOf, settled } from '../support/indexes.js';

interface Advice {
  readonly columns: readonly { readonly field: string; readonly dir: string }[];
  readonly kind: string;
  readonly reason: string;
  readonly uses: number;
  readonly lastUsedAt: string;
  readonly estimatedRows: number;
}

let pair: TestDatabases;
let app: TestApp;
let other: TestApp;
let at: World;
beforeAll(async () => {
  pair = await databases();
  const options = { databases: pair, env: { INDEX_ADVICE: 'auto' } };
  [app, other] = await Promise.all([startApp(options), startApp(options)]);
  at = await world(app.base);
}, 60_000);

let tables = 0;
/** With so many rows, put there past the API, and counted by PostgreSQL. */
async function tableOf(rows: number): Promise<Table> {
  const columns = [
    { name: 'Name', type: 'text' },
    { name: 'Code', type: 'text', options: { maxLength: 20 } },
    { name: 'Qty', type: 'integer' },
  ];
  const body = { name: `Table ${++tables}`, columns };
  const table = expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, body), 201);
  const name = `"${table.physical.schema}"."${table.physical.table}"`;
  await sql(
    pair.mini,
    `insert into ${name} (_id, _version, _created_at, _updated_at, name, code, qty)
     select gen_random_uuid(), 1, now(), now(), 'N' || i, 'C' || i, i from generate_series(1, ${rows}) i`,
  );
  await sql(pair.mini, `analyze ${name}`);
  return table;
}

const read = async ({ id }: Table, query: string, times = 1): Promise<void> => {
  for (let i = 0; i < times; i++) expectStatus(await at.owner.get(`/tables/${id}/rows?limit=1&${query}`), 200);
};
const adviceFor = async ({ id }: Table): Promise<readonly Advice[]> => {
  await app.app.get(UsageCounter).flush();
  return expectStatus(await at.owner.get<{ data: readonly Advice[] }>(`/tables/${id}/indexes/advice`), 200).data;
};
const brief = ({ kind, columns, uses }: Advice) => [
  [kind, ...columns.map(({ field, dir }) => (dir === 'desc' ? `-${field}` : field))].join(' '),
  uses,
];

describe('the advice on indexes', () => {
  it('is what reads would have used, most of all first, until an index is there; with no value of any read', async () => {
    const table = await tableOf(12_000);
    await read(table, 'sort=-qty', 2);
    await read(table, 'sort=qty');
    await read(table, 'filter=name.eq.mySecretValue&sort=qty', 2);
    await read(table, 'filter=name.contains.mySecretValue');
    await read(table, '');
    await read(table, 'filter=name.neq.x');
    const advice = await adviceFor(table);
    expect(advice.map(brief)).toEqual([
      ['sort qty', 3],
      ['sort name qty', 2],
      ['search name', 1],
    ]);
    expect(advice[0]?.reason).toBe('Reads sort by qty without an index for it.');
    expect(advice[1]?.reason).toBe('Reads filter by name and sort by qty without an index for it.');
    expect(Math.abs((advice[0]?.estimatedRows ?? 0) - 12_000)).toBeLessThan(3_000);
    expect(JSON.stringify(await sql(pair.main, 'select * from index_usage'))).not.toContain('mySecretValue');

    // What both nodes counted is added up.
    await other.app.get(UsageCounter).flush();
    await read(table, 'sort=qty');
    expect((await adviceFor(table)).map(brief)[0]).toEqual(['sort qty', 4]);

    const index = await addIndex(at.owner, table, { columns: [{ field: 'qty' }] });
    await settled(at.owner, table, index.id);
    expect((await adviceFor(table)).map(brief)).toEqual([
      ['sort name qty', 2],
      ['search name', 1],
    ]);
  });

  it('leaves small tables alone', async () => {
    const table = await tableOf(500);
    await read(table, 'sort=qty', 3);
    expect(await adviceFor(table)).toEqual([]);
  });
});

describe('with INDEX_ADVICE=auto', () => {
  const runBoth = () => Promise.all([app, other].map((each) => each.app.get(AdvisedIndexes).run()));

  it('what is used often is added once, whichever nodes find it, by the system; what could refuse a row is not', async () => {
    const table = await tableOf(12_000);
    await read(table, 'sort=code');
    await read(table, 'sort=name');
    await read(table, 'sort=-qty');
    await app.app.get(UsageCounter).flush();
    await runBoth();
    const own = async () => (await indexesOf(at.owner, table)).filter(({ automatic }) => !automatic);
    expect(await own()).toEqual([]);

    // As if the day had been long.
    await sql(pair.main, 'update index_usage set uses = $2 where table_id = $1 and shape not like $3', [
      table.id,
      AUTOMATIC_USES + 1,
      `%-${table.columns[2]?.id ?? ''}`,
    ]);
    await runBoth();
    await runBoth();
    // Names have no limit: an index of them would refuse the longest.
    expect((await own()).map(({ columns, createdBy }) => [columns[0]?.field, createdBy])).toEqual([['code', null]]);
    const [index] = await own();
    expect((await settled(at.owner, table, index?.id ?? '')).state).toBe('ready');
    const audited = await sql(
      pair.main,
      'select action, actor_via as via, request_id as request from audit_log where resource_id = $1',
      [index?.id],
    );
    expect(audited).toEqual([{ action: 'index.created', via: 'system', request: 'index-advice' }]);
  });
});
