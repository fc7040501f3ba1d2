import { beforeAll, describe, expect, it } from '@jest/globals';
import { must, newId } from '../../src/common/index.js';
import { MiniMaintenance } from '../../src/database/mini/index.js';
import { MiniDbIndexes } from '../../src/engines/index.js';
import { loadConfig } from '../../src/config/index.js';
import {
  columnByKey,
  compileRead,
  CursorCodec,
  indexName,
  parseJsonFilter,
  resolveRead,
  sql,
  tableName,
  toStatement,
  type CellValue,
  type IndexKind,
  type IndexPlan,
  type ReadPlan,
  type SortInput,
  type TableSchema,
} from '../../src/query/index.js';
import { serverEnvironment } from '../harness/index.js';
import { NOW } from '../query/index.js';
import type { Node } from './store.js';
import { create, makeTable, node, writeOf } from './store.js';

const ROWS = 20_000;
const NEVER = new AbortController().signal;
const cursors = new CursorCodec(Buffer.alloc(32, 7));

let store: Node;
let indexes: MiniDbIndexes;
let table: TableSchema;
beforeAll(async () => {
  const config = loadConfig(await serverEnvironment({}));
  store = await node({ main: config.mainDb, mini: config.miniDb });
  indexes = new MiniDbIndexes(store.database, new MiniMaintenance(store.database, config));
  table = await makeTable(store);
  // Past the writer, which would take its time: a tenth of all values is null.
  await store.database.query(
    toStatement(sql`insert into ${tableName(table)}
      (_id, _version, _created_at, _updated_at, title, name, qty, amount, active, due, seen, status, notes)
    select gen_random_uuid(), 1, now(), now(), 'T' || i, v.name, v.qty, v.qty / 3.0, i % 2 = 0, date '2020-01-01' + v.qty::integer % 3000,
      timestamptz '2020-01-01' + make_interval(hours => v.qty::integer), (array['open', 'won', 'lost'])[1 + i % 3], md5(i::text)
    from generate_series(1, 20000) i,
      lateral (select case when i % 10 = 0 then null else (i * 7919) % 100003 end as qty, case when i % 10 = 1 then null else 'N' || (i * 31) % 5000 end as name) v`),
  );
  await store.database.query(toStatement(sql`analyze ${tableName(table)}`));
}, 60_000);

const keysOf = (sort: readonly SortInput[]): IndexPlan['keys'] =>
  sort.map(({ field, dir }) => ({ column: must(columnByKey(table, field), field), dir }));

const planOf = (sort: readonly SortInput[], filter?: unknown): ReadPlan =>
  resolveRead(
    { sort, limit: 50, count: 'none', ...(filter === undefined ? {} : { filter: parseJsonFilter(filter, '/filter') }) },
    table,
    { where: { kind: 'true' } },
    cursors,
    { now: NOW },
  ).plan;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The few rows of a page are sorted once more where branches are united; nothing else may be. */
const FEW = 51 * 5;

/** How PostgreSQL would run the page's own statement: what touches the table, by index, and every sort of more than a few rows. */
async function nodesOf(plan: ReadPlan): Promise<ReadonlySet<string>> {
  const [row] = await store.database.query(toStatement(sql`explain (format json) ${compileRead(plan).sql}`));
  const [{ Plan: top }] = JSON.parse(must(must(row, 'a plan')[0], 'a plan')) as [{ Plan: PlanNode }];
  const flat = (at: PlanNode): PlanNode[] => [at, ...(at.Plans ?? []).flatMap(flat)];
  const names = flat(top).flatMap((each) => {
    if (each['Node Type'].includes('Sort'))
      return each['Plan Rows'] > FEW ? [`a sort of ${each['Plan Rows']} rows`] : [];
    // Of a few rows that are tied; its child says by which index they are found.
    if (each['Node Type'] === 'Bitmap Heap Scan') return [];
    if (each['Relation Name'] === table.physical.table) return [each['Index Name'] ?? each['Node Type']];
    return each['Node Type'] === 'Bitmap Index Scan' ? [each['Index Name'] ?? ''] : [];
  });
  return new Set(names);
}

async function built(kind: IndexKind, sort: readonly SortInput[]): Promise<string> {
  const id = newId();
  await indexes.build(table, id, { kind, keys: keysOf(sort) }, false, NEVER);
  return indexName(table.id, id);
}

const opposite = (sort: readonly SortInput[]): SortInput[] =>
  sort.map(({ field, dir }) => ({ field, dir: dir === 'asc' ? 'desc' : 'asc' }));

