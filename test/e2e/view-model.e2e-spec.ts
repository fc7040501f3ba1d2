import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { must } from '../../src/common/index.js';
import type { ColumnTypeName } from '../../src/query/index.js';
import { expectStatus, mysqlDatabase, startApp, world, type ProblemBody, type Table, type World } from '../harness/index.js'; // prettier-ignore
import { column } from '../query/schema.js';
import { below, pick, randomOf, some, type Random } from '../support/random.js';
import { answerOf, subtotalsOf, type Fields, type Filter, type ModelDefinition, type ModelSource, type Value } from '../support/view-model.js'; // prettier-ignore

jest.setTimeout(240_000);

/*
 * Random definitions over random rows, against what definitions mean. The rows are in tables of ours and in a MySQL or MariaDB, so that
 * all ways to put them together are taken.
 */

interface Page {
  readonly data: readonly object[];
  readonly subtotals?: readonly object[];
  readonly page: { readonly nextCursor?: string };
  readonly meta: { readonly tier: string };
}
type Place = Readonly<Record<string, string>>;

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const RUNS = Number(process.env.COUNT ?? 60);

const TEXTS = ['a', 'A', 'b', 'B b', 'ä', 'Äb', 'straße', '🎈', '10', '9', 'x%_', 'o\'"', '', 'ab'];
const MONEY = ['0.00', '1.50', '-1.50', '12.25', '99.99', '100.00', '-0.01', '33.33'];
const DATES = ['2026-01-31', '2026-02-01', '2025-12-31', '2024-02-29', '1999-07-04'];
const INSTANTS = ['2026-01-31T23:59:59.999Z', '2026-02-01T00:00:00.000Z', '1999-07-04T12:30:00.500Z'];

const VALUES: Readonly<Partial<Record<ColumnTypeName, readonly Value[]>>> = {
  text: TEXTS,
  decimal: MONEY,
  date: DATES,
  datetime: INSTANTS,
  boolean: [true, false],
  integer: [0, 1, 2, 3, 5, -4, 7],
};

const key = (name: string) => column(name, 'integer', { unique: true, required: true });
const COLUMNS = {
  d: [key('n'), column('name', 'text'), column('price', 'decimal', { options: { scale: 2 } }), column('closed', 'date'), column('seen', 'datetime'), column('won', 'boolean'), column('customer', 'integer')], // prettier-ignore
  c: [key('no'), column('label', 'text'), column('since', 'date'), column('credit', 'decimal', { options: { scale: 2 } })], // prettier-ignore
  x: [key('id'), column('about', 'integer'), column('topic', 'text'), column('weight', 'integer')],
} as const;
type Alias = keyof typeof COLUMNS;
const ALIASES: readonly Alias[] = ['d', 'c', 'x'];
const SIZES: Readonly<Record<Alias, number>> = { d: 40, c: 8, x: 25 };

function rowsOf(random: Random, alias: Alias): Fields[] {
  return Array.from({ length: SIZES[alias] }, (_, i) =>
    Object.fromEntries(
      COLUMNS[alias].map(({ key: name, type, unique }) => {
        if (unique) return [name, i];
        return [name, below(random, 5) === 0 ? null : pick(random, must(VALUES[type], type))];
      }),
    ),
  );
}

const FORMULAS = [
  'ROUND({d.price} * 1.19, 2)',
  '{d.price} / {d.customer}',
  'IF({d.won}, {d.price}, -{d.price})',
  'UPPER({d.name}) & "-" & {c.label}',
  'LEN({d.name} & {c.label})',
  'MONTH({d.closed})',
  'DATEADD({d.closed}, {d.customer}, "days")',
  'COALESCE({c.label}, {d.name}, "?")',
  'IFERROR({d.price} / {d.customer}, 0)',
  '{d.closed} > {c.since}',
  'ISBLANK({c.label})',
  'MOD({d.n}, 4)',
  'YEAR({d.seen}) * 100 + {d.customer}',
  'LEFT({d.name}, 1) = "a"',
  '{d.price} + {c.credit}',
  'IF({d.price} > {c.credit}, "more", IF(ISBLANK({c.credit}), "?", "less"))',
];

