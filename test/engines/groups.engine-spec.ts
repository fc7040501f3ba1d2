import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../src/common/index.js';
import {
  CursorCodec,
  evaluateGroups,
  identityOf,
  kindOf,
  parseJsonFilter,
  resolveGroups,
  type CellValue,
  type ColumnSchema,
  type EvaluatedGroup,
  type EvaluatedRow,
  type GroupPlan,
  type GroupRequest,
  type Scalar,
  type TableSchema,
} from '../../src/query/index.js';
import { arbitrary, everyType, fuzz, groupQuery, NOW, type GroupQuery } from '../query/index.js';
import { makeLinkedBase } from './linked-base.js';
import { LinkedModel } from './linked-model.js';
import { randomOf } from '../support/random.js';
import { randomOps } from './linked-writes.js';
import { create, fill, makeTable, node, remove, writeOf, type Node } from './store.js';

const cursors = new CursorCodec(Buffer.alloc(32, 7));

let store: Node;
beforeAll(async () => {
  store = await node();
});

interface GroupJson {
  readonly group: Readonly<Record<string, CellValue>>;
  readonly values: Readonly<Record<string, CellValue>>;
}

type Asked = Partial<GroupQuery & Pick<GroupRequest, 'limit' | 'count'>> & { readonly filterJson?: unknown };

function planOf(table: TableSchema, { filterJson, havingJson, ...rest }: Asked): GroupPlan {
  const filter = filterJson === undefined ? {} : { filter: parseJsonFilter(filterJson, '/filter') };
  const having = havingJson === undefined ? {} : { having: parseJsonFilter(havingJson, '/having') };
  const request: GroupRequest = {
    groupBy: [], aggregates: [], sort: [], limit: 1000, count: 'none', timeZone: 'UTC', ...filter, ...having, ...rest,
  }; // prettier-ignore
  return resolveGroups(request, table, { where: { kind: 'true' } }, cursors, { now: NOW }).plan;
}

async function page(plan: GroupPlan) {
  const { data, ...rest } = await store.engine.readGroups(plan);
  return { ...rest, groups: JSON.parse(`[${data}]`) as GroupJson[] };
}

/** Every page to the end; `between` runs after each page. */
async function walk(plan: GroupPlan, between: () => Promise<void> = () => Promise.resolve()): Promise<GroupJson[]> {
  const groups: GroupJson[] = [];
  for (let after: GroupPlan['after'], pages = 0; pages < 1000; pages++) {
    const found = await page(after ? { ...plan, after } : plan);
    groups.push(...found.groups);
    if (!found.next) return groups;
    expect(found.groups).toHaveLength(plan.limit);
    after = found.next;
    await between();
  }
  throw new Error('the pages do not end');
}

/** Numbers by value and not by notation; an empty list is null. */
function plain(column: ColumnSchema, value: CellValue): CellValue {
  const one = (each: Scalar): Scalar => (typeof each === 'string' ? identityOf(kindOf(column), each) : each);
  if (Array.isArray(value)) return value.length === 0 ? null : (value as readonly Scalar[]).map(one);
  return one(value as Scalar);
}

const outputs = ({ groups, aggregates }: GroupPlan) => [...groups, ...aggregates].map(({ output }) => output);

const comparable = (plan: GroupPlan, values: EvaluatedGroup): EvaluatedGroup =>
  Object.fromEntries(outputs(plan).map((output) => [output.key, plain(output, values[output.key] ?? null)]));

const read = (plan: GroupPlan, found: readonly GroupJson[]): EvaluatedGroup[] =>
  found.map(({ group, values }) => {
    expect(Object.keys(group)).toEqual(plan.groups.map(({ output }) => output.key));
    expect(Object.keys(values)).toEqual(plan.aggregates.map(({ output }) => output.key));
    return comparable(plan, { ...group, ...values });
  });

const expected = (plan: GroupPlan, rows: readonly EvaluatedRow[]): EvaluatedGroup[] =>
  evaluateGroups({ ...plan, limit: Infinity }, rows).map((values) => comparable(plan, values));

/** An average of numbers with very many digits is not told to the last of them. */
const withinDigits = ({ key }: ColumnSchema, fn: string): boolean => fn !== 'avg' || ['stars', 'share'].includes(key);
const shares = fc.array(fc.integer({ min: -99_999, max: 99_999 }), { minLength: 40, maxLength: 40 });

