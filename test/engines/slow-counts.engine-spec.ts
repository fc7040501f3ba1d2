import { beforeAll, describe, expect, it } from '@jest/globals';
import { MiniDbEngine } from '../../src/engines/index.js';
import { asOwner } from '../../src/database/mini/index.js';
import type { TableSchema } from '../../src/query/index.js';
import { column, table } from '../query/index.js';
import { pageOf, planOf } from './pages.js';
import { makeTable, node, type Node } from './store.js';

const ROWS = 50_000;

class Impatient extends MiniDbEngine {
  protected override readonly countTimeoutMs = 1;
}

let store: Node;
let big: TableSchema;
beforeAll(async () => {
  store = await node();
  big = await makeTable(store, table([column('name', 'text', { required: true })]));
  const { schema, table: name } = big.physical;
  const statements = [
    `insert into "${schema}"."${name}" (_id, _version, _created_at, _updated_at, name)
    select gen_random_uuid(), 1, now(), now(), 'Name ' || i || repeat(' and so on', 20) from generate_series(1, ${ROWS}) i`,
    `analyze "${schema}"."${name}"`,
  ];
  await store.database.transaction(async (session) => {
    await session.query(asOwner(schema));
    for (const text of statements) await session.query({ text, values: [] });
  });
});

describe('a count that takes too long', () => {
  const filterJson = { field: 'name', op: 'contains', value: 'SO ON' };

  it.each(['exact', 'bounded'] as const)('%s, is an estimate, and the page is there all the same', async (count) => {
    const plan = planOf(big, { filterJson, limit: 3, count });
    const patient = await pageOf(store, plan);
    expect(patient.count).toEqual(
      count === 'exact'
        ? { mode: 'exact', value: ROWS, relation: 'exact' }
        : { mode: 'bounded', value: 10_000, relation: 'atLeast' },
    );
    const hurried = await pageOf({ engine: new Impatient(store.database) }, plan);
    expect(hurried).toEqual({
      ...patient,
      count: { mode: count, value: expect.any(Number) as unknown, relation: 'estimate' },
    });
  });

  it.each(['exact', 'bounded'] as const)(
    '%s, tells whoever sees part of the table of the rows on his page only',
    async (count) => {
      const seen = planOf({ ...big, seen: { whole: big } }, { filterJson, limit: 3, count });
      const hurried = new Impatient(store.database);
      expect((await pageOf({ engine: hurried }, seen)).count).toEqual({ mode: count, value: 3, relation: 'atLeast' });
      const nothing = planOf(seen.from, { filterJson: { field: 'name', op: 'contains', value: 'nowhere' }, count });
      expect((await pageOf({ engine: hurried }, nothing)).count).toEqual({
        mode: count,
        value: 0,
        relation: 'atLeast',
      });
    },
  );

  it('leaves every connection with the time that others have', async () => {
    await new Impatient(store.database).read(planOf(big, { filterJson, count: 'exact' }));
    const limits = await Promise.all(
      Array.from({ length: store.database.poolSize }, () =>
        store.database.query({ text: 'show statement_timeout', values: [] }),
      ),
    );
    expect(limits.flat(2)).toEqual(limits.map(() => '30s'));
  });
});