interface Known {
  readonly field: string;
  readonly type: ColumnTypeName;
}

const TYPE_OF_FORMULA: readonly ColumnTypeName[] = ['decimal', 'decimal', 'decimal', 'long_text', 'integer', 'integer', 'date', 'long_text', 'decimal', 'boolean', 'boolean', 'integer', 'integer', 'boolean', 'decimal', 'long_text']; // prettier-ignore

const valuesOf = (type: ColumnTypeName): readonly Value[] => must(VALUES[type === 'long_text' ? 'text' : type], type);

function leaf(random: Random, known: readonly Known[]): Filter {
  const { field, type } = pick(random, known);
  const values = valuesOf(type);
  const isText = type === 'text' || type === 'long_text';
  const [a, b] = [pick(random, values), pick(random, values)];
  if (type === 'boolean') return pick(random, [{ field, op: 'eq', value: a }, { field, op: 'neq', value: a }, { field, op: 'isNull' }]); // prettier-ignore
  if (below(random, 6) === 0) {
    const other = pick(random, known.filter((each) => each.type === type)); // prettier-ignore
    return { field, op: pick(random, ['eq', 'neq', 'gt', 'gte', 'lt', 'lte']), valueField: other.field };
  }
  const op = pick(random, ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'between', 'nbetween', 'isNull', 'isNotNull', ...(isText ? ['contains', 'ncontains', 'startsWith', 'endsWith', 'isEmpty', 'isNotEmpty'] : [])]); // prettier-ignore
  if (['isNull', 'isNotNull', 'isEmpty', 'isNotEmpty'].includes(op)) return { field, op };
  if (op === 'in' || op === 'nin') return { field, op, value: [...new Set([a, b])] };
  if (op === 'between' || op === 'nbetween') return { field, op, value: [a, b] };
  if (isText && op.endsWith('s') && op !== 'nin') return { field, op, value: a === '' ? 'b' : a };
  if (op === 'startsWith' || op === 'endsWith') return { field, op, value: a === '' ? 'b' : a };
  return { field, op, value: a };
}

function filter(random: Random, known: readonly Known[], depth = 0): Filter {
  if (depth > 2 || below(random, 3) > 0) return leaf(random, known);
  if (below(random, 4) === 0) return { not: filter(random, known, depth + 1) };
  const items = Array.from({ length: 1 + below(random, 3) }, () => filter(random, known, depth + 1));
  return below(random, 2) === 0 ? { and: items } : { or: items };
}

