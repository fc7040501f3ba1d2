import { beforeAll, describe, expect, it } from '@jest/globals';
import { must, newId } from '../../src/common/index.js';
import { loadConfig } from '../../src/config/index.js';
import { MiniMaintenance } from '../../src/database/mini/index.js';
import { MiniDbIndexes } from '../../src/engines/index.js';
import {
  columnByKey,
  indexName,
  isBackward,
  sql,
  tableName,
  toStatement,
  type IndexKind,
  type ReadPlan,
  type TableSchema,
} from '../../src/query/index.js';
import { serverEnvironment } from '../harness/index.js';
import { column, table } from '../query/index.js';
import { explained } from './explain.js';
import { planOf } from './pages.js';
import { makeTable, node, type Node } from './store.js';

const LIMIT = 50;
const NEVER = new AbortController().signal;

let store: Node;
let big: TableSchema;
const names = new Map<string, string>();
beforeAll(async () => {
  const config = loadConfig(await serverEnvironment({}));
  store = await node({ main: config.mainDb, mini: config.miniDb });
  big = await makeTable(
    store,
    table([
      column('qty', 'integer'),
      column('status', 'single_select'),
      column('name', 'text'),
      column('notes', 'long_text'),
    ]),
  );
  await store.database.query(
    toStatement(sql`insert into ${tableName(big)} (_id, _version, _created_at, _updated_at, qty, status, name, notes)
    select gen_random_uuid(), 1, now(), now(), case when i % 10 = 0 then null else (i * 7919) % 5003 end,
      (array['open', 'won', 'lost'])[1 + i % 3], md5(i::text), md5((i + 100000)::text) from generate_series(1, 20000) i`),
  );
  const indexes = new MiniDbIndexes(store.database, new MiniMaintenance(store.database, config));
  const build = async (as: string, kind: IndexKind, key: string): Promise<void> => {
    const id = newId();
    const keys = [{ column: must(columnByKey(big, key), key), dir: 'asc' as const }];
    await indexes.build(big, id, { kind, keys }, false, NEVER);
    names.set(as, indexName(big.id, id));
  };
  await build('by qty', 'sort', 'qty');
  await build('by status', 'filter', 'status');
  await build('texts of name', 'search', 'name');
  await build('texts of notes', 'search', 'notes');
  await store.database.query(toStatement(sql`analyze ${tableName(big)}`));
}, 60_000);

/** Which indexes are read, the ways in which the table itself is, and the largest number of rows that is sorted. */
async function read(plan: ReadPlan, plans: 'custom' | 'generic') {
  const nodes = await explained(store, plan, plans);
  const known = (index: string): string => [...names].find(([, name]) => name === index)?.[0] ?? index;
  return {
    indexes: new Set(nodes.flatMap((each) => (each['Index Name'] ? [known(each['Index Name'])] : []))),
    scans: new Set(nodes.filter((each) => each['Relation Name'] === 'deals').map((each) => each['Node Type'])),
    sorted: Math.max(
      0,
      ...nodes.filter((each) => each['Node Type'].includes('Sort')).map((each) => each['Actual Rows']),
    ),
  };
}

const won = { field: 'status', op: 'eq', value: 'won' };
const PLANS = ['custom', 'generic'] as const;

describe('a page sorted by a column with an index', () => {
  it.each(
    PLANS.flatMap((plans) =>
      (['asc', 'desc'] as const).flatMap((dir) =>
        (['after', 'from', 'before', 'upTo'] as const).flatMap((way) =>
          [2500, null].map((at) => ({ plans, dir, way, at })),
        ),
      ),
    ),
  )('$dir, $way $at, reads that index and sorts no more than pages ($plans plan)', async ({ plans, dir, way, at }) => {
    const after = [at, '80000000-0000-4000-8000-000000000000'];
    const plan = { ...planOf(big, { sort: [{ field: 'qty', dir }], limit: LIMIT }), after, way };
    const { indexes, scans, sorted } = await read(plan, plans);
    expect([...indexes].filter((index) => index !== 'by qty' && !index.startsWith('_stream'))).toEqual([]);
    expect(indexes).toContain('by qty');
    expect([...scans].filter((scan) => !/^Index (Only )?Scan$/.test(scan))).toEqual([]);
    // The heads of a few ranges, and the page once more where it is turned around.
    expect(sorted).toBeLessThanOrEqual((isBackward(way) ? 4 : 3) * (LIMIT + 1));
  });

  it.each(PLANS)('is not misled by an index of the column that is filtered by (%s plan)', async (plans) => {
    const sort = [{ field: 'qty', dir: 'desc' }] as const;
    const first = planOf(big, { sort, limit: LIMIT, filterJson: won });
    const behind = { ...first, after: [2500, '80000000-0000-4000-8000-000000000000'] };
    for (const plan of [first, behind, { ...behind, way: 'before' } as const]) {
      const { indexes, sorted } = await read(plan, plans);
      expect(indexes).toContain('by qty');
      expect(sorted).toBeLessThanOrEqual(4 * (LIMIT + 1));
    }
  });
});

describe('a search', () => {
  it('reads the indexes for searches of all columns that it looks into', async () => {
    const plan = planOf(big, { search: 'a87ff679a2f3e71 8B04D5E3775D298', count: 'none' });
    const { indexes, scans } = await read(plan, 'custom');
    expect(indexes).toContain('texts of name');
    expect(indexes).toContain('texts of notes');
    expect([...scans]).toEqual(['Bitmap Heap Scan']);
  });
});
