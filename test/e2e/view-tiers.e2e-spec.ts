import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  databases,
  expectStatus,
  mysqlDatabase,
  sql,
  startApp,
  world,
  type ProblemBody,
  type Table,
  type World,
} from '../harness/index.js';
import { must } from '../../src/common/index.js';
import { startMongo } from '../harness/mongo/index.js';
import { below, pick, randomOf, some, type Random } from '../support/random.js';

jest.setTimeout(180_000);

/*
 * The same rows in tables of ours and in three external databases: whatever is joined with whatever, and however the rows come
 * together, the answers are the same to the letter.
 */

interface Answer {
  readonly data: readonly unknown[];
  readonly page: { readonly nextCursor?: string };
  readonly meta: { readonly tier: string };
}

/** A row, or a group. */
interface Due {
  readonly fields?: { readonly no: number };
  readonly values?: { readonly no: number };
}

type Source = Readonly<Record<string, string>>;

let at: World;
let external: Parameters<typeof sql>[0];
let deals: Readonly<Record<'own' | 'postgresql' | 'mysql', Source>>;
let customers: Readonly<Record<'own' | 'postgresql' | 'mysql' | 'mongodb', Source>>;

const DEALS = Array.from({ length: 60 }, (_, i) => ({
  n: i + 1,
  name: i % 7 === 0 ? null : `Deal ${(i * 37) % 23}`,
  price: i % 11 === 3 ? null : ((i * 7919) % 500) / 4,
  closed:
    i % 5 === 1 ? null : `2026-${String(1 + (i % 9)).padStart(2, '0')}-${String(1 + ((i * 3) % 28)).padStart(2, '0')}`,
  customer: i % 6 === 2 ? null : 1 + ((i * 5) % 14),
}));
const CUSTOMERS = Array.from({ length: 12 }, (_, i) => ({
  no: i + 1,
  name: i % 4 === 3 ? null : `Ä-${'xyz'[i % 3] ?? ''}${i}`,
  country: i % 5 === 4 ? null : (['DE', 'FR', 'us', 'US'][i % 4] ?? null),
}));

const literal = (value: string | number | null): string =>
  value === null ? 'null' : typeof value === 'number' ? String(value) : `'${value}'`;
const values = (rows: readonly Readonly<Record<string, string | number | null>>[]): string =>
  rows.map((row) => `(${Object.values(row).map(literal).join(', ')})`).join(', ');
const TABLES = [
  'create table deals (n integer primary key, name varchar(40), price decimal(10, 2), closed date, customer integer)',
  'create table customers (no integer primary key, name varchar(40), country varchar(10))',
  `insert into deals values ${values(DEALS)}`,
  `insert into customers values ${values(CUSTOMERS)}`,
];

async function connect(engine: string, place: object): Promise<(object: string) => Source> {
  const body = { name: engine, engine, ...place };
  const { id } = expectStatus(
    await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, body),
    201,
  );
  return (object) => ({ connection: id, object });
}

beforeAll(async () => {
  const [{ base }, { main }, mysql, mongo] = await Promise.all([
    startApp(),
    databases({ migrated: false }),
    mysqlDatabase(),
    startMongo(),
  ]);
  at = await world(base);
  external = main;
  const table = async (name: string, columns: readonly object[], rows: readonly object[]): Promise<Source> => {
    const made = expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name, columns }), 201);
    const ops = rows.map((fields) => ({ op: 'create', fields }));
    expectStatus(await at.owner.post(`/tables/${made.id}/rows/bulk`, { mode: 'atomic', ops }), 200);
    return { table: made.id };
  };
  const ownDeals = await table(
    'all deals',
    [
      { name: 'n', type: 'integer', unique: true, required: true },
      { name: 'name', type: 'text' },
      { name: 'price', type: 'decimal', options: { scale: 2 } },
      { name: 'closed', type: 'date' },
      { name: 'customer', type: 'integer' },
    ],
    DEALS,
  );
  const ownCustomers = await table(
    'all customers',
    [
      { name: 'no', type: 'integer', unique: true, required: true },
      { name: 'name', type: 'text' },
      { name: 'country', type: 'text' },
    ],
    CUSTOMERS,
  );
  for (const statement of TABLES) {
    await sql(main, statement);
    await mysql.sql(statement);
  }
  await sql(main, 'grant select on deals, customers to public');
  await mongo.load(
    'customers',
    CUSTOMERS.map((customer) => ({ _id: customer.no, ...customer })),
  );
  const target = ({ host, port, database, username, password }: Readonly<Record<string, unknown>>) => ({ host, port, database, username, password }); // prettier-ignore
  const [postgresql, mariadb, mongodb] = [
    await connect('postgresql', target({ ...main })),
    await connect('mysql', target({ ...mysql })),
    await connect('mongodb', target({ ...mongo })),
  ];
  deals = { own: ownDeals, postgresql: postgresql('deals'), mysql: mariadb('deals') };
  customers = {
    own: ownCustomers,
    postgresql: postgresql('customers'),
    mysql: mariadb('customers'),
    mongodb: mongodb('customers'),
  };
}, 120_000);

