import { beforeAll, describe, expect, it } from '@jest/globals';
import { DriftChecker } from '../../src/modules/tables/drift/drift-checker.js';
import {
  client,
  databases,
  expectStatus,
  sleep,
  sql,
  startApp,
  waitFor,
  world,
  type Client,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { convertColumn } from '../support/conversions.js';
import { addIndex, physicalIndexes, settled, type Index } from '../support/indexes.js';
import { refusal } from '../support/rows.js';

interface Report {
  readonly obstacles: readonly object[];
  readonly indexes: readonly { readonly id: string; readonly unique: boolean; readonly state: string }[];
  readonly confirmToken: string;
}

let pair: TestDatabases;
let app: TestApp;
let at: World;
const ways = new Map<string, Client>();
beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
  // Each table with a row is large for this one.
  const large = await startApp({ databases: pair, env: { CONVERSION_BACKGROUND_ROWS: '0' } });
  ways.set('at once', at.owner).set('in the background', client(large.base, at.owner.token));
}, 60_000);

let made = 0;
async function newTable(cells: readonly string[]): Promise<{ readonly table: Table; readonly ids: readonly string[] }> {
  const columns = [
    { name: 'T', type: 'text' },
    { name: 'N', type: 'integer' },
  ];
  const answer = await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `Table ${++made}`, columns });
  const table = expectStatus(answer, 201);
  const ops = cells.map((t) => ({ op: 'create', fields: { t, n: 1 } }));
  const filled = await at.owner.post<{ results: { id: string }[] }>(`/tables/${table.id}/rows/bulk`, { ops });
  return { table, ids: expectStatus(filled, 200).results.map(({ id }) => id) };
}
const withIndex = async (table: Table, body: object): Promise<Index> => {
  const { id } = await addIndex(at.owner, table, body);
  const index = await settled(at.owner, table, id);
  expect(index.state).toBe('ready');
  return index;
};
const columnPath = ({ id, columns }: Table): string => `/tables/${id}/columns/${columns[0]?.id}`;
const tryOut = (table: Table, to: object, onError = 'abort') =>
  at.owner.post<Report & ProblemBody>(`${columnPath(table)}/convert`, { to, onError, dryRun: true });

const convert = (as: Client, table: Table, to: object, onError?: string) =>
  convertColumn(as, columnPath(table), to, onError);
const typeOf = async ({ id }: Table) => (await at.owner.get<Table>(`/tables/${id}`)).body.columns[0]?.type;
const add = ({ id }: Table, t: unknown, n: number) => at.owner.post<Row>(`/tables/${id}/rows`, { fields: { t, n } });
const there = async (table: Table, { name }: Index) =>
  (await physicalIndexes(pair.mini, table)).find((index) => index.name === name);
const noDrift = async () =>
  expect(await app.app.get(DriftChecker).check()).toMatchObject({ skipped: [], findings: [] });
const way = (name: string): Client => ways.get(name) ?? at.owner;