describe('groups are what the plan means', () => {
  it('for any table, rows, filter, groups, buckets, zones, aggregates, having, sort and limit, walked to the end', async () => {
    const made = everyType();
    const example = fc.record({
      rows: fc.array(arbitrary.fields(made), { maxLength: 40 }),
      shares,
      queries: fc.array(
        fc.record({
          query: groupQuery(made, withinDigits),
          filterJson: fc.option(arbitrary.filter(made), { nil: undefined, freq: 2 }),
          limit: fc.integer({ min: 1, max: 9 }),
        }),
        { minLength: 8, maxLength: 8 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ rows, queries, ...given }) => {
        const real = await makeTable(store, made);
        const filled = rows.map((row, i) => ({ ...row, share: ((given.shares[i] ?? 0) / 100).toFixed(2) }));
        const oracle = await fill(store, real, filled);
        for (const { query, ...rest } of queries) {
          const plan = planOf(real, { ...query, ...rest });
          const wanted = expected(plan, oracle);
          expect({ query, groups: read(plan, await walk(plan)) }).toEqual({ query, groups: wanted });
          const { count } = await page({ ...plan, count: 'exact', limit: 1 });
          expect(count).toEqual({ mode: 'exact', value: wanted.length, relation: 'exact' });
        }
      }),
      { ...fuzz(60), endOnFailure: true },
    );
  });

  it('behind any position that a page may end at', async () => {
    const made = everyType();
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitrary.fields(made), { minLength: 2, maxLength: 15 }),
        groupQuery(made, withinDigits),
        async (rows, query) => {
          const real = await makeTable(store, made);
          const oracle = await fill(
            store,
            real,
            rows.map((row) => ({ ...row, share: '1' })),
          );
          const plan = planOf(real, query);
          const all = expected(plan, oracle);
          for (const [i] of all.entries()) {
            const { next } = await page({ ...plan, limit: i + 1 });
            if (!next) continue;
            const rest = { ...plan, after: next };
            expect(read(plan, (await page(rest)).groups)).toEqual(all.slice(i + 1));
            expect(expected(rest, oracle)).toEqual(all.slice(i + 1));
          }
        },
      ),
      fuzz(20),
    );
  });

  it('of links, lookups, rollups and counts, too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const base = await makeLinkedBase(store);
        const model = new LinkedModel(base.all);
        const random = randomOf(seed);
        for (let i = 0; i < 20; i++) {
          const table = must(base.all[Math.floor(random() * base.all.length)], 'three tables');
          const ops = randomOps(random, model, table);
          if (ops.length === 0) continue;
          model.apply(table, ops);
          await store.writer.write(table, writeOf(ops));
        }
        for (const table of [base.deals, base.companies]) {
          const rows = model.evaluated(table);
          for (const query of fc.sample(groupQuery(table), { numRuns: 15, seed })) {
            const plan = planOf(table, { ...query, limit: 4 });
            expect({ query, groups: read(plan, await walk(plan)) }).toEqual({ query, groups: expected(plan, rows) });
          }
        }
      }),
      { ...fuzz(5), endOnFailure: true },
    );
  });
});

describe('buckets of instants', () => {
  const bucketed = async (zone: string, bucket: string, instants: readonly string[]) => {
    const real = await makeTable(store);
    const rows = await fill(
      store,
      real,
      instants.map((seen) => ({ title: 'x', seen })),
    );
    const asked = { groupBy: [{ field: 'seen', bucket }], aggregates: [{ as: 'n', fn: 'count' }], timeZone: zone };
    const plan = planOf(real, asked);
    const { groups } = await page(plan);
    expect(read(plan, groups)).toEqual(expected(plan, rows));
    return groups.map(({ group, values }) => [group.seen, values.n]);
  };

  it('begin where the clock of the zone says, on the days on which it is put forward and back, too', async () => {
    expect(
      await bucketed('Europe/Berlin', 'day', [
        '2026-03-28T22:59:59.999Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z',
        '2026-10-24T22:00:00Z', '2026-10-25T22:59:59Z', '2026-10-25T23:00:00Z',
      ]),
    ).toEqual([['2026-03-28', 1], ['2026-03-29', 2], ['2026-03-30', 1], ['2026-10-25', 2], ['2026-10-26', 1]]);
    expect(await bucketed('America/New_York', 'month', ['2026-11-01T03:59:59Z', '2026-11-01T04:00:00Z', '2026-12-01T04:59:59Z'])).toEqual([
      ['2026-10-01', 1],
      ['2026-11-01', 2],
    ]);
    expect(await bucketed('UTC', 'week', ['2026-11-22T23:59:59Z', '2026-11-23T00:00:00Z'])).toEqual([['2026-11-16', 1], ['2026-11-23', 1]]);
    expect(await bucketed('Asia/Kolkata', 'quarter', ['2026-06-30T18:29:59Z', '2026-06-30T18:30:00Z'])).toEqual([['2026-04-01', 1], ['2026-07-01', 1]]);
    expect(await bucketed('Asia/Kolkata', 'year', ['2026-12-31T18:29:59Z', '2026-12-31T18:30:00Z'])).toEqual([['2026-01-01', 1], ['2027-01-01', 1]]);
  }); // prettier-ignore

  it('are two hours where the clock shows one twice, and hours of a zone that is half an hour off', async () => {
    expect(
      await bucketed('Europe/Berlin', 'hour', ['2026-10-25T00:30:00Z', '2026-10-25T00:59:00Z', '2026-10-25T01:30:00Z']),
    ).toEqual([
      ['2026-10-25T00:00:00.000Z', 2],
      ['2026-10-25T01:00:00.000Z', 1],
    ]);
    expect(await bucketed('Asia/Kolkata', 'hour', ['2026-01-01T00:29:59Z', '2026-01-01T00:30:00Z'])).toEqual([
      ['2025-12-31T23:30:00.000Z', 1],
      ['2026-01-01T00:30:00.000Z', 1],
    ]);
  });

  it('stay within the years that a date can have', async () => {
    const ends = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'];
    for (const zone of ['Pacific/Apia', 'America/New_York', 'Asia/Kolkata'])
      for (const bucket of ['hour', 'day', 'week', 'month', 'quarter', 'year']) {
        const found = (await bucketed(zone, bucket, ends)).map(([start]) => String(start).slice(0, 4));
        expect([zone, bucket, found]).toEqual([zone, bucket, ['0001', '9999']]);
      }
  });

  it('are refused in a zone that the database does not know', async () => {
    const real = await makeTable(store);
    await fill(store, real, [{ title: 'x', seen: '2026-01-01T00:00:00Z' }]);
    const plan = planOf(real, { groupBy: [{ field: 'seen', bucket: 'day' }], timeZone: 'Mars/Olympus' });
    await expect(store.engine.readGroups(plan)).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/tz', code: 'unknown_time_zone' }],
    });
  });
});