/** Its order is total, so that there is one answer. */
function definition(random: Random): ModelDefinition {
  const type = () => pick(random, ['left', 'inner'] as const);
  const joins = [
    { as: 'c', type: type(), on: [{ left: 'd.customer', right: 'c.no' }] },
    ...(below(random, 2) === 0 ? [{ as: 'x', type: type(), on: [pick(random, [{ left: 'c.no', right: 'x.about' }, { left: 'd.n', right: 'x.id' }, { left: 'd.name', right: 'x.topic' }])] }] : []), // prettier-ignore
  ];
  const aliases = ALIASES.filter((alias) => alias !== 'x' || joins.length === 2);
  const computed = some(random, [...FORMULAS.keys()], 5).map((i) => ({ key: `f${i}`, formula: must(FORMULAS[i], 'a formula'), type: must(TYPE_OF_FORMULA[i], 'a type') })); // prettier-ignore
  const known: Known[] = [
    ...aliases.flatMap((alias) => COLUMNS[alias].map(({ key: name, type: of }) => ({ field: `${alias}.${name}`, type: of }))), // prettier-ignore
    ...computed.map(({ key: name, type: of }) => ({ field: name, type: of })),
  ];
  const common = {
    as: 'd',
    joins,
    computed: computed.map(({ key: name, formula }) => ({ key: name, formula })),
    ...(below(random, 3) > 0 ? { filter: filter(random, known) } : {}),
  };
  const dir = () => pick(random, ['asc', 'desc'] as const);
  if (below(random, 3) === 0) {
    const groupBy = some(random, known, 3).map(({ field, type: of }, i) => ({
      field,
      as: `g${i}`,
      ...(of === 'date' && below(random, 2) === 0 ? { bucket: pick(random, ['month', 'year']) } : {}),
    }));
    const numbers = known.filter(({ field }) => /price|credit|weight|d\.n$/.test(field));
    const ordinal = known.filter(({ type: of }) => of !== 'boolean');
    const aggregates = [
      { as: 'count', fn: 'count' },
      { as: 'some', fn: 'count', field: pick(random, known).field },
      { as: 'different', fn: 'countDistinct', field: pick(random, known).field },
      { as: 'total', fn: 'sum', field: pick(random, numbers).field },
      { as: 'middle', fn: 'avg', field: pick(random, numbers).field },
      { as: 'least', fn: 'min', field: pick(random, ordinal).field },
      { as: 'most', fn: 'max', field: pick(random, ordinal).field },
    ];
    const having = below(random, 3) === 0 ? { having: leaf(random, [{ field: 'count', type: 'integer' }, { field: 'some', type: 'integer' }]) } : {}; // prettier-ignore
    const sort = some(random, ['count', 'total', 'least', ...groupBy.map(({ as }) => as)], 2).map((field) => ({ field, dir: dir() })); // prettier-ignore
    return { ...common, groupBy, aggregates, ...having, sort };
  }
  // What is joined by its own number is there once for each row.
  const several = joins.filter(({ on }) => on.every(({ right }) => right !== 'c.no' && right !== 'x.id'));
  const keys = ['d.n', ...several.map(() => 'x.id')];
  const asked = some(random, known, 2).filter(({ field }) => !keys.includes(field)).map(({ field }) => ({ field, dir: dir() })); // prettier-ignore
  return {
    ...common,
    sort: [...asked, ...keys.map((field) => ({ field, dir: dir() }))],
    columns: [...some(random, known, 8).map(({ field }) => field), ...keys].map((field, i) => ({ field, as: `o${i}` })),
  };
}

const withSources = ({ joins, ...rest }: ModelDefinition, places: Readonly<Record<string, Place | undefined>>) => ({
  ...rest,
  source: places.d,
  joins: joins.map((join) => ({ ...join, source: places[join.as] })),
});

let at: World;
let own: Readonly<Record<string, Place>>;
let mysql: Readonly<Record<string, Place>>;
let sources: Readonly<Record<string, ModelSource>>;

const NATIVE: Readonly<Partial<Record<ColumnTypeName, string>>> = { text: 'varchar(40)', decimal: 'decimal(10, 2)', date: 'date', datetime: 'datetime(3)', boolean: 'boolean', integer: 'int' }; // prettier-ignore
const literal = (value: Value): string =>
  value === null || typeof value === 'boolean' ? String(value) : `'${String(value).replaceAll("'", "''").replace(/^(.*T.*)Z$/, '$1')}'`; // prettier-ignore