const ORDERS: readonly (readonly [what: string, sort: readonly SortInput[]])[] = [
  ['a number', [{ field: 'qty', dir: 'asc' }]],
  ['a required text', [{ field: 'title', dir: 'desc' }]],
  ['a date', [{ field: 'due', dir: 'asc' }]],
  ['choices, in their order', [{ field: 'status', dir: 'asc' }]],
  ['two columns in opposite directions', [{ field: 'name', dir: 'asc' }, { field: 'seen', dir: 'desc' }]],
]; // prettier-ignore

/** A value that about half of the rows are behind. */
const MIDDLE: Readonly<Record<string, CellValue>> = {
  qty: 50_000,
  title: 'T5',
  due: '2024-01-01',
  seen: '2024-01-01T00:00:00.000Z',
  status: 'won',
  name: 'N2',
};

describe('an index for a sort', () => {
  it.each(ORDERS)(
    'by %s answers the first page and the next, forwards and backwards, without sorting',
    async (_, sort) => {
      const name = await built('sort', sort);
      for (const order of [sort, opposite(sort)]) {
        const first = planOf(order);
        expect(await nodesOf(first)).toEqual(new Set([name]));
        const { next } = await store.engine.read(first);
        expect(await nodesOf({ ...first, after: must(next, 'a second page') })).toEqual(new Set([name]));
        const middle = sort.map(({ field }) => must(MIDDLE[field], field));
        expect(await nodesOf({ ...first, after: [...middle, newId()] })).toEqual(new Set([name]));
      }
    },
  );
});

describe('an index for filters', () => {
  it('answers equality with a choice and a sort at once', async () => {
    const name = await built('filter', [{ field: 'status', dir: 'asc' }, { field: 'amount', dir: 'asc' }]); // prettier-ignore
    const filter = { field: 'status', op: 'eq', value: 'won' };
    expect(await nodesOf(planOf([{ field: 'amount', dir: 'desc' }], filter))).toEqual(new Set([name]));
  });
});

describe('an index for searches', () => {
  it('answers contains, whatever the letter case', async () => {
    const name = await built('search', [{ field: 'notes', dir: 'asc' }]);
    const plan = planOf([], { field: 'notes', op: 'contains', value: 'A87FF679A2F3E71' });
    expect(await nodesOf(plan)).toContain(name);
    expect((await store.engine.read(plan)).data).toContain('a87ff679a2f3e71d9181a67b7542122c');
  });
});

describe('a build', () => {
  it('that finds a value too long for it leaves nothing behind, and the next such value is written', async () => {
    const other = await makeTable(store);
    // Random, so that compression does not make it short.
    const long = Array.from({ length: 4_000 }, () =>
      String.fromCodePoint(0x4e00 + Math.floor(Math.random() * 20_000)),
    ).join('');
    await store.writer.write(other, writeOf([create(other, { title: 'x', name: long })]));
    const id = newId();
    const plan: IndexPlan = { kind: 'sort', keys: [{ column: must(columnByKey(other, 'name'), 'name'), dir: 'asc' }] };
    await expect(indexes.build(other, id, plan, false, NEVER)).rejects.toMatchObject({ code: '54000' });
    const left = await store.database.query({
      text: 'select relname from pg_class where relname = $1',
      values: [indexName(other.id, id)],
    });
    expect(left).toEqual([]);
    await store.writer.write(other, writeOf([create(other, { title: 'y', name: long })]));
  });

  it('may be repeated, and makes anew what is not as planned', async () => {
    const id = newId();
    const plan: IndexPlan = { kind: 'sort', keys: keysOf([{ field: 'active', dir: 'asc' }]) };
    const oid = async () =>
      (
        await store.database.query({
          text: 'select oid from pg_class where relname = $1',
          values: [indexName(table.id, id)],
        })
      )[0]?.[0];
    await indexes.build(table, id, plan, true, NEVER);
    const first = await oid();
    await indexes.build(table, id, plan, true, NEVER);
    expect(await oid()).toBe(first);
    const wider = { ...plan, keys: keysOf([{ field: 'active', dir: 'asc' }, { field: 'qty', dir: 'asc' }]) }; // prettier-ignore
    await indexes.build(table, id, wider, true, NEVER);
    expect(await oid()).not.toBe(first);
    await indexes.drop(table.physical.schema, table.id, id, NEVER);
    await indexes.drop(table.physical.schema, table.id, id, NEVER);
    expect(await oid()).toBeUndefined();
  });
});

it('knows how many rows there are, about', async () => {
  const rows = await indexes.estimatedRows(table);
  expect(Math.abs(rows - ROWS)).toBeLessThan(ROWS / 5);
});
