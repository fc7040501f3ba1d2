import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../src/common/index.js';
import { asOwner } from '../../src/database/mini/index.js';
import {
  compileRead,
  CursorCodec,
  evaluate,
  kindOf,
  parseJsonFilter,
  resolveRead,
  sql,
  tableName,
  toStatement,
  value,
  type CellValue,
  type EvaluatedRow,
  type ReadPlan,
  type ReadRequest,
  type TableSchema,
} from '../../src/query/index.js';
import { arbitrary, column, everyType, fuzz, NOW, table } from '../query/index.js';
import type { Node } from './store.js';
import { create, fill, makeTable, node, remove, update, writeOf } from './store.js';

const cursors = new CursorCodec(Buffer.alloc(32, 7));

let store: Node;
beforeAll(async () => {
  store = await node();
});

interface RowJson {
  readonly id: string;
  readonly version: number;
  readonly fields: Record<string, CellValue>;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

const planOf = (table: TableSchema, request: Partial<ReadRequest> & { filterJson?: unknown } = {}): ReadPlan => {
  const { filterJson, ...rest } = request;
  const filter = filterJson === undefined ? {} : { filter: parseJsonFilter(filterJson, '/filter') };
  return resolveRead(
    { sort: [], limit: 1000, count: 'none', ...filter, ...rest },
    table,
    { where: { kind: 'true' } },
    cursors,
    { now: NOW },
  ).plan;
};

async function page(plan: ReadPlan) {
  const { data, next, count, stream } = await store.engine.read(plan);
  return { rows: JSON.parse(`[${String(data)}]`) as RowJson[], text: data, next, count, stream };
}

/** Every page to the end; `between` runs after each page. */
async function walk(plan: ReadPlan, between: () => Promise<void> = () => Promise.resolve()): Promise<RowJson[]> {
  const rows: RowJson[] = [];
  for (let after: ReadPlan['after'], pages = 0; pages < 1000; pages++) {
    const { rows: found, next } = await page(after ? { ...plan, after } : plan);
    rows.push(...found);
    if (!next) return rows;
    expect(found).toHaveLength(plan.limit);
    after = next;
    await between();
  }
  throw new Error('the pages do not end');
}

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

describe('a page says what the plan means', () => {
  it('with the times of rows to the millisecond, cut and never rounded, whatever an operator put there', async () => {
    const made = await makeTable(store);
    await fill(store, made, [{ title: 'A' }]);
    const stored: readonly (readonly [string, string])[] = [
      ['2026-03-14 15:09:26+00', '2026-03-14T15:09:26.000Z'],
      ['2026-03-14 15:09:26.5+00', '2026-03-14T15:09:26.500Z'],
      ['2026-12-31 23:59:59.999999+00', '2026-12-31T23:59:59.999Z'],
      ['1970-01-01 01:00:00.0004+01', '1970-01-01T00:00:00.000Z'],
    ];
    for (const [instant, expected] of stored) {
      await store.database.query(
        toStatement(
          sql`update ${tableName(made)} set _created_at = ${value(instant, 'timestamptz')}, _updated_at = ${value(instant, 'timestamptz')}`,
        ),
      );
      const { rows } = await page(planOf(made));
      expect(rows).toMatchObject([{ createdAt: expected, updatedAt: expected }]);
    }
  });

  it('for any table, rows, filter, sort and limit, walked to its end', async () => {
    const made = everyType();
    const example = fc.record({
      rows: fc.array(arbitrary.fields(made), { minLength: 1, maxLength: 40 }),
      queries: fc.array(
        fc.record({
          filterJson: fc.option(arbitrary.filter(made), { nil: undefined, freq: 4 }),
          sort: arbitrary.sort(made),
          limit: fc.integer({ min: 1, max: 9 }),
        }),
        { minLength: 6, maxLength: 6 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ rows, queries }) => {
        const real = await makeTable(store, made);
        const oracle = await fill(store, real, rows);
        for (const query of queries) {
          const plan = planOf(real, query);
          const expected = evaluate({ ...plan, limit: Infinity }, oracle);
          expect(ids(await walk(plan))).toEqual(ids(expected));
        }
      }),
      fuzz(60),
    );
  });

  it('behind any position that a page may end at, as the oracle does', async () => {
    const made = everyType();
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitrary.fields(made), { minLength: 2, maxLength: 20 }),
        arbitrary.sort(made),
        async (rows, sort) => {
          const real = await makeTable(store, made);
          const oracle = await fill(store, real, rows);
          const plan = planOf(real, { sort });
          const all = evaluate(plan, oracle);
          for (const [i] of all.entries()) {
            const first = await page({ ...plan, limit: i + 1 });
            if (!first.next) continue;
            const rest = { ...plan, after: first.next };
            expect(ids((await page(rest)).rows)).toEqual(ids(all.slice(i + 1)));
            expect(ids(evaluate(rest, oracle))).toEqual(ids(all.slice(i + 1)));
          }
        },
      ),
      fuzz(12),
    );
  });

  it('with single conditions of every column and operator', async () => {
    const made = everyType();
    const real = await makeTable(store, made);
    const rows = fc.sample(arbitrary.fields(made), fuzz(150));
    const oracle = await fill(store, real, rows);
    await fc.assert(
      fc.asyncProperty(arbitrary.leaf(made), async (filterJson) => {
        const plan = planOf(real, { filterJson });
        expect(ids((await page(plan)).rows)).toEqual(ids(evaluate(plan, oracle)));
      }),
      fuzz(700),
    );
  });
});