describe('groups', () => {
  it('of no rows are none, or one where nothing is grouped by', async () => {
    const real = await makeTable(store);
    const aggregates = [
      { as: 'n', fn: 'count' },
      { as: 'total', fn: 'sum', field: 'unit_price' },
      { as: 'whole', fn: 'sum', field: 'qty' },
      { as: 'mean', fn: 'avg', field: 'qty' },
      { as: 'last', fn: 'max', field: 'due' },
      { as: 'tags', fn: 'countDistinct', field: 'tags' },
    ];
    const values = { n: 0, total: '0.00', whole: '0', mean: null, last: null, tags: 0 };
    expect((await page(planOf(real, { aggregates, count: 'exact' }))).groups).toEqual([{ group: {}, values }]);
    const having = { field: 'n', op: 'gt', value: 0 };
    expect((await page(planOf(real, { aggregates, havingJson: having }))).groups).toEqual([]);
    expect((await page(planOf(real, { aggregates, groupBy: [{ field: 'status' }] }))).groups).toEqual([]);
  });

  it('say where the stream stood, and are counted in every mode', async () => {
    const real = await makeTable(store);
    await fill(
      store,
      real,
      [1, 1, 2, 3].map((qty) => ({ title: 'x', qty })),
    );
    const asked = { groupBy: [{ field: 'qty' }], havingJson: { field: 'qty', op: 'gt', value: 1 }, limit: 1 };
    for (const count of ['exact', 'bounded'] as const)
      expect(await page(planOf(real, { ...asked, count }))).toMatchObject({
        count: { mode: count, value: 2, relation: 'exact' },
        stream: { seq: 1 },
      });
    expect((await page(planOf(real, { ...asked, count: 'estimated' }))).count).toMatchObject({
      mode: 'estimated',
      relation: 'estimate',
    });
  });

  it('are shown once and in order, while rows of other groups come and go', async () => {
    const real = await makeTable(store);
    const rows = await fill(
      store,
      real,
      Array.from({ length: 60 }, (_, i) => ({ title: 'x', qty: 2 * (i % 20) })),
    );
    const going = rows.slice(40).map(({ id }) => id);
    let coming = 0;
    const plan = planOf(real, { groupBy: [{ field: 'qty' }], sort: [{ field: 'qty', dir: 'desc' }], limit: 3 });
    const found = await walk(plan, async () => {
      const gone = must(going.pop(), 'enough rows');
      await store.writer.write(real, writeOf([remove(gone), create(real, { title: 'x', qty: 2 * coming++ + 1 })]));
    });
    const numbers = found.map(({ group }) => Number(group.qty));
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => b - a));
    expect(numbers.filter((qty) => qty % 2 === 0)).toHaveLength(20);
  });

  it('of one number have one notation', async () => {
    const real = await makeTable(store);
    await fill(
      store,
      real,
      ['1', '1.0', '1.00'].map((amount) => ({ title: 'x', amount })),
    );
    const plan = planOf(real, { groupBy: [{ field: 'amount' }], aggregates: [{ as: 'n', fn: 'count' }] });
    expect((await page(plan)).groups).toEqual([{ group: { amount: '1' }, values: { n: 3 } }]);
  });
});
