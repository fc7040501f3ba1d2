import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../src/common/index.js';
import { evaluate, type ReadPlan, type TableSchema } from '../../src/query/index.js';
import { arbitrary, everyType, fuzz } from '../query/index.js';
import { ids, pageOf, planOf } from './pages.js';
import { fill, makeTable, node, remove, writeOf, type Node } from './store.js';

let store: Node;
beforeAll(async () => {
  store = await node();
});

const trashOf = (table: TableSchema, filterJson?: unknown): ReadPlan =>
  planOf(table, { ...(filterJson === undefined ? {} : { filterJson }), trashed: true, count: 'exact' });

describe('the trash', () => {
  it('lists the rows that were deleted, found and counted like any others, and no other row', async () => {
    const made = everyType();
    const example = fc.record({
      stay: fc.array(arbitrary.fields(made), { minLength: 1, maxLength: 8 }),
      go: fc.array(arbitrary.fields(made), { minLength: 1, maxLength: 15 }),
      filterJson: fc.option(arbitrary.filter(made), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(example, async ({ stay, go, filterJson }) => {
        const real = await makeTable(store, made);
        await fill(store, real, stay);
        const gone = await fill(store, real, go);
        await store.writer.write(real, writeOf(gone.map(({ id }) => remove(id))));
        const plan = trashOf(real, filterJson);
        const { rows, count } = await pageOf(store, plan);
        expect(ids(rows)).toEqual(ids(evaluate(plan, gone)));
        expect(count).toEqual({ mode: 'exact', value: rows.length, relation: 'exact' });
      }),
      fuzz(15),
    );
  });

  it('says when a row was deleted and by whom, which was its last change', async () => {
    const real = await makeTable(store);
    const [kept, gone] = await fill(store, real, [{ title: 'kept' }, { title: 'gone' }]);
    const write = writeOf([remove(must(gone, 'two rows').id)]);
    await store.writer.write(real, write);
    const { rows } = await pageOf(store, trashOf(real));
    expect(rows).toMatchObject([{ id: gone?.id, version: 2, deletedBy: write.context.actorId }]);
    expect(rows[0]?.deletedAt).toBe(rows[0]?.updatedAt);
    const { rows: live } = await pageOf(store, { ...trashOf(real), trashed: false });
    expect(live.map(({ id }) => id)).toEqual([kept?.id]);
    expect(live[0]).not.toHaveProperty('deletedAt');
  });
});