beforeAll(async () => {
  const random = randomOf(SEED);
  const rows = Object.fromEntries(ALIASES.map((alias) => [alias, rowsOf(random, alias)]));
  sources = Object.fromEntries(ALIASES.map((alias) => [alias, { columns: COLUMNS[alias], rows: rows[alias] ?? [] }]));
  const [{ base }, database] = await Promise.all([startApp(), mysqlDatabase()]);
  at = await world(base);
  const table = async (alias: Alias): Promise<Place> => {
    const columns = COLUMNS[alias].map(({ key: name, type, options, unique, required }) => ({ name, type, options, unique, required })); // prettier-ignore
    const made = expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `model ${alias}`, columns }), 201); // prettier-ignore
    const ops = (rows[alias] ?? []).map((fields) => ({ op: 'create', fields }));
    expectStatus(await at.owner.post(`/tables/${made.id}/rows/bulk`, { mode: 'atomic', ops }), 200);
    const columnsThere = COLUMNS[alias].map(({ key: name, type, unique }) => `\`${name}\` ${must(NATIVE[type], type)}${unique ? ' primary key' : ''}`); // prettier-ignore
    await database.sql(`create table ${alias}s (${columnsThere.join()})`);
    for (const row of rows[alias] ?? []) await database.sql(`insert into ${alias}s values (${Object.values(row).map(literal).join()})`); // prettier-ignore
    return { table: made.id };
  };
  own = { d: await table('d'), c: await table('c'), x: await table('x') };
  const { host, port, database: name, username, password } = database;
  const body = { name: 'MySQL', engine: 'mysql', host, port, database: name, username, password };
  const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, body);
  const connection = expectStatus(made, 201).id;
  mysql = Object.fromEntries(ALIASES.map((alias) => [alias, { connection, object: `${alias}s` }]));
}, 120_000);

async function all(
  definition: object,
  limit: number,
  look: (page: Page) => void = () => undefined,
): Promise<{ readonly data: readonly object[]; readonly tier: string }> {
  const data: object[] = [];
  for (let cursor: string | undefined, i = 0; i < 1000; i++) {
    const page = { limit, ...(cursor ? { cursor } : {}) };
    const answer = await at.owner.post<Page & ProblemBody>(`/workspaces/${at.workspace.id}/views/preview`, { definition, page, rollup: 'aggregates' in definition && !('having' in definition) }); // prettier-ignore
    // Whoever reads of the failure has to be able to repeat it.
    if (answer.status !== 200) throw new Error(`${answer.text}\n${JSON.stringify({ seed: SEED, definition })}`);
    const got = answer.body;
    data.push(...got.data);
    look(got);
    if ((cursor = got.page.nextCursor) === undefined) return { data, tier: got.meta.tier };
  }
  throw new Error('the pages do not end');
}

describe('a view', () => {
  it('is what its definition means, for any definition, rows, places and pages, and so are the subtotals of its groups', async () => {
    const random = randomOf(SEED + 1);
    const tiers = new Set<string>();
    let [rows, subtotals] = [0, 0];
    // Some rows leave most questions without an answer: asks on until there was enough to compare, in every tier.
    const enough = () => Math.min(rows, subtotals) > RUNS && tiers.size === 3;
    for (let run = 0; run < RUNS || (run < 10 * RUNS && !enough()); run++) {
      const asked = definition(random);
      const expected = answerOf(asked, sources);
      const limit = 1 + Math.ceil(expected.length / 8) + below(random, 60);
      for (const there of [[], ['d', 'c', 'x'], some(random, ['d', 'c', 'x'], 3)]) {
        const places = Object.fromEntries(
          ALIASES.map((alias) => [alias, (there.includes(alias) ? mysql : own)[alias]]),
        );
        const told = (what: string, is: object) => `${what} ${JSON.stringify({ seed: SEED, run, there, asked })}\n${JSON.stringify(is, null, 1)}`; // prettier-ignore
        const { data, tier } = await all(withSources(asked, places), limit, (page) => {
          if (!asked.aggregates || asked.having) return;
          const right = subtotalsOf(asked, sources, page.data as readonly { readonly group: Fields }[]);
          subtotals += right.length;
          expect(told('subtotals', page.subtotals ?? [])).toBe(told('subtotals', right));
        });
        tiers.add(tier);
        rows += data.length;
        expect(told(tier, data)).toBe(told(tier, expected));
      }
    }
    expect(Math.min(rows, subtotals)).toBeGreaterThan(RUNS);
    expect([...tiers].sort()).toEqual(['join-engine', 'lookup-join', 'push-down']);
  });
});