describe('what stands inside of JSON', () => {
  it('is found by its path and its type, whatever stands there, as the oracle finds it', async () => {
    const made = table([column('extra', 'json')]);
    const real = await makeTable(store, made);
    const oracle = await fill(store, real, fc.sample(arbitrary.fields(made), fuzz(200)));
    await fc.assert(
      fc.asyncProperty(arbitrary.filter(made), async (filterJson) => {
        const plan = planOf(real, { filterJson });
        expect(ids((await page(plan)).rows)).toEqual(ids(evaluate(plan, oracle)));
      }),
      fuzz(500),
    );
  });
});

describe('a page', () => {
  it('is byte for byte the JSON of the canonical values', async () => {
    // PostgreSQL writes the JSON of JSON columns in its own way, and their value is another test's.
    const { columns } = everyType();
    const made = table(columns.filter(({ type }) => type !== 'json'));
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary.fields(made), { minLength: 1, maxLength: 30 }), async (rows) => {
        const real = await makeTable(store, made);
        const oracle = new Map((await fill(store, real, rows)).map((row) => [row.id, row]));
        const { rows: found, text } = await page(planOf(real));
        expect(found).toHaveLength(rows.length);
        const expected = found.map((row) =>
          JSON.stringify(asJson(must(oracle.get(row.id), 'a row of ours'), real, row)),
        );
        expect(text).toBe(expected.join(',\n'));
      }),
      fuzz(25),
    );
  });

  it('holds the fields that were asked for, in the order of the table', async () => {
    const real = await makeTable(store);
    await fill(store, real, [{ title: 'a', qty: 3 }]);
    const { rows } = await page(planOf(real, { fields: ['qty', 'title', 'qty'] }));
    expect(Object.entries(rows[0]?.fields ?? {})).toEqual([
      ['title', 'a'],
      ['qty', 3],
    ]);
  });

  it('of a table with 250 columns is whole', async () => {
    const wide = table(Array.from({ length: 250 }, (_, i) => column(`c${i}`, 'text')));
    const real = await makeTable(store, wide);
    const fields = Object.fromEntries(wide.columns.map(({ key }, i) => [key, i % 3 ? `value ${i}` : null]));
    await fill(store, real, [fields]);
    expect((await page(planOf(real))).rows[0]?.fields).toEqual(fields);
  });

  it('of a table without columns is a list of empty fields', async () => {
    const real = await makeTable(store, table([]));
    await fill(store, real, [{}, {}]);
    expect((await page(planOf(real))).rows.map(({ fields }) => fields)).toEqual([{}, {}]);
  });

  it('says where the stream stood, and counts when asked', async () => {
    const real = await makeTable(store);
    await fill(
      store,
      real,
      Array.from({ length: 7 }, (_, i) => ({ title: `t${i}`, qty: i })),
    );
    const filterJson = { field: 'qty', op: 'gte', value: 2 };
    for (const count of ['exact', 'bounded'] as const) {
      const found = await page(planOf(real, { filterJson, limit: 2, count }));
      expect(found).toMatchObject({ count: { mode: count, value: 5, relation: 'exact' }, stream: { seq: 1 } });
    }
    const { count } = await page(planOf(real, { count: 'estimated' }));
    expect(count).toMatchObject({ mode: 'estimated', relation: 'estimate', value: expect.any(Number) as unknown });
  });
});

describe('keyset paging', () => {
  it('shows every row that was there all along once and in order, while others come, go and move', async () => {
    const made = everyType();
    const example = fc.record({
      stay: fc.array(arbitrary.fields(made), { minLength: 8, maxLength: 20 }),
      go: fc.array(arbitrary.fields(made), { minLength: 1, maxLength: 6 }),
      come: fc.array(arbitrary.fields(made), { minLength: 1, maxLength: 6 }),
      sort: arbitrary.sort(made),
      limit: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ stay, go, come, sort, limit }) => {
        const real = await makeTable(store, made);
        const staying = await fill(store, real, stay);
        const going = (await fill(store, real, go)).map(({ id }) => id);
        const coming = [...come];
        const plan = planOf(real, { sort, limit });
        const seen = await walk(plan, async () => {
          const [gone, born] = [going.pop(), coming.pop()];
          if (gone) await store.writer.write(real, writeOf([remove(gone)]));
          if (born) await store.writer.write(real, writeOf([create(real, born)]));
        });
        expect(new Set(ids(seen)).size).toBe(seen.length);
        const among = new Set(ids(staying));
        expect(ids(seen).filter((id) => among.has(id))).toEqual(ids(evaluate({ ...plan, limit: Infinity }, staying)));
      }),
      fuzz(25),
    );
  });

  it('goes on behind a row that is deleted or moved meanwhile', async () => {
    const real = await makeTable(store);
    const rows = await fill(
      store,
      real,
      [1, 2, 3, 4].map((qty) => ({ title: 'x', qty })),
    );
    const plan = planOf(real, { sort: [{ field: 'qty', dir: 'asc' }], limit: 2 });
    const { next } = await page(plan);
    const last = must(rows[1], 'there are four').id;
    await store.writer.write(real, writeOf([update(real, last, { qty: 0 })]));
    await store.writer.write(real, writeOf([remove(last)]));
    const second = await page({ ...plan, after: must(next, 'more rows follow') });
    expect(second.rows.map(({ fields }) => fields.qty)).toEqual([3, 4]);
  });
});