const preview = (definition: object, page: object) =>
  at.owner.post<Answer & ProblemBody>(`/workspaces/${at.workspace.id}/views/preview`, { definition, page });

let stored = 0;
/** What a stored view of the definition answers to a search. */
async function searched(
  shape: object,
  search: string,
): Promise<{ readonly data: readonly unknown[]; readonly tier: string }> {
  const body = { name: `Searched ${(stored += 1)}`, definition: shape };
  const { id } = expectStatus(await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201);
  const { data, meta } = expectStatus(
    await at.owner.post<Answer>(`/views/${id}/data`, { search, page: { limit: 200 } }),
    200,
  );
  return { data, tier: meta.tier };
}

/** All pages of a definition, and the ways that they came about. */
async function all(
  definition: object,
  limit: number,
): Promise<{ readonly data: readonly unknown[]; readonly tier: string }> {
  const data: unknown[] = [];
  for (let cursor: string | undefined, i = 0; i < 100; i++) {
    const page = expectStatus(await preview(definition, { limit, ...(cursor ? { cursor } : {}) }), 200);
    data.push(...page.data);
    if ((cursor = page.page.nextCursor) === undefined) return { data, tier: page.meta.tier };
  }
  throw new Error('the pages do not end');
}

const CONDITIONS = [
  { field: 'd.price', op: 'gte', value: '40' },
  { field: 'd.price', op: 'between', value: ['10', '90.25'] },
  { field: 'd.name', op: 'contains', value: '1' },
  { field: 'd.closed', op: 'lt', value: '2026-06-01' },
  { field: 'd.closed', op: 'isNull' },
  { field: 'd.customer', op: 'in', value: [1, 2, 3, 6, 11] },
  { field: 'c.country', op: 'eq', value: 'DE' },
  { field: 'c.country', op: 'neq', value: 'DE' },
  { field: 'c.country', op: 'isNull' },
  { field: 'c.name', op: 'startsWith', value: 'ä-X' },
  { field: 'c.no', op: 'gt', value: 5 },
  { field: 'c.country', op: 'in', value: ['us', 'FR'] },
  { field: 'taxed', op: 'gt', value: '60' },
  { field: 'place', op: 'neq', value: 'de' },
  { field: 'month', op: 'lte', value: 6 },
  { field: 'half', op: 'between', value: ['10', '70.5'] },
  { field: 'kind', op: 'in', value: ['dear', '-'] },
  { field: 'pair', op: 'contains', value: 'X' },
  { field: 'late', op: 'eq', value: true },
];

const COMPUTED = [
  { key: 'taxed', formula: 'ROUND({d.price} * 1.19, 2)' },
  { key: 'label', formula: 'UPPER({d.name}) & "-" & {d.n}' },
  { key: 'share', formula: '{d.price} / {d.customer}' },
  { key: 'place', formula: 'IF(ISBLANK({c.country}), "?", LOWER({c.country}))' },
  { key: 'month', formula: 'MONTH({d.closed})' },
  { key: 'both', formula: '{label} & " " & {place}' },
  { key: 'half', formula: 'ROUND({d.price} / 2, 1) + {d.n}' },
  { key: 'kind', formula: 'IF({d.price} > 50, "dear", LEFT(COALESCE({d.name}, "-"), 4))' },
  { key: 'pair', formula: '{kind} & "/" & {c.name}' },
  { key: 'late', formula: 'YEAR({d.closed}) * 100 + MONTH({d.closed}) >= 202606' },
];