describe.each(['at once', 'in the background'])('an index of a column that is converted %s', (name) => {
  it('is built anew on the new column, and a unique one holds from the first moment on', async () => {
    const { table } = await newTable(['1', '2', '3']);
    const sorts = await withIndex(table, { columns: [{ field: 't', dir: 'desc' }] });
    const unique = await withIndex(table, { columns: [{ field: 't' }, { field: 'n' }], unique: true });
    expect(expectStatus(await tryOut(table, { type: 'integer' }), 200)).toMatchObject({
      obstacles: [],
      indexes: [
        { id: sorts.id, columns: [{ field: 't', dir: 'asc' }], unique: false, state: 'building' },
        { id: unique.id, columns: [{ field: 't' }, { field: 'n' }], unique: true, state: 'building' },
      ],
    });
    expect(await convert(way(name), table, { type: 'integer' })).toMatchObject({ state: 'done' });
    const clash = [409, 'unique_violation', '/fields/t unique_violation'];
    expect(refusal(await add(table, 2, 1))).toEqual(clash);
    expectStatus(await add(table, 2, 2), 201);
    await waitFor(async () => (await there(table, sorts))?.text.includes('(t NULLS FIRST, _id)'), 20_000);
    for (const { id } of [sorts, unique])
      expect(await settled(at.owner, table, id)).toMatchObject({
        state: 'ready',
        columns: [{ field: 't' }, {}].slice(0, id === sorts.id ? 1 : 2),
      });
    expect(await there(table, unique)).toMatchObject({
      valid: true,
      text: expect.stringContaining('(t NULLS FIRST, n NULLS FIRST)') as unknown,
    });
    expect(refusal(await add(table, 2, 2))).toEqual(clash);
    await noDrift();
  });

  it('is kept where the new values would repeat: the rows are named before and when it is asked for, and nothing has changed', async () => {
    const { table, ids } = await newTable(['7', '8', '7.0']);
    const unique = await withIndex(table, { columns: [{ field: 'n' }, { field: 't' }], unique: true });
    const to = { type: 'decimal', options: { scale: 1 } };
    const found = {
      pointer: '',
      code: 'values_repeat',
      detail: '1 values of n, t are in more than one row, which a unique index forbids.',
      count: 1,
      values: [{ values: { n: 1, t: '7.0' }, rows: 2, rowIds: [ids[0], ids[2]] }],
    };
    expect(expectStatus(await tryOut(table, to), 200).obstacles).toEqual([found]);
    expect(await convert(way(name), table, to)).toMatchObject({
      state: 'failed',
      error: { code: 'rows_in_the_way', errors: [found] },
    });
    expect([await typeOf(table), (await settled(at.owner, table, unique.id)).state]).toEqual(['text', 'ready']);
    expect(refusal(await add(table, '7', 1))).toEqual([409, 'unique_violation', '/fields/n unique_violation']);
    await noDrift();
    // With the rows out of the way it goes on.
    expectStatus(await at.owner.del(`/tables/${table.id}/rows/${ids[2]}`), 204);
    expect(await convert(way(name), table, to)).toMatchObject({ state: 'done' });
    expect(refusal(await add(table, '7', 1))).toEqual([409, 'unique_violation', '/fields/n unique_violation']);
    expect((await settled(at.owner, table, unique.id)).state).toBe('ready');
  });

  it('of a unique column names the rows whose new values would repeat', async () => {
    const { table, ids } = await newTable(['7', '8', '7.0']);
    expectStatus(await at.owner.patch(columnPath(table), { unique: true }), 200);
    expect(await convert(way(name), table, { type: 'decimal', options: { scale: 1 } })).toMatchObject({
      state: 'failed',
      error: {
        code: 'rows_in_the_way',
        errors: [{ pointer: '/unique', code: 'values_repeat', values: [{ value: '7.0', rowIds: [ids[0], ids[2]] }] }],
      },
    });
    expect(await typeOf(table)).toBe('text');
    await noDrift();
  });

  it('that cannot have the new type refuses it where it is unique, and else waits for one that it can have', async () => {
    const { table } = await newTable(['[1]', '[2]']);
    const unique = await withIndex(table, { columns: [{ field: 't' }], unique: true });
    const to = { type: 'json' };
    const refused = await tryOut(table, to);
    expect([refusal(refused), refused.body.errors]).toEqual([
      [422, 'validation_failed', '/to/type not_indexable'],
      [expect.objectContaining({ indexId: unique.id })],
    ]);
    expectStatus(await at.owner.del(`/tables/${table.id}/indexes/${unique.id}`), 202);

    const [sorts, searches] = [
      await withIndex(table, { columns: [{ field: 't' }, { field: 'n' }] }),
      await withIndex(table, { columns: [{ field: 't' }], kind: 'search' }),
    ];
    const states = expectStatus(await tryOut(table, to), 200).indexes.map(({ id, state }) => [id, state]);
    expect(states).toEqual([
      [sorts.id, 'failed'],
      [searches.id, 'failed'],
    ]);
    expect(await convert(way(name), table, to)).toMatchObject({ state: 'done' });
    const state = async ({ id }: Index) => {
      const { state: is, error } = await settled(at.owner, table, id);
      return error ? `${is} ${error.code}` : is;
    };
    for (const index of [sorts, searches]) {
      await waitFor(async () => (await state(index)) === 'failed not_indexable', 20_000);
      expect(await there(table, index)).toBeUndefined();
    }
    await noDrift();
    expect(await convert(way(name), table, { type: 'text' })).toMatchObject({ state: 'done' });
    for (const index of [sorts, searches]) {
      await waitFor(async () => (await state(index)) === 'ready', 20_000);
      expect(await there(table, index)).toMatchObject({ valid: true });
    }
    await noDrift();
  });

  it('is unique all the time, while several write the same values', async () => {
    const { table } = await newTable(Array.from({ length: 900 }, (_, i) => String(10_000 + i)));
    await withIndex(table, { columns: [{ field: 't' }, { field: 'n' }], unique: true });
    let ends = false;
    const statuses = new Set<number>();
    let written = 0;
    // Both write every value; one of them has to come too late.
    const write = async () => {
      for (let i = 0; !ends; i++) {
        const text = await add(table, String(i), 1);
        // Texts are not taken any more from the moment on at which there are integers.
        const { status } = text.status === 422 ? await add(table, i, 1) : text;
        statuses.add(status);
        if (status === 201) written++;
      }
    };
    const writing = [write(), write()];
    const to = { type: 'integer' };
    const tried = expectStatus(await tryOut(table, to), 200);
    const asked = await way(name).post(`${columnPath(table)}/convert`, {
      to,
      confirmToken: tried.confirmToken,
      acceptChanges: true,
    });
    expect([200, 202]).toContain(asked.status);
    await waitFor(async () => (await typeOf(table)) === 'integer', 30_000, 50);
    await sleep(300);
    ends = true;
    await Promise.all(writing);
    expect([...statuses].filter((status) => ![201, 409, 423].includes(status))).toEqual([]);
    expect(statuses.has(201) && statuses.has(409)).toBe(true);
    const place = `"${table.physical.schema}"."${table.physical.table}"`;
    expect(await sql(pair.mini, `select t, n from ${place} group by t, n having count(*) > 1`)).toEqual([]);
    const { body } = await at.owner.get<{ count: { value: number } }>(`/tables/${table.id}/rows?count=exact&limit=1`);
    expect(body.count.value).toBe(900 + written);
  }, 60_000);
});
