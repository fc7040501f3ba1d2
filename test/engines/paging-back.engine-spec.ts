import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must, newId } from '../../src/common/index.js';
import { evaluate, type ReadPlan, type Way } from '../../src/query/index.js';
import { arbitrary, column, everyType, fuzz, table } from '../query/index.js';
import { ids, pageOf, planOf, type PageRow } from './pages.js';
import { create, fill, makeTable, node, remove, writeOf, type Node } from './store.js';

let store: Node;
beforeAll(async () => {
  store = await node();
});

/** The rows of all pages from this one on, in the order of the whole; `between` runs after each page. */
async function walkBack(plan: ReadPlan, between = (): Promise<void> => Promise.resolve()): Promise<PageRow[]> {
  const rows: PageRow[] = [];
  for (let at = plan, pages = 0; pages < 1000; pages++) {
    const page = await pageOf(store, at);
    rows.unshift(...page.rows);
    if (!page.prev) return rows;
    if (at !== plan) expect(page.rows).toHaveLength(plan.limit);
    at = { ...plan, after: page.prev, way: 'before' };
    await between();
  }
  throw new Error('the pages do not end');
}

/** The last page, reached from the first, and the rows of all of them. */
async function walkForth(plan: ReadPlan): Promise<{ readonly last: ReadPlan; readonly rows: PageRow[] }> {
  const rows: PageRow[] = [];
  for (let last = plan; ;) {
    const page = await pageOf(store, last);
    rows.push(...page.rows);
    if (!page.next) return { last, rows };
    last = { ...plan, after: page.next };
  }
}

describe('paging back', () => {
  it('from the end to the beginning shows the rows that paging forth showed, in the same order', async () => {
    const made = everyType();
    const example = fc.record({
      rows: fc.array(arbitrary.fields(made), { minLength: 1, maxLength: 30 }),
      queries: fc.array(
        fc.record({
          filterJson: fc.option(arbitrary.filter(made), { nil: undefined, freq: 2 }),
          sort: arbitrary.sort(made),
          limit: fc.integer({ min: 1, max: 9 }),
        }),
        { minLength: 4, maxLength: 4 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ rows, queries }) => {
        const real = await makeTable(store, made);
        const oracle = await fill(store, real, rows);
        for (const query of queries) {
          const plan = planOf(real, query);
          const { last, rows: forth } = await walkForth(plan);
          expect(ids(forth)).toEqual(ids(evaluate({ ...plan, limit: Infinity }, oracle)));
          expect(ids(await walkBack(last))).toEqual(ids(forth));
        }
      }),
      fuzz(40),
    );
  });

  it('lies to any position as the oracle does, be it of a row that is there or of one that is gone', async () => {
    const made = everyType();
    const ways = fc.constantFrom<Way>('after', 'from', 'before', 'upTo');
    const example = fc.record({
      rows: fc.array(arbitrary.fields(made), { minLength: 2, maxLength: 15 }),
      sort: arbitrary.sort(made),
      asked: fc.array(
        fc.record({ way: ways, limit: fc.integer({ min: 1, max: 6 }), at: fc.nat(), gone: fc.boolean() }),
        {
          minLength: 10,
          maxLength: 10,
        },
      ),
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ rows, sort, asked }) => {
        const real = await makeTable(store, made);
        const oracle = await fill(store, real, rows);
        const whole = planOf(real, { sort });
        const all = evaluate(whole, oracle);
        for (const { way, limit, at, gone } of asked) {
          const row = must(all[at % all.length], 'one of them');
          const after = whole.orderBy.map(({ by }) =>
            by.kind === 'id' ? (gone ? newId() : row.id) : emptyIsNull(row.fields[by.column.key] ?? null),
          );
          const plan = { ...whole, limit, after, way };
          const page = await pageOf(store, plan);
          expect(ids(page.rows)).toEqual(ids(evaluate(plan, oracle)));
          const beyond = evaluate({ ...plan, limit: Infinity }, oracle).length > limit;
          const backward = way === 'before' || way === 'upTo';
          expect([page.next !== undefined, page.prev !== undefined]).toEqual(
            backward ? [page.rows.length > 0, beyond] : [beyond, page.rows.length > 0],
          );
        }
      }),
      fuzz(25),
    );
  });

  it('shows every row that was there all along once and in order, while others come and go', async () => {
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
        const { last } = await walkForth(plan);
        const seen = await walkBack(last, async () => {
          const [gone, born] = [going.pop(), coming.pop()];
          if (gone) await store.writer.write(real, writeOf([remove(gone)]));
          if (born) await store.writer.write(real, writeOf([create(real, born)]));
        });
        expect(new Set(ids(seen)).size).toBe(seen.length);
        const among = new Set(ids(staying));
        expect(ids(seen).filter((id) => among.has(id))).toEqual(ids(evaluate({ ...plan, limit: Infinity }, staying)));
      }),
      fuzz(20),
    );
  });

  it('passes moments that others put in to the microsecond, and the infinite ones, each once', async () => {
    const seen = column('seen', 'datetime');
    const real = await makeTable(store, table([seen]));
    await fill(
      store,
      real,
      Array.from({ length: 12 }, () => ({ seen: '2026-01-01T00:00:00.000Z' })),
    );
    const name = `"${real.physical.schema}"."${real.physical.table}"`;
    await store.database.query({
      text: `update ${name} r set "${seen.physical}" = case when n.n = 11 then 'infinity' when n.n = 12 then '-infinity'
        when n.n = 10 then '0044-03-15 10:00:00.5Z BC' when n.n = 9 then null else r."${seen.physical}" + n.n * interval '300 microseconds' end
        from (select _id, row_number() over (order by _id) n from ${name}) n where n._id = r._id and $1`,
      values: [true],
    });
    for (const dir of ['asc', 'desc'] as const)
      for (const limit of [1, 2, 5]) {
        const plan = planOf(real, { sort: [{ field: 'seen', dir }], limit });
        const whole = await pageOf(store, { ...plan, limit: 100 });
        expect(whole.rows).toHaveLength(12);
        const { last, rows } = await walkForth(plan);
        expect(ids(rows)).toEqual(ids(whole.rows));
        expect(ids(await walkBack(last))).toEqual(ids(whole.rows));
      }
  });

  it('says nothing of what is before on the first page', async () => {
    const real = await makeTable(store, table([column('qty', 'integer')]));
    await fill(store, real, [{ qty: 1 }, { qty: 2 }, { qty: 3 }]);
    const plan = planOf(real, { sort: [{ field: 'qty', dir: 'asc' }], limit: 2 });
    const first = await pageOf(store, plan);
    expect([first.prev, first.next?.[0]]).toEqual([undefined, 2]);
    const second = await pageOf(store, { ...plan, after: must(first.next, 'a third row') });
    expect([second.prev?.[0], second.next]).toEqual([3, undefined]);
    const again = await pageOf(store, { ...plan, after: must(second.prev, 'rows before'), way: 'before' });
    expect([again.rows, again.prev, again.next]).toEqual([first.rows, undefined, first.next]);
  });
});

/** A list without elements is null in its canonical form. */
const emptyIsNull = <T>(cell: T): T | null => (Array.isArray(cell) && cell.length === 0 ? null : cell);