function condition(random: Random, depth = 0): object {
  if (depth > 2 || below(random, 3) > 0) return pick(random, CONDITIONS);
  if (below(random, 4) === 0) return { not: condition(random, depth + 1) };
  const items = Array.from({ length: 1 + below(random, 3) }, () => condition(random, depth + 1));
  return { [pick(random, ['and', 'or'])]: items };
}

const SORTS = ['d.price', 'd.name', 'd.closed', 'c.country', 'c.name', 'taxed', 'both', 'half', 'kind', 'pair', 'late'];
const dir = (random: Random) => pick(random, ['asc', 'desc'] as const);

/** A definition without its sources; its order is total, so that there is one answer. */
function question(random: Random): Readonly<Record<string, unknown>> {
  const filter = below(random, 3) > 0 ? { filter: condition(random) } : {};
  const type = pick(random, ['left', 'inner']);
  if (below(random, 3) === 0) {
    const groupBy = some(
      random,
      [
        { field: 'c.country' },
        { field: 'd.closed', bucket: 'month' },
        { field: 'd.name' },
        { field: 'kind' },
        { field: 'late' },
      ],
      2,
    );
    const aggregates = [
      { as: 'count', fn: 'count' },
      ...some(
        random,
        [
          { as: 'total', fn: 'sum', field: 'd.price' },
          { as: 'least', fn: 'min', field: 'd.closed' },
          { as: 'most', fn: 'max', field: 'c.name' },
          { as: 'different', fn: 'countDistinct', field: 'c.country' },
          { as: 'taxes', fn: 'sum', field: 'taxed' },
          { as: 'widest', fn: 'max', field: 'share' },
          { as: 'halves', fn: 'avg', field: 'half' },
          { as: 'first', fn: 'min', field: 'pair' },
        ],
        3,
      ),
    ];
    const having = below(random, 3) === 0 ? { having: { field: 'count', op: 'gte', value: 2 } } : {};
    return { type, ...filter, groupBy, aggregates, ...having, sort: [{ field: 'count', dir: dir(random) }] };
  }
  const sort = [
    ...some(random, SORTS, 2).map((field) => ({ field, dir: dir(random) })),
    { field: 'd.n', dir: dir(random) },
  ];
  const columns = [
    ...some(
      random,
      ['d.name', 'd.price', 'd.closed', 'c.country', 'c.name', 'd.customer', ...COMPUTED.map(({ key }) => key)],
      6,
    ),
    'd.n',
  ];
  return { type, ...filter, sort, columns };
}

const definition = ({ type, ...rest }: Readonly<Record<string, unknown>>, deal: Source, customer: Source) => ({
  source: deal,
  as: 'd',
  joins: [{ type, as: 'c', source: customer, on: [{ left: 'd.customer', right: 'c.no' }] }],
  computed: COMPUTED,
  ...rest,
});