describe('a page far behind costs what the first costs', () => {
  const ROWS = 50_000;
  let big: TableSchema;

  beforeAll(async () => {
    big = await makeTable(store, table([column('qty', 'integer'), column('name', 'text', { required: true })]));
    const { schema, table: name } = big.physical;
    const statements = [
      `insert into "${schema}"."${name}" (_id, _version, _created_at, _updated_at, qty, name)
      select gen_random_uuid(), 1, now(), now(), case when i % 10 = 0 then null else i % 5000 end, 'name ' || (i % 700)
      from generate_series(1, ${ROWS}) i`,
      `create index on "${schema}"."${name}" (qty asc nulls first, _id)`,
      `create index on "${schema}"."${name}" (name, _id)`,
      `analyze "${schema}"."${name}"`,
    ];
    // Structure is the owner's.
    await store.database.transaction(async (session) => {
      await session.query(asOwner(schema));
      for (const text of statements) await session.query({ text, values: [] });
    });
  });

  const cases = [
    { field: 'qty', dir: 'asc', at: 2500 },
    { field: 'qty', dir: 'desc', at: 2500 },
    { field: 'qty', dir: 'asc', at: null },
    { field: 'qty', dir: 'desc', at: null },
    { field: 'name', dir: 'asc', at: 'name 350' },
    { field: 'name', dir: 'desc', at: 'name 350' },
  ] as const;

  it.each(
    cases.flatMap(
      (each) =>
        [
          { ...each, plans: 'custom' },
          { ...each, plans: 'generic' },
        ] as const,
    ),
  )('sorted by $field $dir, behind $at, with $plans query plans', async ({ field, dir, at, plans }) => {
    const after = [at, '80000000-0000-4000-8000-000000000000'];
    const plan = { ...planOf(big, { sort: [{ field, dir }], limit: 100 }), after };
    const nodes = await explain(plan, plans);
    const read = nodes.filter((each) => each['Relation Name'] === 'deals');
    expect(read.map((each) => each['Node Type']).filter((type) => !/^Index (Only )?Scan$/.test(type))).toEqual([]);
    expect(Math.max(...read.map((each) => each['Actual Rows']))).toBeLessThanOrEqual(plan.limit + 1);
    // What is sorted at all is the heads of a few ranges, never the table.
    const sorted = nodes.filter((each) => each['Node Type'].includes('Sort')).map((each) => each['Actual Rows']);
    expect(Math.max(0, ...sorted)).toBeLessThanOrEqual(3 * (plan.limit + 1));
  });
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly Plans?: readonly PlanNode[];
}

/** The nodes of the executed query plan: planned for these values, or once for all, as PostgreSQL may do with a prepared statement. */
async function explain(plan: ReadPlan, plans: 'custom' | 'generic'): Promise<PlanNode[]> {
  const { text, values } = toStatement(compileRead(plan).sql);
  const [row] = await store.database.transaction(async (session) => {
    await session.query({ text: `set local plan_cache_mode = force_${plans}_plan`, values: [] });
    await session.query({ text: `prepare page as ${text}`, values: [] });
    const [literals] = await session.query({
      text: "select string_agg(quote_nullable(v), ',' order by n) from unnest($1::text[]) with ordinality as u(v, n)",
      values: [values],
    });
    const found = await session.query({
      text: `explain (analyze, format json) execute page(${literals?.[0] ?? ''})`,
      values: [],
    });
    await session.query({ text: 'deallocate page', values: [] });
    return found;
  });
  const [{ Plan: root }] = JSON.parse(row?.[0] ?? '') as [{ Plan: PlanNode }];
  const flat = (each: PlanNode): PlanNode[] => [each, ...(each.Plans ?? []).flatMap(flat)];
  return flat(root);
}

/** What the API says of a row: canonical values, decimals with as many digits as their column has. */
function asJson(row: EvaluatedRow, { columns }: TableSchema, found: RowJson): RowJson {
  const fields = columns.map((column) => {
    const { key, options } = column;
    const { scale } = options;
    const value = row.fields[key] ?? null;
    if (value === null) return [key, kindOf(column).list ? [] : null] as const;
    return [key, scale === undefined ? value : padded(String(value), scale)] as const;
  });
  return { ...found, id: row.id, version: 1, fields: Object.fromEntries(fields) };
}

const padded = (plain: string, scale: number): string => {
  const [whole = '0', fraction = ''] = plain.split('.');
  return `${whole}.${fraction.padEnd(scale, '0')}`;
};