describe('a view over several databases', () => {
  it('gives the same answers wherever its rows are kept, and however they are put together', async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
    const random = randomOf(seed);
    const tiers = new Map<string, number>();
    for (let run = 0; run < 40; run++) {
      const asked = question(random);
      const limit = 1 + below(random, 40);
      const expected = await all(definition(asked, deals.own, customers.own), 200);
      for (const [deal, dealsThere] of Object.entries(deals))
        for (const [customer, customersThere] of Object.entries(customers)) {
          if (below(random, 3) > 0) continue;
          const found = await all(definition(asked, dealsThere, customersThere), limit);
          const place = JSON.stringify({ seed, deals: deal, customers: customer, tier: found.tier, asked });
          tiers.set(found.tier, (tiers.get(found.tier) ?? 0) + 1);
          expect(`${place}\n${JSON.stringify(found.data, null, 1)}`).toBe(
            `${place}\n${JSON.stringify(expected.data, null, 1)}`,
          );
        }
    }
    expect([...tiers.keys()].sort()).toEqual(['join-engine', 'lookup-join', 'push-down']);
  });

  it('finds words in columns and in what is computed of them, the same wherever its rows are kept', async () => {
    const tiers = new Set<string>();
    const shape = (deal: Source, customer: Source) => ({
      ...definition({ type: 'left', sort: [{ field: 'd.n', dir: 'asc' }] }, deal, customer),
      columns: ['d.n', 'd.name', 'c.name', ...COMPUTED.map(({ key }) => key)],
    });
    for (const word of ['deal 1-', 'DEAR/', 'ä-x', 'fr dea', '? -4']) {
      const expected = await searched(shape(deals.own, customers.own), word);
      expect([word, expected.data.length > 0, expected.data.length < DEALS.length]).toEqual([word, true, true]);
      for (const deal of Object.values(deals))
        for (const customer of Object.values(customers)) {
          const found = await searched(shape(deal, customer), word);
          tiers.add(found.tier);
          expect({ word, deal, customer, data: found.data }).toEqual({ word, deal, customer, data: expected.data });
        }
    }
    expect([...tiers].sort()).toEqual(['join-engine', 'push-down']);
    // Where the first source has all that is looked into, it decides, and the others are asked for what it found.
    const own = { computed: [{ key: 'loud', formula: 'LEFT({d.name}, 6) & "!"' }], columns: ['d.n', 'loud', 'c.no'] };
    const driven = await searched({ ...shape(deals.mysql, customers.own), ...own }, 'l 1!');
    const alone = await searched({ ...shape(deals.own, customers.own), ...own }, 'l 1!');
    expect([driven.tier, driven.data]).toEqual(['lookup-join', alone.data]);
    expect(alone.data.length).toBeGreaterThan(0);
  });

  it('asks for what lies behind links of ours beside objects of other databases', async () => {
    const columns = [{ name: 'Word', type: 'text' }, { name: 'Loud', type: 'formula', options: { formula: 'UPPER({word})' } }]; // prettier-ignore
    const words = expectStatus(
      await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: 'words', columns }),
      201,
    );
    const link = { name: 'Words', type: 'link', options: { tableId: words.id, inverseName: 'Deals' } };
    const table = must(deals.own.table, 'a table');
    expectStatus(await at.owner.post(`/tables/${table}/columns`, link), 201);
    const some = expectStatus(await at.owner.get<{ data: readonly { id: string; fields: { n: number } }[] }>(`/tables/${table}/rows?limit=200`), 200).data; // prettier-ignore
    const marked = some.filter(({ fields: { n } }) => n % 3 === 0);
    const row = { fields: { word: 'third', deals: marked.map(({ id }) => id) } };
    expectStatus(await at.owner.post(`/tables/${words.id}/rows`, row), 201);
    const where = { field: 'loud', op: 'eq', value: 'THIRD' };
    const tiers = new Set<string>();
    for (const quantifier of ['some', 'none'])
      for (const customer of Object.values(customers))
        for (const joined of ['left', 'inner', 'by its order'] as const) {
          const isItsOrder = joined === 'by its order';
          const shape = {
            ...{ source: deals.own, as: 'd', columns: ['d.n', 'c.country'], sort: isItsOrder ? [{ field: 'c.no' }, { field: 'd.n' }] : [{ field: 'd.n' }] },
            joins: [{ type: isItsOrder ? 'left' : joined, as: 'c', source: customer, on: [isItsOrder ? { left: 'd.n', right: 'c.no' } : { left: 'd.customer', right: 'c.no' }] }],
            filter: { link: 'd.words', quantifier, where },
          }; // prettier-ignore
          const expected = await all({ ...shape, joins: [{ ...shape.joins[0], source: customers.own }] }, 200);
          const found = await all(shape, 7);
          tiers.add(found.tier);
          expect(found.data).toEqual(expected.data);
          const numbers = (found.data as readonly { fields: { n: number } }[]).map(({ fields }) => fields.n % 3 === 0);
          expect([quantifier, numbers.length > 5, new Set(numbers)]).toEqual([quantifier, true, new Set([quantifier === 'some'])]); // prettier-ignore
        }
    expect([...tiers].sort()).toEqual(['join-engine', 'lookup-join', 'push-down']);
  });

  it('takes one moment for now on all pages of a list, and of groups', async () => {
    const computed = [{ key: 'due', formula: 'DATEADD(NOW(), {no}, "second")' }];
    const one = async (definition: object, cursor?: string) => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      const asked = await preview(definition, { limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      const { data, page, meta } = expectStatus(asked, 200);
      return { found: data[0] as Due, next: page.nextCursor, tier: meta.tier };
    };
    const numbers = CUSTOMERS.map(({ no }) => no);
    const tiers = new Set<string>();
    for (const [source, from] of Object.entries(customers))
      for (const isGrouped of [false, true])
        for (const dir of ['asc', 'desc']) {
          const groups = { groupBy: [{ field: 'due' }], aggregates: [{ as: 'no', fn: 'max', field: 'no' }] };
          const shape = { source: from, computed, sort: [{ field: 'due', dir }], ...(isGrouped ? groups : {}) };
          const seen: unknown[] = [];
          let { found, next, tier } = await one(shape);
          for (;;) {
            seen.push(found.fields?.no ?? found.values?.no);
            tiers.add(tier);
            if (next === undefined || seen.length > numbers.length) break;
            ({ found, next, tier } = await one(shape, next));
          }
          const expected = dir === 'asc' ? numbers : [...numbers].reverse();
          expect([source, isGrouped, seen]).toEqual([source, isGrouped, expected]);
        }
    expect([...tiers].sort()).toEqual(['join-engine', 'push-down']);
  });

  it('groups numbers by what they are, and tells of groups the same whatever their numbers were written like', async () => {
    const rows = [['3.0', '3'], ['3', '3.00'], ['3.00', '3.0'], ['0.50', '0.5'], ['-0.0', '0'], ['100', '1e2']] as const; // prettier-ignore
    const columns = [{ name: 'n', type: 'integer', unique: true, required: true }, { name: 'a', type: 'decimal' }, { name: 'b', type: 'decimal' }]; // prettier-ignore
    const own = expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: 'notations', columns }), 201); // prettier-ignore
    const ops = rows.map(([a, b], n) => ({ op: 'create', fields: { n, a, b } }));
    expectStatus(await at.owner.post(`/tables/${own.id}/rows/bulk`, { mode: 'atomic', ops }), 200);
    await sql(external, 'create table notations (n integer primary key, a numeric, b numeric)');
    await sql(external, `insert into notations values ${rows.map(([a, b], n) => `(${n}, ${a}, ${b})`).join()}`);
    await sql(external, 'grant select on notations to public');
    expectStatus(await at.owner.get(`/connections/${deals.postgresql.connection}/schema?refresh=true`), 200);
    const [first, ...others] = [{ table: own.id }, { connection: deals.postgresql.connection, object: 'notations' }].flatMap((left, _, all) => all.map((right) => ({ left, right }))); // prettier-ignore
    const grouped = ({ left, right }: { readonly left: object; readonly right: object }) =>
      all({
        ...{ source: left, as: 's', joins: [{ type: 'left', as: 'o', source: right, on: [{ left: 's.n', right: 'o.n' }] }] }, // prettier-ignore
        groupBy: [{ field: 's.a' }],
        aggregates: ['min', 'max', 'sum', 'avg', 'countDistinct'].map((fn) => ({ as: fn, fn, field: 'o.b' })),
        // By the name that it has in the rows, which are not there any more.
        sort: [{ field: 's.a', dir: 'desc' }],
        having: { field: 's.a', op: 'gt', value: '0' },
      }, 2); // prettier-ignore
    const expected = await grouped(must(first, 'one pair'));
    expect(expected.data).toEqual(
      [['100', '100', 1], ['3', '9', 1], ['0.5', '0.5', 1]].map(([a, sum, countDistinct]) => ({ group: { s_a: a }, values: { min: a, max: a, sum, avg: a, countDistinct } })), // prettier-ignore
    );
    for (const pair of others) expect((await grouped(pair)).data).toEqual(expected.data);
    // What is not grouped by has no value in a group.
    const refused = await preview({ source: { table: own.id }, as: 's', groupBy: [{ field: 's.a' }], sort: [{ field: 's.b' }] }, { limit: 2 }); // prettier-ignore
    expect([refused.status, refused.body.code]).toEqual([422, 'sort_invalid']);
  });
});
